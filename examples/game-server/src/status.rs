//! The status port and the metrics port (docs/game-server.md): HTTP for the kubelet, for Prometheus and for people.
//! It deliberately knows no player: it shows what the game's loop last wrote down, and hands it the order to announce.

use crate::config::{Config, Kind};
use crate::game::Event;
use crate::metrics::{Metrics, CONTENT_TYPE};
use axum::extract::{Query, State};
use axum::http::{header, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::Router;
use serde::Deserialize;
use serde_json::{json, Value};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The world is not there yet.
    Loading,
    /// Served.
    Running,
    /// Announced: nobody enters any more; who plays is served.
    Draining,
    /// The time is over: saving, then exit.
    Stopping,
}

impl Life {
    fn name(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
        }
    }
}

/// What the game's loop writes down.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub life: Life,
    /// Whether newcomers may enter.
    pub accepting: bool,
    /// Players who are in.
    pub players: usize,
    /// When the world was last saved, or loaded from.
    pub last_save: Option<SystemTime>,
    /// When the loop last went round; none before the first time.
    pub last_tick: Option<Instant>,
}

/// A loop that has stood for so long hangs: nothing but a restart helps.
const HUNG: Duration = Duration::from_secs(20);
/// What `/announce` may be asked for; longer than any grace period.
const LONGEST_ANNOUNCEMENT: u64 = 24 * 3600;

/// What the routes need.
#[derive(Clone)]
struct Page {
    config: Arc<Config>,
    status: watch::Receiver<Status>,
    events: Sender<Event>,
    started_at: SystemTime,
}

/// Serves both ports until the runtime ends.
///
/// # Errors
/// When a port is taken.
pub async fn serve(config: &Arc<Config>, status: watch::Receiver<Status>, events: Sender<Event>, metrics: Arc<Metrics>) -> io::Result<()> {
    let page = Page { config: config.clone(), status, events, started_at: SystemTime::now() };
    let routes = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/status", get(document))
        .route("/announce", get(announce))
        .with_state(page);
    let metrics_routes = Router::new().route("/metrics", get(|| async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text()) }));
    for (port, routes) in [(config.status_port, routes), (config.metrics_port, metrics_routes)] {
        let address = SocketAddr::new(config.bind, port);
        let listener = TcpListener::bind(address).await.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    Ok(())
}

async fn alive(State(page): State<Page>) -> (StatusCode, &'static str) {
    let hangs = page.status.borrow().last_tick.is_some_and(|tick| tick.elapsed() > HUNG);
    if hangs {
        (StatusCode::SERVICE_UNAVAILABLE, "the game's loop hangs\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

/// Ready means that connected players are served: also while the server is full, draining or stopping.
async fn ready(State(page): State<Page>) -> (StatusCode, &'static str) {
    if page.status.borrow().life == Life::Loading {
        (StatusCode::SERVICE_UNAVAILABLE, "loading\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn document(State(page): State<Page>) -> impl IntoResponse {
    let status = page.status.borrow().clone();
    ([(header::CONTENT_TYPE, "application/json")], describe(&page.config, &status, page.started_at).to_string())
}

fn describe(config: &Config, status: &Status, started_at: SystemTime) -> Value {
    let time = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string();
    let mut document = json!({
        "state": status.life.name(), "accepting": status.accepting, "players": status.players, "capacity": config.capacity, "build": config.build,
        "protocolId": format!("0x{:016x}", config.protocol_id), "netcodeKeyGeneration": config.key_generation, "startedAt": time(started_at),
    });
    match &config.kind {
        Kind::World { realm, continent, .. } => {
            document["kind"] = "world".into();
            document["realm"] = realm.as_str().into();
            document["continent"] = continent.as_str().into();
            document["lastSaveAt"] = status.last_save.map(time).into();
        }
        Kind::Instance { content_type, .. } => {
            document["kind"] = "instance".into();
            document["contentType"] = content_type.as_str().into();
        }
    }
    document
}

#[derive(Deserialize)]
struct Announcement {
    seconds: u64,
}

/// Answers when the time is over, or nobody is left: the kubelet sends SIGTERM right afterwards.
async fn announce(State(page): State<Page>, query: Option<Query<Announcement>>) -> (StatusCode, &'static str) {
    let Some(Query(Announcement { seconds })) = query.filter(|query| query.seconds <= LONGEST_ANNOUNCEMENT) else {
        return (StatusCode::BAD_REQUEST, "say /announce?seconds=N\n");
    };
    let after = Duration::from_secs(seconds);
    if page.events.send(Event::Announce(after)).is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the game has ended\n");
    }
    let mut status = page.status.clone();
    // The loop says `stopping` when it has been told, and the time is over or nobody is left. A loop that hangs must not hold up the end.
    let over = status.wait_for(|status| status.life == Life::Stopping);
    let _ = tokio::time::timeout(after + Duration::from_secs(1), over).await;
    (StatusCode::OK, "announced\n")
}
