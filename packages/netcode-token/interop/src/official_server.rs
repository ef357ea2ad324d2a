//! A game server on netcode-official, the Rust implementation by the standard's author: the same game without renet's messages.
//! It deliberately is as close to the one on renet as the crates allow. It answers on every address of its port.

use crate::environment::Environment;
use crate::game::{Action, Game};
use crate::lines::tell;
use netcode::{Server, ServerEvent};
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// Serves until standard input ends.
///
/// # Errors
/// When the port is taken.
pub fn serve(environment: &Environment, mut game: Game, input: &Receiver<String>) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let mut server = Server::new(environment.address, environment.protocol_id, &environment.key, 0.0)?;
    server.start(environment.capacity)?;
    tell("info", "serving", json!({ "address": environment.address.to_string() }));

    // By slot; when a client has gone, the server no longer says who it was.
    let mut clients = BTreeMap::new();
    while input.try_recv() != Err(TryRecvError::Disconnected) {
        server.update(started.elapsed().as_secs_f64());

        let mut actions = Vec::new();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::ClientConnected { client_index } => {
                    let client_id = server.client_id(client_index);
                    clients.insert(client_index, client_id);
                    match server.client_user_data(client_index) {
                        Some(user_data) => actions.extend(game.connected(client_id, user_data)),
                        None => actions.push(Action::Disconnect(client_id)),
                    }
                }
                ServerEvent::ClientDisconnected { client_index, .. } => {
                    if let Some(client_id) = clients.remove(&client_index) {
                        game.disconnected(client_id);
                    }
                }
            }
        }
        for (&client_index, &client_id) in &clients {
            while game.plays(client_id) {
                let Some((message, _)) = server.receive_packet(client_index) else { break };
                actions.extend(game.message(client_id, &message));
            }
        }
        actions.extend(game.update());
        for action in actions {
            let (Action::Send(client_id, _) | Action::Disconnect(client_id)) = action;
            let Some((&client_index, _)) = clients.iter().find(|(_, &id)| id == client_id) else { continue };
            match action {
                Action::Send(_, message) => server.send_packet(client_index, &message)?,
                Action::Disconnect(_) => server.disconnect_client(client_index),
            }
        }
        std::thread::sleep(TICK);
    }
    server.stop();
    game.finish();
    Ok(())
}
