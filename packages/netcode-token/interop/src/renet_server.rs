//! A game server on renet and renet_netcode.
//! It deliberately has no rules of its own: `Game` says who may play.

use crate::environment::Environment;
use crate::game::{Action, Game};
use crate::lines::tell;
use renet::{ConnectionConfig, DefaultChannel, RenetServer, ServerEvent};
use renet_netcode::{NetcodeServerTransport, ServerAuthentication, ServerConfig};
use serde_json::json;
use std::error::Error;
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const TICK: Duration = Duration::from_millis(10);

/// Serves until standard input ends.
///
/// # Errors
/// When the port is taken, or the socket fails.
pub fn serve(environment: &Environment, mut game: Game, input: &Receiver<String>) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind(environment.address)?;
    let config = ServerConfig {
        // Unix time: it is compared with the end of tokens.
        current_time: SystemTime::now().duration_since(UNIX_EPOCH)?,
        max_clients: environment.capacity,
        protocol_id: environment.protocol_id,
        // What the broker writes into the private list, and nothing that players dial.
        public_addresses: vec![environment.address],
        authentication: ServerAuthentication::Secure { private_key: environment.key },
    };
    let mut transport = NetcodeServerTransport::new(config, socket)?;
    let mut server = RenetServer::new(ConnectionConfig::default());
    tell("info", "serving", json!({ "address": environment.address.to_string() }));

    let mut before = Instant::now();
    while input.try_recv() != Err(TryRecvError::Disconnected) {
        let passed = before.elapsed();
        before += passed;
        server.update(passed);
        transport.update(passed, &mut server)?;

        let mut actions = Vec::new();
        while let Some(event) = server.get_event() {
            match event {
                ServerEvent::ClientConnected { client_id } => match transport.user_data(client_id) {
                    Some(user_data) => actions.extend(game.connected(client_id, &user_data)),
                    None => actions.push(Action::Disconnect(client_id)),
                },
                ServerEvent::ClientDisconnected { client_id, .. } => game.disconnected(client_id),
            }
        }
        for client_id in server.clients_id() {
            while game.plays(client_id) {
                let Some(message) = server.receive_message(client_id, DefaultChannel::ReliableOrdered) else { break };
                actions.extend(game.message(client_id, &message));
            }
        }
        actions.extend(game.update());
        for action in actions {
            match action {
                Action::Send(client_id, message) => server.send_message(client_id, DefaultChannel::ReliableOrdered, message),
                Action::Disconnect(client_id) => server.disconnect(client_id),
            }
        }
        transport.send_packets(&mut server);
        std::thread::sleep(TICK);
    }
    transport.disconnect_all(&mut server);
    game.finish();
    Ok(())
}
