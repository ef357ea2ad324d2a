//! The game server's calls to the broker: claim, report, release. A thread makes them, one after the other, so that the game's loop never waits
//! for the network and a report never overtakes the claim or release before it.
//! It deliberately decides nothing about players; answers go to the game.

use crate::environment::Environment;
use crate::user_data::UserData;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::{json, Value};
use std::path::PathBuf;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

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
    /// What a server tells every 5 s.
    Report {
        /// Ids of all sessions that are claimed and not released.
        sessions: Vec<String>,
        /// Whether newcomers are welcome.
        accepting: bool,
        /// Ids of orders that have come.
        acknowledged: Vec<String>,
    },
    /// The player has left; here is his character.
    Release {
        /// The session's id.
        session_id: String,
        /// The epoch of the claim: whoever holds an older one writes nothing.
        epoch: String,
        /// The number of this write among those of its session, each higher than those before: an older one that comes late is refused.
        sequence: u64,
        /// What the game wants to find at the next claim; at most 64 KiB.
        state: Vec<u8>,
        /// `logged-out` frees the place at once, `disconnected` keeps it for 300 s.
        reason: &'static str,
    },
}

/// What came back.
pub enum Answer {
    /// The session may enter.
    Claimed {
        /// Whose it is.
        client_id: u64,
        /// To be named by the release.
        epoch: String,
        /// What the last release stored; none for a new character.
        state: Option<Vec<u8>>,
    },
    /// The report was taken.
    Reported {
        /// Orders; each comes again until it is acknowledged.
        orders: Vec<Value>,
        /// Sessions that were named and are not this server's any more.
        dropped: Vec<String>,
    },
    /// The state is stored and the character free.
    Released(String),
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
    /// The `reason` of a refused claim.
    pub reason: Option<String>,
    /// The session that a claim waits for, and its server.
    pub blocked_by: Option<Box<(String, String)>>,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    fn unreachable(detail: impl std::fmt::Display) -> Self {
        Self {
            code: "unreachable".into(),
            detail: detail.to_string(),
            reason: None,
            blocked_by: None,
            retry_after: Some(Duration::from_secs(2)),
        }
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
    pub fn start(environment: &Environment) -> Self {
        let (calls, to_make) = channel();
        let (given, answers) = channel();
        let http = Http {
            agent: ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(10))).build().into(),
            url: environment.broker_url.clone(),
            token_file: environment.broker_token_file.clone(),
            build: environment.build.clone(),
            capacity: environment.capacity,
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
}

impl Http {
    fn make(&self, call: Call) -> Answer {
        let answered = match &call {
            Call::Claim { session, claim_id } => self
                .post(
                    "/v1/game/claims",
                    &json!({ "playSessionId": session.session_id, "clientId": session.client_id.to_string(), "claimId": claim_id }),
                )
                .and_then(|answer| read_claim(session.client_id, &answer)),
            Call::Report { sessions, accepting, acknowledged } => self
                .post(
                    "/v1/game/reports",
                    &json!({ "sessions": sessions, "players": sessions.len(), "capacity": self.capacity, "accepting": accepting, "build": self.build,
                        "acknowledged": acknowledged }),
                )
                .map(|answer| Answer::Reported {
                    orders: answer["orders"].as_array().cloned().unwrap_or_default(),
                    dropped: answer["dropped"].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
                }),
            Call::Release { session_id, epoch, sequence, state, reason } => self
                .post(
                    "/v1/game/releases",
                    &json!({ "playSessionId": session_id, "epoch": epoch, "sequence": sequence, "state": BASE64_STANDARD.encode(state), "reason": reason }),
                )
                .map(|_| Answer::Released(session_id.clone())),
        };
        answered.unwrap_or_else(|why| if why.retry_after.is_some() { Answer::Later(call, why) } else { Answer::Refused(call, why) })
    }

    /// Sends JSON and reads JSON; a problem document (RFC 9457) is an error.
    fn post(&self, path: &str, body: &Value) -> Result<Value, Problem> {
        let token = std::fs::read_to_string(&self.token_file).map_err(Problem::unreachable)?;
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
        let retry_after = document["retryAfterSeconds"].as_f64().or(status.is_server_error().then_some(2.0));
        Err(Problem {
            code: member("code").unwrap_or_else(|| status.to_string()),
            detail: member("detail").unwrap_or_default(),
            reason: member("reason"),
            blocked_by: blocked_by["playSessionId"]
                .as_str()
                .zip(blocked_by["serverId"].as_str())
                .map(|(session, server)| Box::new((session.to_owned(), server.to_owned()))),
            retry_after: retry_after.map(Duration::from_secs_f64),
        })
    }
}

fn read_claim(client_id: u64, answer: &Value) -> Result<Answer, Problem> {
    let character = &answer["character"];
    let epoch = character["epoch"].as_str().ok_or_else(|| Problem::unreachable("The claim's answer has no epoch."))?.to_owned();
    let state = character["state"].as_str().map(|state| BASE64_STANDARD.decode(state)).transpose().map_err(Problem::unreachable)?;
    Ok(Answer::Claimed { client_id, epoch, state })
}
