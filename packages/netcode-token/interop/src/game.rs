//! Who may play, whichever transport brings them: user data, claim, reports with their orders, release. The game itself answers each message with
//! "echo: " and counts them, which is what a character remembers here.
//! It deliberately knows no sockets; the two servers carry out its actions.

use crate::broker::{Answer, Broker, Call, Problem};
use crate::environment::Environment;
use crate::lines::tell;
use crate::user_data::{read_user_data, uuid, UserData, USER_DATA_BYTES};
use serde_json::{json, Value};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// The message with which a player says that he leaves for good. A connection that ends without it may come back, so its place is kept.
pub const LOG_OUT: &[u8] = b"log out";

/// What the server does for the game.
pub enum Action {
    /// Send this message to a connection that plays.
    Send(u64, Vec<u8>),
    /// End a connection.
    Disconnect(u64),
}

struct Player {
    session: UserData,
    /// The claim's epoch; none until the broker has answered. Only then the player plays.
    epoch: Option<String>,
    messages: u64,
    /// Gone, but the claim is still under way: it is released as soon as it is answered.
    gone: bool,
    logged_out: bool,
}

/// The state of a server.
pub struct Game {
    broker: Broker,
    /// By client id.
    players: HashMap<u64, Player>,
    accepting: bool,
    report_every: Duration,
    next_report: Instant,
    /// Orders that were carried out; each comes again until a report has acknowledged it.
    orders: HashSet<String>,
    /// Calls that the broker could not answer yet, and when to make them again.
    later: Vec<(Instant, Call)>,
}

impl Game {
    /// An empty game; the first report is due at once.
    pub fn new(environment: &Environment, report_every: Duration) -> Self {
        Self {
            broker: Broker::start(environment),
            players: HashMap::new(),
            accepting: true,
            report_every,
            next_report: Instant::now(),
            orders: HashSet::new(),
            later: Vec::new(),
        }
    }

    /// A netcode connection stands. Nobody plays yet: the session is read from the token and claimed.
    pub fn connected(&mut self, client_id: u64, user_data: &[u8; USER_DATA_BYTES]) -> Option<Action> {
        let session = match read_user_data(user_data, client_id) {
            Ok(session) => session,
            Err(why) => {
                tell("warn", "refused", json!({ "clientId": client_id.to_string(), "why": why }));
                return Some(Action::Disconnect(client_id));
            }
        };
        if self.players.contains_key(&client_id) {
            // The same token again, from the same socket, while its first claim is still under way.
            tell("warn", "refused", json!({ "clientId": client_id.to_string(), "why": "The client id is here already." }));
            return Some(Action::Disconnect(client_id));
        }
        let UserData { issued_at, account_id, character_id, session_id, server_id, build, .. } = &session;
        let fields = json!({ "clientId": client_id.to_string(), "accountId": account_id, "characterId": character_id, "sessionId": session_id,
            "serverId": server_id, "build": build, "issuedAt": issued_at });
        tell("info", "connected", fields);
        self.broker.ask(Call::Claim { session: session.clone(), claim_id: new_uuid() });
        self.players.insert(client_id, Player { session, epoch: None, messages: 0, gone: false, logged_out: false });
        None
    }

    /// Whether the session of a connection is claimed; only then its messages are read.
    pub fn plays(&self, client_id: u64) -> bool {
        self.players.get(&client_id).is_some_and(|player| player.epoch.is_some() && !player.logged_out)
    }

    /// A message of somebody who plays.
    pub fn message(&mut self, client_id: u64, message: &[u8]) -> Option<Action> {
        let player = self.players.get_mut(&client_id)?;
        if message == LOG_OUT {
            player.logged_out = true;
            return Some(Action::Disconnect(client_id));
        }
        player.messages += 1;
        tell("info", "received", json!({ "clientId": client_id.to_string(), "bytes": message.len() }));
        Some(Action::Send(client_id, [b"echo: ", message].concat()))
    }

    /// A connection has ended, whoever ended it: the session is released with the character's state.
    pub fn disconnected(&mut self, client_id: u64) {
        let Some(player) = self.players.get_mut(&client_id) else { return };
        tell("info", "disconnected", json!({ "clientId": client_id.to_string() }));
        if player.epoch.is_some() {
            self.release(client_id);
        } else {
            player.gone = true;
        }
    }

    fn release(&mut self, client_id: u64) {
        let Some(Player { session, epoch: Some(epoch), messages, logged_out, .. }) = self.players.remove(&client_id) else { return };
        let state = format!("messages: {messages}").into_bytes();
        let reason = if logged_out { "logged-out" } else { "disconnected" };
        // This server saves nothing in between; one that does counts its saves and goes on with the next number.
        self.broker.ask(Call::Release { session_id: session.session_id, epoch, sequence: 1, state, reason });
    }

    /// Takes the broker's answers, asks again what is due, and reports when it is time.
    pub fn update(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Ok(answer) = self.broker.answers.try_recv() {
            self.take(answer, &mut actions);
        }
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|&(when, _)| when <= now);
        self.later = later;
        for (_, call) in due {
            match &call {
                Call::Claim { session, .. } if self.forget_if_gone(session.client_id) => {}
                _ => self.broker.ask(call),
            }
        }
        if now >= self.next_report {
            self.next_report = now + self.report_every;
            let sessions =
                self.players.values().filter(|player| player.epoch.is_some()).map(|player| player.session.session_id.clone()).collect();
            let acknowledged = self.orders.iter().cloned().collect();
            self.broker.ask(Call::Report { sessions, accepting: self.accepting, acknowledged });
        }
        actions
    }

    fn take(&mut self, answer: Answer, actions: &mut Vec<Action>) {
        match answer {
            Answer::Claimed { client_id, epoch, state } => {
                let remembered = state.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                tell("info", "claimed", json!({ "clientId": client_id.to_string(), "epoch": epoch, "state": remembered }));
                let Some(player) = self.players.get_mut(&client_id) else { return };
                player.epoch = Some(epoch);
                if player.gone {
                    self.release(client_id);
                }
            }
            Answer::Reported { orders, dropped } => {
                tell("debug", "reported", json!({ "orders": orders.len(), "dropped": dropped.len() }));
                // Their characters play elsewhere: what is left here is not stored.
                for session_id in dropped {
                    if let Some(client_id) = self.client_of(&session_id) {
                        self.players.remove(&client_id);
                        actions.push(Action::Disconnect(client_id));
                    }
                }
                let coming: HashSet<String> = orders.iter().filter_map(|order| order["id"].as_str().map(str::to_owned)).collect();
                for order in orders.iter().filter(|order| order["id"].as_str().is_some_and(|id| !self.orders.contains(id))) {
                    tell("info", "ordered", json!({ "order": order }));
                    match order["kind"].as_str() {
                        Some("kick") => {
                            actions.extend(order["playSessionId"].as_str().and_then(|id| self.client_of(id)).map(Action::Disconnect))
                        }
                        Some("drain") => self.accepting = false,
                        // A game tells its players what is announced, and saves its world; this one has neither.
                        _ => {}
                    }
                }
                self.orders = coming;
            }
            Answer::Released(session_id) => tell("info", "released", json!({ "sessionId": session_id })),
            Answer::Later(call, why) => {
                tell("debug", "asked again later", describe(&call, &why));
                if let (Call::Claim { session, .. }, Some(blocking)) = (&call, why.blocked_by.as_deref()) {
                    // The earlier session is on this very server: it goes at once, and not with the next report.
                    if blocking.1 == session.server_id {
                        actions.extend(self.client_of(&blocking.0).map(Action::Disconnect));
                    }
                }
                // The next report says everything anew.
                if !matches!(call, Call::Report { .. }) {
                    self.later.push((Instant::now() + why.retry_after.unwrap_or(self.report_every), call));
                }
            }
            Answer::Refused(call, why) => {
                tell("warn", if matches!(call, Call::Claim { .. }) { "claim refused" } else { "call refused" }, describe(&call, &why));
                if let Call::Claim { session, .. } = call {
                    self.players.remove(&session.client_id);
                    actions.push(Action::Disconnect(session.client_id));
                }
            }
        }
    }

    fn client_of(&self, session_id: &str) -> Option<u64> {
        self.players.iter().find(|(_, player)| player.session.session_id == session_id).map(|(&client_id, _)| client_id)
    }

    fn forget_if_gone(&mut self, client_id: u64) -> bool {
        let gone = self.players.get(&client_id).is_none_or(|player| player.gone);
        if gone {
            self.players.remove(&client_id);
        }
        gone
    }

    /// The server stops and has disconnected everybody: releases them, and waits for the answers.
    pub fn finish(mut self) {
        let ids: Vec<u64> = self.players.keys().copied().collect();
        for client_id in ids {
            self.disconnected(client_id);
        }
        for answer in self.broker.finish() {
            match answer {
                Answer::Released(session_id) => tell("info", "released", json!({ "sessionId": session_id })),
                // Its place is held, and the character keeps what was stored before.
                Answer::Later(call, why) | Answer::Refused(call, why) => tell("error", "not done before the end", describe(&call, &why)),
                _ => {}
            }
        }
    }
}

fn describe(call: &Call, why: &Problem) -> Value {
    let (name, client_id) = match call {
        Call::Claim { session, .. } => ("claim", Some(session.client_id.to_string())),
        Call::Report { .. } => ("report", None),
        Call::Release { .. } => ("release", None),
    };
    json!({ "call": name, "clientId": client_id, "code": why.code, "reason": why.reason, "detail": why.detail })
}

/// A random UUID (version 4).
fn new_uuid() -> String {
    let mut bytes = renetcode::generate_random_bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    uuid(&bytes)
}
