//! A game server and a game client on the real netcode crates, which run.ts starts to check the broker's tokens.
//! It deliberately is no game: what a game needs for admission is here, and an echo.

mod broker;
mod environment;
mod game;
mod lines;
mod official_client;
mod official_server;
mod renet_client;
mod renet_server;
mod user_data;

use environment::Environment;
use game::Game;
use lines::{standard_input, take_log_of_crates, tell};
use serde_json::json;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "netcode-token-interop server renet|official [--report-seconds N] [--debug]
netcode-token-interop client renet|official [--bind ADDRESS] [--dial ADDRESS] [--mix] [--silent] [--debug]

Both end with their standard input. The server is configured by the variables of docs/game-server.md.
The client's first line of input is the token in base64; with --mix the second line is another one. Each line after it is sent as a message;
'log out' has the server end the connection.
  --report-seconds  seconds between two reports [5]
  --bind            address and port of the client's socket [0.0.0.0:0]
  --dial            address in place of the token's (renet only)
  --mix             cheat with two tokens (renet only)
  --silent          send no message
  --debug           tell what the netcode crates say at debug";

/// The client's arguments.
pub struct ClientOptions {
    /// Where the socket is bound.
    pub bind: SocketAddr,
    /// In place of the token's addresses.
    pub dial: Option<SocketAddr>,
    /// Join two tokens.
    pub mix: bool,
    /// Send no message.
    pub silent: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell("error", "stopped", json!({ "why": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let mut words = arguments.iter().map(String::as_str);
    let (role, kind) = (words.next().unwrap_or("--help"), words.next().unwrap_or_default());
    let mut options = ClientOptions { bind: SocketAddr::from(([0, 0, 0, 0], 0)), dial: None, mix: false, silent: false };
    let mut report_seconds = 5.0;
    let mut debug = false;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value.\n{HELP}"));
        match word {
            "--report-seconds" => report_seconds = value()?.parse()?,
            "--bind" => options.bind = value()?.parse()?,
            "--dial" => options.dial = Some(value()?.parse()?),
            "--mix" => options.mix = true,
            "--silent" => options.silent = true,
            "--debug" => debug = true,
            _ => return Err(format!("There is no option '{word}'.\n{HELP}").into()),
        }
    }
    take_log_of_crates(debug);
    let input = standard_input();
    match (role, kind) {
        ("server", "renet" | "official") => {
            let environment = Environment::read()?;
            let game = Game::new(&environment, Duration::from_secs_f64(report_seconds));
            let serve = if kind == "renet" { renet_server::serve } else { official_server::serve };
            serve(&environment, game, &input)
        }
        ("client", "renet") => renet_client::play(&options, &input),
        ("client", "official") => official_client::play(&options, &input),
        ("--help", _) => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("There is no '{role} {kind}'.\n{HELP}").into()),
    }
}
