//! A game client on renet and renet_netcode, and one that cheats.
//! It deliberately reads its token from standard input: arguments and environment of a process can be read by others.

use crate::lines::tell;
use crate::ClientOptions;
use base64::prelude::{Engine, BASE64_STANDARD};
use renet::{ConnectionConfig, DefaultChannel, RenetClient};
use renet_netcode::{ClientAuthentication, ConnectToken, NetcodeClientTransport};
use renetcode::NetcodeClient;
use serde_json::json;
use std::error::Error;
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const TICK: Duration = Duration::from_millis(10);

/// A token as `POST /v1/realms/{realm}/connect` gives it in renet's form.
fn read_token(base64: &str) -> Result<ConnectToken, Box<dyn Error>> {
    let bytes = BASE64_STANDARD.decode(base64.trim())?;
    Ok(ConnectToken::read(&mut bytes.as_slice())?)
}

/// Connects, sends a message and tells what comes, until standard input ends or the connection does.
///
/// # Errors
/// When there is no token, it cannot be read, or the socket fails.
pub fn play(options: &ClientOptions, input: &Receiver<String>) -> Result<(), Box<dyn Error>> {
    let mut connect_token = read_token(&input.recv()?)?;
    if let Some(address) = options.dial {
        connect_token.server_addresses = [None; 32];
        connect_token.server_addresses[0] = Some(address);
    }
    let socket = UdpSocket::bind(options.bind)?;
    if options.mix {
        connect_token = mix(connect_token, &read_token(&input.recv()?)?, &socket)?;
    }

    let current_time = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut transport = NetcodeClientTransport::new(current_time, ClientAuthentication::Secure { connect_token }, socket)?;
    let mut client = RenetClient::new(ConnectionConfig::default());
    tell("info", "connecting", json!({ "clientId": transport.client_id().to_string(), "port": transport.addr()?.port() }));

    let mut connected = false;
    let mut before = Instant::now();
    loop {
        match input.try_recv() {
            // Each further line is a message; the server ends the connection when it is "log out".
            Ok(line) => client.send_message(DefaultChannel::ReliableOrdered, line),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => break,
        }
        let passed = before.elapsed();
        before += passed;
        client.update(passed);
        let mut ended = transport.update(passed, &mut client);
        if client.is_connected() {
            if !connected {
                connected = true;
                tell("info", "connected", json!({ "clientId": transport.client_id().to_string() }));
                if !options.silent {
                    client.send_message(DefaultChannel::ReliableOrdered, "hello");
                }
            }
            while let Some(message) = client.receive_message(DefaultChannel::ReliableOrdered) {
                tell("info", "received", json!({ "text": String::from_utf8_lossy(&message) }));
            }
            ended = ended.and_then(|()| transport.send_packets(&mut client));
        }
        if let Err(error) = ended {
            tell("info", "disconnected", json!({ "why": error.to_string() }));
            return Ok(());
        }
        std::thread::sleep(TICK);
    }
    transport.disconnect();
    tell("info", "left", json!({}));
    Ok(())
}

/// How a player with two tokens would enter as the one with the other's user data, if the server compared nothing: a server on renetcode 2.0.0
/// remembers client id and keys of the first request that comes from an address, but takes the user data from the challenge that is answered.
/// The first token's request is sent from `socket`; what is returned answers the second's challenge with the first's key.
fn mix(first: ConnectToken, second: &ConnectToken, socket: &UdpSocket) -> Result<ConnectToken, Box<dyn Error>> {
    let mixed = ConnectToken { client_to_server_key: first.client_to_server_key, ..second.clone() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut netcode = NetcodeClient::new(now, ClientAuthentication::Secure { connect_token: first })?;
    let (packet, server) = netcode.update(Duration::ZERO).ok_or("There is no request to send.")?;
    socket.send_to(packet, server)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    // The challenge of the first token, which nobody answers.
    let (length, _) = socket.recv_from(&mut [0; 2048])?;
    tell("info", "challenged", json!({ "bytes": length }));
    Ok(mixed)
}
