//! A headless game client for the game server beside it: a connect token in, wishes in, what the server says out.
//! It deliberately knows no broker: `npm run connect` gets the token, and a test may get it itself.

use base64::prelude::{Engine, BASE64_STANDARD};
use game_server::log::{begin, tell};
use game_server::messages::{Wish, Word};
use renet::{ConnectionConfig, DefaultChannel, RenetClient};
use renet_netcode::{ClientAuthentication, ConnectToken, NetcodeClientTransport};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::BufRead;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::mpsc::{channel, Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const TICK: Duration = Duration::from_millis(10);
const HELP: &str = "game-client [--token FILE] [--ping MILLISECONDS]

Plays with a connect token in renet's form: from FILE (npm run connect -- ... --encoding renet --output FILE), or in base64 from the first line of the
standard input. Each further line is a wish: find, plant, look, enter CONTENT, go, leave, say TEXT, move X Y, pings (how many were answered so far),
or JSON. One JSON object a line comes out. It ends with its input, after 'leave' or 'go', or when the server ends the connection.
  --ping  sends an unreliable message that often and counts the answers";

fn main() -> ExitCode {
    begin(std::env::var("LOG_DEBUG").is_ok());
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell("error", "stopped", json!({ "why": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (mut file, mut every) = (None, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value.\n{HELP}"));
        match word.as_str() {
            "--token" => file = Some(value()?),
            "--ping" => every = Some(Duration::from_millis(value()?.parse()?)),
            _ => {
                println!("{HELP}");
                return Ok(());
            }
        }
    }
    let input = standard_input();
    let bytes = match file {
        Some(file) => std::fs::read(&file).map_err(|error| format!("The token {file} cannot be read: {error}."))?,
        None => BASE64_STANDARD.decode(input.recv()?.trim())?,
    };
    let token = ConnectToken::read(&mut bytes.as_slice()).map_err(|_| "The token is not in renet's form (--encoding renet).")?;
    Client::new(token, every)?.play(&input)
}

/// The lines of standard input; the channel is closed at its end.
fn standard_input() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A line as a wish. @returns none for `pings`, which asks ourselves
fn read_wish(line: &str) -> Result<Option<Wish>, String> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let wish = match verb {
        "pings" => return Ok(None),
        "find" => Wish::Find,
        "plant" => Wish::Plant,
        "look" => Wish::Look,
        "go" => Wish::Go,
        "leave" => Wish::Leave,
        "enter" => Wish::Enter { content: rest.to_owned() },
        "say" => Wish::Say { text: rest.to_owned() },
        "move" => {
            let place: Vec<f32> = rest.split(' ').filter_map(|number| number.parse().ok()).collect();
            let [x, y] = place[..] else { return Err(format!("'{line}' needs two numbers.")) };
            Wish::Move { x, y }
        }
        _ => serde_json::from_str(line).map_err(|error| format!("'{line}' is no wish: {error}."))?,
    };
    Ok(Some(wish))
}

struct Client {
    renet: RenetClient,
    transport: NetcodeClientTransport,
    every: Option<Duration>,
    next_ping: Instant,
    /// Number of the next ping.
    ping: u64,
    unanswered: BTreeSet<u64>,
    connected: bool,
    welcome: bool,
}

impl Client {
    fn new(connect_token: ConnectToken, every: Option<Duration>) -> Result<Self, Box<dyn Error>> {
        let ipv6 = connect_token.server_addresses.iter().flatten().any(SocketAddr::is_ipv6);
        let any: SocketAddr = if ipv6 { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let transport = NetcodeClientTransport::new(now, ClientAuthentication::Secure { connect_token }, UdpSocket::bind(any)?)?;
        tell("info", "connecting", json!({ "clientId": transport.client_id().to_string() }));
        let renet = RenetClient::new(ConnectionConfig::default());
        Ok(Self {
            renet,
            transport,
            every,
            next_ping: Instant::now(),
            ping: 0,
            unanswered: BTreeSet::new(),
            connected: false,
            welcome: false,
        })
    }

    fn play(mut self, input: &Receiver<String>) -> Result<(), Box<dyn Error>> {
        let mut before = Instant::now();
        loop {
            match input.try_recv() {
                Ok(line) => self.wish(line.trim()),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => break,
            }
            let passed = before.elapsed();
            before += passed;
            self.renet.update(passed);
            let received = self.transport.update(passed, &mut self.renet);
            self.hear();
            if self.welcome && self.every.is_some() && Instant::now() >= self.next_ping {
                self.send_ping();
            }
            let sent = if self.renet.is_connected() { self.transport.send_packets(&mut self.renet) } else { Ok(()) };
            if let Err(error) = received.and(sent) {
                self.tell_pings();
                tell("info", "disconnected", json!({ "why": error.to_string() }));
                return Ok(());
            }
            std::thread::sleep(TICK);
        }
        self.tell_pings();
        self.transport.disconnect();
        tell("info", "left", json!({}));
        Ok(())
    }

    fn wish(&mut self, line: &str) {
        match read_wish(line) {
            Ok(Some(wish)) => self.renet.send_message(DefaultChannel::ReliableOrdered, json!(wish).to_string()),
            Ok(None) => self.tell_pings(),
            Err(why) => tell("warn", "not understood", json!({ "why": why })),
        }
    }

    fn hear(&mut self) {
        if self.renet.is_connected() && !self.connected {
            self.connected = true;
            tell("info", "connected", json!({}));
        }
        for channel in [DefaultChannel::ReliableOrdered, DefaultChannel::Unreliable].map(u8::from) {
            while let Some(message) = self.renet.receive_message(channel) {
                match serde_json::from_slice::<Word>(&message) {
                    Ok(Word::Pong { n }) => {
                        self.unanswered.remove(&n);
                    }
                    Ok(word) => {
                        if matches!(word, Word::Welcome { .. }) {
                            self.welcome = true;
                        }
                        // Its pings would find nobody.
                        if matches!(word, Word::Bye { .. }) {
                            self.every = None;
                        }
                        let mut fields = json!(word);
                        let said = fields["said"].as_str().unwrap_or_default().to_owned();
                        if let Value::Object(members) = &mut fields {
                            members.remove("said");
                            // Beside `message`, which says what was said.
                            if let Some(text) = members.remove("message") {
                                members.insert("text".into(), text);
                            }
                        }
                        tell("info", &said, fields);
                    }
                    Err(error) => tell("warn", "not understood", json!({ "why": error.to_string() })),
                }
            }
        }
    }

    fn send_ping(&mut self) {
        self.next_ping = Instant::now() + self.every.unwrap_or_default();
        self.unanswered.insert(self.ping);
        self.renet.send_message(DefaultChannel::Unreliable, json!(Wish::Ping { n: self.ping }).to_string());
        self.ping += 1;
    }

    fn tell_pings(&self) {
        if self.ping > 0 {
            tell("info", "pings", json!({ "sent": self.ping, "unanswered": self.unanswered }));
        }
    }
}
