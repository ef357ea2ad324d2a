//! An instance's life as Agones sees it, through Agones' own crate: health, Ready, allocation, the label that lets players in, Shutdown.
//! It deliberately decides nothing: allocations go to the game as events, and the game says what Agones is told.

use crate::game::{AgonesCall, Event};
use crate::log::tell;
use agones::{beta::Beta, Sdk};
use serde_json::json;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

/// The broker's label with the id of the instance; it comes with the allocation.
const INSTANCE_LABEL: &str = "mmo/instance";
/// The broker's label with how hard the instance is to be, where its content type has several kinds.
const DIFFICULTY_LABEL: &str = "mmo/difficulty";
/// Agones' label of servers of an old build, and of those above the wanted number.
const DRAINING_LABEL: &str = "mmo/draining";
/// Agones puts `agones.dev/sdk-` before it.
const READY_LABEL: &str = "session-ready";
const ROOMS: &str = "rooms";
const PLAYERS: &str = "players";
/// Agones waits 30 s for the first and allows 15 s of silence then.
const HEALTH_EVERY: Duration = Duration::from_secs(2);
const TRIES: u32 = 5;

/// Starts to live as a GameServer: connects to the sidecar, says that the process is well from now on, and watches.
///
/// # Errors
/// When there is no sidecar.
pub async fn start(events: Sender<Event>, rooms: u32) -> Result<UnboundedSender<AgonesCall>, String> {
    let sdk = Sdk::new(None, None)
        .await
        .map_err(|error| format!("Agones' SDK server does not answer on port {}: {error}. On a laptop start one (README.md).", port()))?;
    let (calls, to_make) = unbounded_channel();
    tokio::spawn(say_that_we_are_well(sdk.clone(), events.clone()));
    tokio::spawn(watch(sdk.clone(), events.clone()));
    tokio::spawn(make(sdk, to_make, events, rooms));
    Ok(calls)
}

fn port() -> String {
    std::env::var("AGONES_SDK_GRPC_PORT").unwrap_or_else(|_| "9357".into())
}

async fn say_that_we_are_well(sdk: Sdk, events: Sender<Event>) {
    let mut lost = 0;
    loop {
        // The stream ends with the sidecar; another one is opened then.
        let health = sdk.health_check();
        while health.send(()).await.is_ok() {
            lost = 0;
            tokio::time::sleep(HEALTH_EVERY).await;
        }
        lost += 1;
        if lost > TRIES {
            let _ = events.send(Event::AgonesLost("The health check's stream ends at once, again and again.".into()));
            return;
        }
        tokio::time::sleep(HEALTH_EVERY).await;
    }
}

/// Tells the game what changes at its own GameServer. The stream begins with the present state, so that nothing is missed when it has to be opened again.
async fn watch(mut sdk: Sdk, events: Sender<Event>) {
    loop {
        match sdk.watch_gameserver().await {
            Ok(mut stream) => {
                while let Ok(Some(server)) = stream.message().await {
                    let labels = server.object_meta.map(|meta| meta.labels).unwrap_or_default();
                    let state = server.status.map(|status| status.state).unwrap_or_default();
                    let gone = match labels.get(INSTANCE_LABEL).filter(|_| state == "Allocated") {
                        Some(id) => {
                            let difficulty = labels.get(DIFFICULTY_LABEL).cloned();
                            events.send(Event::Allocated { instance: id.clone(), difficulty }).is_err()
                        }
                        None => false,
                    };
                    if gone || (labels.contains_key(DRAINING_LABEL) && events.send(Event::Overflow).is_err()) {
                        return;
                    }
                }
            }
            Err(error) => tell("warn", "the GameServer cannot be watched", json!({ "why": error.to_string() })),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Makes the game's calls in their order. One that fails is made again: what is said of players and rooms would be wrong for good otherwise.
async fn make(mut sdk: Sdk, mut calls: UnboundedReceiver<AgonesCall>, events: Sender<Event>, rooms: u32) {
    while let Some(call) = calls.recv().await {
        for attempt in 1..=TRIES {
            let Err(error) = make_one(&mut sdk, &call, rooms).await else { break };
            tell(
                "warn",
                "Agones did not take a call",
                json!({ "call": format!("{call:?}"), "attempt": attempt, "why": error.to_string() }),
            );
            if attempt == TRIES && matches!(call, AgonesCall::Ready | AgonesCall::SessionReady(_)) {
                let _ = events.send(Event::AgonesLost(format!("{call:?} was not taken: {error}.")));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if call == AgonesCall::Shutdown {
            let _ = events.send(Event::ShutDown);
        }
    }
}

async fn make_one(sdk: &mut Sdk, call: &AgonesCall, rooms: u32) -> agones::errors::Result<()> {
    let mut beta = sdk.beta().clone();
    match call {
        AgonesCall::Ready => sdk.ready().await,
        AgonesCall::SessionReady(id) => sdk.set_label(READY_LABEL, id).await,
        AgonesCall::RoomsTaken => {
            beta.set_counter_count(ROOMS, rooms.into()).await?;
            keep_full(&mut beta, 0).await
        }
        // Repeated after a lost answer, an account that is there already is no mistake.
        AgonesCall::Joined(account) if beta.list_contains(PLAYERS, account).await? => Ok(()),
        AgonesCall::Joined(account) => {
            keep_full(&mut beta, 1).await?;
            beta.append_list_value(PLAYERS, account).await
        }
        AgonesCall::Left(account) => {
            if beta.list_contains(PLAYERS, account).await? {
                beta.delete_list_value(PLAYERS, account).await?;
            }
            keep_full(&mut beta, 0).await
        }
        AgonesCall::Shutdown => sdk.shutdown().await,
    }
}

/// Sets the List's capacity to its length and what is about to come: an allocated server has no place for strangers, and an autoscaler of policy `list` counts places.
async fn keep_full(beta: &mut Beta, coming: i64) -> agones::errors::Result<()> {
    let length = i64::try_from(beta.get_list_length(PLAYERS).await?).unwrap_or(i64::MAX - 1);
    beta.set_list_capacity(PLAYERS, length + coming).await
}
