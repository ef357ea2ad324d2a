//! A game client on netcode-official, which reads tokens of the standard's 2048 bytes.
//! It deliberately dials only what the token says: the crate lets nobody change that.

use crate::lines::tell;
use crate::ClientOptions;
use base64::prelude::{Engine, BASE64_STANDARD};
use netcode::{Client, ClientState, CONNECT_TOKEN_BYTES};
use serde_json::json;
use std::error::Error;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// Connects, sends a message and tells what comes, until standard input ends or the connection does.
///
/// # Errors
/// When there is no token, it cannot be read, or the socket fails.
pub fn play(options: &ClientOptions, input: &Receiver<String>) -> Result<(), Box<dyn Error>> {
    let token = BASE64_STANDARD.decode(input.recv()?.trim())?;
    let token =
        <[u8; CONNECT_TOKEN_BYTES]>::try_from(token).map_err(|token| format!("The token has {} bytes; it must have 2048.", token.len()))?;
    let started = Instant::now();
    let mut client = Client::new(options.bind, 0.0)?;
    client.connect(&token)?;
    tell("info", "connecting", json!({ "port": client.port() }));

    let mut connected = false;
    loop {
        match input.try_recv() {
            // Each further line is a message; the server ends the connection when it is "log out".
            Ok(line) => client.send_packet(line.as_bytes())?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => break,
        }
        client.update(started.elapsed().as_secs_f64());
        if client.state().is_disconnected() {
            tell("info", "disconnected", json!({ "why": client.state().to_string() }));
            return Ok(());
        }
        if client.state() == ClientState::Connected {
            if !connected {
                connected = true;
                tell("info", "connected", json!({}));
                if !options.silent {
                    client.send_packet(b"hello")?;
                }
            }
            while let Some((message, _)) = client.receive_packet() {
                tell("info", "received", json!({ "text": String::from_utf8_lossy(&message) }));
            }
        }
        std::thread::sleep(TICK);
    }
    client.disconnect();
    tell("info", "left", json!({}));
    Ok(())
}
