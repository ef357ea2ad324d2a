//! The game server's calls to the broker: claim, report, save, release, hand over (docs/reference/broker-play.md). A thread makes them, one after the
//! other, so that the game's loop never waits for the network and a report never overtakes the claim or release before it.
//! It deliberately decides nothing about players; answers go to the game.

use crate::config::Config;
use crate::user_data::UserData;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// A call that takes longer has failed and is made again. Three of them in a row still leave a report within the lease of 15 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// Until a call is made again to which the broker did not say when.
const AGAIN: Duration = Duration::from_secs(2);

/// What is asked of the broker.
#[derive(Debug, Clone)]
pub enum Call {
    /// May this session enter?
    Claim {
        /// From the token.
        session: UserData,
        /// Our own UUID for this claim: asked again with it, because an answer was lost, it is answered again.
        claim_id: String,
    },
    /// What a server tells every 5 s. The sessions are those that are claimed and not released when it is sent.
    Report {
        /// Whether newcomers are welcome.
        accepting: bool,
        /// Ids of orders that have come.
        acknowledged: Vec<String>,
    },
    /// The character as it is now, while it plays.
    Save {
        /// The session's id.
        session_id: String,
        /// The epoch of the claim: whoever holds an older one writes nothing.
        epoch: String,
        /// Number among the saves and the release of the session, each higher than those before.
        sequence: u64,
        /// At most 64 KiB.
        state: Vec<u8>,
    },
    /// The player has left; here is his character.
    Release {
        /// The session's id.
        session_id: String,
        /// As for a save.
        epoch: String,
        /// As for a save.
        sequence: u64,
        /// None: what was stored last stays.
        state: Option<Vec<u8>>,
        /// `logged-out` frees the place at once, `disconnected` keeps it for 300 s, `handed-over` is for players who go to another server.
        reason: &'static str,
    },
    /// An instance is wanted for a player who is here.
    HandOver {
        /// Fresh for each; the same for a repetition.
        request_id: String,
        /// Such as `dungeon`.
        content_type: String,
        /// Whose.
        session_id: String,
    },
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// The session may enter.
    Claimed {
        /// Whose it is.
        client_id: u64,
        /// To be named by saves and the release.
        epoch: String,
        /// The character's name.
        name: String,
        /// What was last stored; none for a new character.
        state: Option<Vec<u8>>,
    },
    /// The report was taken.
    Reported {
        /// Orders; each comes again until it is acknowledged.
        orders: Vec<Value>,
        /// Sessions that were named and are not this server's any more.
        dropped: Vec<String>,
    },
    /// The save is stored.
    Saved {
        /// Of which session.
        session_id: String,
        /// Which one.
        sequence: u64,
    },
    /// The state is stored and the character free.
    Released(String),
    /// The players may go.
    HandedOver {
        /// Who asked for it.
        session_id: String,
        /// For `POST /v1/instances/{id}/connect`.
        instance_id: String,
    },
    /// To be asked again: the broker is away, or an earlier session has not been let go yet. Nobody enters meanwhile.
    Later(Call, Problem),
    /// No, for good.
    Refused(Call, Problem),
}

/// Why the broker did not do what was asked.
#[derive(Debug)]
pub struct Problem {
    /// The `code` of the problem document, or `unreachable`.
    pub code: String,
    /// A sentence for the log.
    pub detail: String,
    /// The `reason` of a refusal.
    pub reason: Option<String>,
    /// The session that a claim waits for, and its server.
    pub blocked_by: Option<Box<(String, String)>>,
    /// When to ask again; none: never.
    pub retry_after: Option<Duration>,
}

impl Problem {
    fn unreachable(detail: impl std::fmt::Display) -> Self {
        Self { code: "unreachable".into(), detail: detail.to_string(), reason: None, blocked_by: None, retry_after: Some(AGAIN) }
    }
}

/// The thread with the connection.
pub struct Broker {
    calls: Sender<Call>,
    /// Answers, in the order of the calls.
    pub answers: Receiver<Answer>,
    thread: JoinHandle<()>,
}

impl Broker {
    /// Starts the thread; it connects at the first call.
    pub fn start(config: &Config) -> Self {
        let (calls, to_make) = channel();
        let (given, answers) = channel();
        let mut http = Http {
            agent: ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into(),
            url: config.broker_url.clone(),
            token_file: config.broker_token_file.clone(),
            build: config.build.clone(),
            capacity: config.capacity,
            present: BTreeSet::new(),
        };
        let thread = std::thread::spawn(move || {
            for call in to_make {
                if given.send(http.make(call)).is_err() {
                    return;
                }
            }
        });
        Self { calls, answers, thread }
    }

    /// Asks; the answer comes by `answers`.
    pub fn ask(&self, call: Call) {
        // The thread ends only after us.
        let _ = self.calls.send(call);
    }

    /// Waits until everything asked is answered, and gives the answers that nobody has taken yet.
    pub fn finish(self) -> Vec<Answer> {
        drop(self.calls);
        let _ = self.thread.join();
        self.answers.try_iter().collect()
    }
}

struct Http {
    agent: ureq::Agent,
    url: String,
    token_file: PathBuf,
    build: String,
    capacity: usize,
    /// Sessions that are claimed and not released. Kept here and not by the game, so that a report never leaves out one whose claim was just answered.
    present: BTreeSet<String>,
}

impl Http {
    fn make(&mut self, call: Call) -> Answer {
        let answered = match &call {
            Call::Claim { session, claim_id } => self.claim(session, claim_id),
            Call::Report { accepting, acknowledged } => self.report(*accepting, acknowledged),
            Call::Save { session_id, epoch, sequence, state } => self
                .post(
                    "/v1/game/saves",
                    &json!({ "playSessionId": session_id, "epoch": epoch, "sequence": sequence, "state": BASE64_STANDARD.encode(state) }),
                )
                .map(|_| Answer::Saved { session_id: session_id.clone(), sequence: *sequence }),
            Call::Release { session_id, epoch, sequence, state, reason } => {
                let mut body = json!({ "playSessionId": session_id, "epoch": epoch, "sequence": sequence, "reason": reason });
                if let Some(state) = state {
                    body["state"] = BASE64_STANDARD.encode(state).into();
                }
                self.post("/v1/game/releases", &body).map(|_| Answer::Released(session_id.clone()))
            }
            Call::HandOver { request_id, content_type, session_id } => self
                .post(
                    "/v1/game/hand-overs",
                    &json!({ "requestId": request_id, "contentType": content_type, "playSessionIds": [session_id] }),
                )
                .and_then(|answer| {
                    let instance_id = answer["instanceId"].as_str().ok_or_else(|| Problem::unreachable("The answer has no instanceId."))?;
                    Ok(Answer::HandedOver { session_id: session_id.clone(), instance_id: instance_id.to_owned() })
                }),
        };
        let answer =
            answered.unwrap_or_else(|why| if why.retry_after.is_some() { Answer::Later(call, why) } else { Answer::Refused(call, why) });
        match &answer {
            Answer::Released(session_id) | Answer::Refused(Call::Release { session_id, .. }, _) => {
                self.present.remove(session_id);
            }
            Answer::Reported { dropped, .. } => {
                for session_id in dropped {
                    self.present.remove(session_id);
                }
            }
            _ => {}
        }
        answer
    }

    fn claim(&mut self, session: &UserData, claim_id: &str) -> Result<Answer, Problem> {
        let answer = self.post(
            "/v1/game/claims",
            &json!({ "playSessionId": session.session_id, "clientId": session.client_id.to_string(), "claimId": claim_id }),
        )?;
        let character = &answer["character"];
        let member = |name: &str| character[name].as_str().map(str::to_owned);
        let epoch = member("epoch").ok_or_else(|| Problem::unreachable("The claim's answer has no epoch."))?;
        let state = member("state").map(|state| BASE64_STANDARD.decode(state)).transpose().map_err(Problem::unreachable)?;
        self.present.insert(session.session_id.clone());
        Ok(Answer::Claimed { client_id: session.client_id, epoch, name: member("name").unwrap_or_default(), state })
    }

    fn report(&mut self, accepting: bool, acknowledged: &[String]) -> Result<Answer, Problem> {
        let answer = self.post(
            "/v1/game/reports",
            &json!({ "sessions": self.present, "players": self.present.len(), "capacity": self.capacity, "accepting": accepting,
                "build": self.build, "acknowledged": acknowledged }),
        )?;
        Ok(Answer::Reported {
            orders: answer["orders"].as_array().cloned().unwrap_or_default(),
            dropped: answer["dropped"].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        })
    }

    /// Sends JSON and reads JSON; a problem document (RFC 9457) is an error.
    fn post(&self, path: &str, body: &Value) -> Result<Value, Problem> {
        let token = std::fs::read_to_string(&self.token_file)
            .map_err(|error| Problem::unreachable(format!("MMO_BROKER_TOKEN_FILE {}: {error}", self.token_file.display())))?;
        let mut answer = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", token.trim()))
            .send_json(body)
            .map_err(Problem::unreachable)?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(Problem::unreachable)?;
        let document: Value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).map_err(Problem::unreachable)? };
        if status.is_success() {
            return Ok(document);
        }
        let member = |name: &str| document[name].as_str().map(str::to_owned);
        let blocked_by = &document["blockedBy"];
        // 401: the broker does not know this pod yet, or the token has just been exchanged.
        let passing = status.is_server_error() || matches!(status.as_u16(), 401 | 429);
        let retry_after = document["retryAfterSeconds"].as_f64().map(Duration::from_secs_f64).or(passing.then_some(AGAIN));
        Err(Problem {
            code: member("code").unwrap_or_else(|| status.to_string()),
            detail: member("detail").unwrap_or_default(),
            reason: member("reason"),
            blocked_by: blocked_by["playSessionId"]
                .as_str()
                .zip(blocked_by["serverId"].as_str())
                .map(|(session, server)| Box::new((session.to_owned(), server.to_owned()))),
            retry_after,
        })
    }
}
