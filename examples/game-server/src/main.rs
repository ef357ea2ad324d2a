//! The game server's process: starts the parts in their order, goes round 30 times a second, and ends with the contract's exit codes.
//! It deliberately holds no rules: game.rs does.

use game_server::agones;
use game_server::broker::Broker;
use game_server::config::{Config, Kind};
use game_server::game::{Action, AgonesCall, End, Event, Game};
use game_server::log::{begin, tell};
use game_server::metrics::Metrics;
use game_server::net::Port;
use game_server::status::{self, Life, Status};
use game_server::world::{look, LoadError, Loaded, Saver, Store, World};
use renet::{DefaultChannel, ServerEvent};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// 30 a second.
const TICK: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// The contract asks for 60 at most.
const AUTOSAVE_SECONDS: u64 = 30;

const HELP: &str = "game-server [verify FOLDER]

With 'verify' it says which save of a world's folder would be loaded, and touches nothing: for a backup, before it is needed. Otherwise it is
a server of a persistent world or of an instance (MMO_KIND). All settings are variables: docs/game-server.md. Without any it is aurora/eldermoor of the
laptop's broker (npm run broker).
  AUTOSAVE_SECONDS  seconds between two saves, 1 to 60 [30]
  BIND_ADDRESS      address of all sockets, where pods are processes of one machine [all; on a laptop POD_IP]
  LOG_DEBUG=1       tell more, and what the netcode crates say of every packet that they refuse";

/// Why the process ends before its time.
enum Failure {
    /// Exit code 1.
    Broken(String),
    /// Exit code 2.
    CannotStart(String),
    /// Exit code 3.
    WorldUnreadable(Vec<String>),
}

fn main() -> ExitCode {
    begin(std::env::var("LOG_DEBUG").is_ok());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let end = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(),
        ["verify", folder] => verify(Path::new(folder)),
        ["--help"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => Err(Failure::CannotStart(format!("There is no argument '{}'. --help says which.", arguments.join(" ")))),
    };
    let (code, why) = match end {
        Ok(End::Good) => (0, None),
        Ok(End::Incomplete(what)) => (1, Some(format!("The time to stop was over: {what}."))),
        Err(Failure::Broken(why)) => (1, Some(why)),
        Err(Failure::CannotStart(why)) => (2, Some(why)),
        Err(Failure::WorldUnreadable(saves)) => {
            (3, Some(format!("There are saves and none verifies; no new world begins. {}", saves.join("; "))))
        }
    };
    match why {
        None => tell("info", "stopped", json!({})),
        Some(why) => tell("error", "stopped", json!({ "why": why, "code": code })),
    }
    ExitCode::from(code)
}

fn run() -> Result<End, Failure> {
    let config = Arc::new(Config::from_environment().map_err(Failure::CannotStart)?);
    let save_every = autosave()?;
    let is_world = matches!(config.kind, Kind::World { .. });
    tell("info", "starting", json!({ "server": config.title(), "build": config.build, "keyGeneration": config.key_generation }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Broken(format!("Threads cannot be started: {error}.")))?;
    let (events, happened) = channel();
    let metrics = Arc::new(Metrics::new(is_world));
    metrics.capacity.set(i64::try_from(config.capacity).unwrap_or(i64::MAX));
    let nothing = Status { life: Life::Loading, accepting: false, players: 0, last_save: None, last_tick: None };
    let (status, shown) = watch::channel(nothing);

    // First of all, so that a stop while loading is heard, and `/healthz` answers.
    listen_to_signals(&runtime, &events)?;
    runtime
        .block_on(status::serve(&config, shown, events.clone(), metrics.clone()))
        .map_err(|error| Failure::CannotStart(format!("The status and metrics ports cannot be bound: {error}.")))?;

    let agones = match config.kind {
        Kind::World { .. } => None,
        Kind::Instance { rooms, .. } => Some(runtime.block_on(agones::start(events.clone(), rooms)).map_err(Failure::Broken)?),
    };
    let (saver, loaded) = match &config.kind {
        Kind::World { directory, .. } => {
            let store = Store::open(directory).map_err(cannot_load)?;
            let loaded = store.load().map_err(cannot_load)?;
            (Some(Saver::start(store, loaded.next_generation)), loaded)
        }
        Kind::Instance { .. } => {
            let world = World::default();
            (None, Loaded { world, generation: None, saved_at: None, next_generation: 1, broken: Vec::new() })
        }
    };
    for save in &loaded.broken {
        tell("error", "a save does not verify", json!({ "save": save }));
    }
    if is_world {
        tell("info", "world loaded", json!({ "generation": loaded.generation, "ageSeconds": loaded.world.age_seconds }));
    }
    // Bound before Agones hears of Ready, and before anybody is told that the world is ready.
    let port = Port::bind(&config).map_err(|error| {
        Failure::CannotStart(format!("The game port {} of {} cannot be bound: {error}.", config.address.port(), config.bind))
    })?;
    let game = Game::new(&config, loaded.world, loaded.saved_at, save_every, Instant::now());
    let broker = Broker::start(&config);
    let server = Server { game, port, broker, saver, agones, status, metrics, happened };
    // Whoever reads that it serves finds a status document of the loaded world.
    server.show(Instant::now());
    tell("info", "serving", json!({ "server": config.title(), "port": config.address.port(), "capacity": config.capacity }));
    server.run()
}

/// Says what a server would load from a folder.
fn verify(folder: &Path) -> Result<End, Failure> {
    let Loaded { world, generation, saved_at, broken, .. } = look(folder).map_err(cannot_load)?;
    let Some(generation) = generation else { return Err(Failure::Broken(format!("There is no save in {}.", folder.display()))) };
    let saved_at = saved_at.map(|at| humantime::format_rfc3339_seconds(at).to_string());
    tell("info", "verified", json!({ "generation": generation, "savedAt": saved_at, "ageSeconds": world.age_seconds, "broken": broken }));
    Ok(End::Good)
}

fn autosave() -> Result<Duration, Failure> {
    let text = std::env::var("AUTOSAVE_SECONDS").unwrap_or_else(|_| AUTOSAVE_SECONDS.to_string());
    match text.parse() {
        Ok(seconds @ 1..=60) => Ok(Duration::from_secs(seconds)),
        _ => Err(Failure::CannotStart(format!("AUTOSAVE_SECONDS is '{text}'; it must be a number from 1 to 60."))),
    }
}

fn cannot_load(error: LoadError) -> Failure {
    match error {
        LoadError::Folder(why) => Failure::CannotStart(why),
        LoadError::NoneVerifies(saves) => Failure::WorldUnreadable(saves),
    }
}

/// SIGTERM is the platform's order, Ctrl+C a laptop's.
fn listen_to_signals(runtime: &tokio::runtime::Runtime, events: &Sender<Event>) -> Result<(), Failure> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let _inside = runtime.enter();
        let mut heard = signal(kind).map_err(|error| Failure::Broken(format!("Signals cannot be heard: {error}.")))?;
        let events = events.clone();
        runtime.spawn(async move { while heard.recv().await.is_some() && events.send(Event::Stop).is_ok() {} });
    }
    Ok(())
}

struct Server {
    game: Game,
    port: Port,
    broker: Broker,
    saver: Option<Saver>,
    agones: Option<UnboundedSender<AgonesCall>>,
    status: watch::Sender<Status>,
    metrics: Arc<Metrics>,
    happened: Receiver<Event>,
}

impl Server {
    fn run(mut self) -> Result<End, Failure> {
        let mut before = Instant::now();
        let end = loop {
            let begin = Instant::now();
            self.round(begin, begin - before)?;
            before = begin;
            if let Some(end) = self.game.end(begin) {
                break end;
            }
            let spent = begin.elapsed();
            self.metrics.tick_duration.observe(spent.as_secs_f64());
            std::thread::sleep(TICK.saturating_sub(spent));
        };
        self.port.disconnect_all();
        if end == End::Good {
            // Both threads have nothing left to do. When the time was over they may hang, and go with the process.
            self.broker.finish();
            if let Some(saver) = self.saver {
                saver.finish();
            }
        }
        Ok(end)
    }

    fn round(&mut self, now: Instant, passed: Duration) -> Result<(), Failure> {
        let Self { game, port, broker, saver, .. } = self;
        port.receive(passed, &self.metrics).map_err(|error| Failure::Broken(format!("The game port fails: {error}.")))?;
        while let Some(event) = port.server.get_event() {
            match event {
                ServerEvent::ClientConnected { client_id } => game.connected(client_id, port.user_data(client_id).as_ref()),
                ServerEvent::ClientDisconnected { client_id, .. } => game.disconnected(client_id),
            }
        }
        for client_id in port.server.clients_id() {
            for channel in [DefaultChannel::ReliableOrdered, DefaultChannel::Unreliable].map(u8::from) {
                // Before the claim is answered, and after the player has left, nothing is read.
                while game.plays(client_id) {
                    let Some(message) = port.server.receive_message(client_id, channel) else { break };
                    game.message(client_id, &message);
                }
            }
        }
        while let Ok(answer) = broker.answers.try_recv() {
            game.answered(answer, now);
        }
        while let Ok(event) = self.happened.try_recv() {
            game.happened(event, now);
        }
        if let Some(saver) = saver {
            while let Ok(saved) = saver.results.try_recv() {
                game.saved(&saved);
            }
        }
        game.tick(now);
        self.act();
        self.show(now);
        Ok(())
    }

    fn act(&mut self) {
        let mut leaving = Vec::new();
        for action in self.game.take_actions() {
            match action {
                Action::Say(client_id, word) => {
                    self.port.server.send_message(client_id, DefaultChannel::ReliableOrdered, json!(word).to_string());
                }
                Action::Pong(client_id, word) => {
                    self.port.server.send_message(client_id, DefaultChannel::Unreliable, json!(word).to_string())
                }
                Action::Disconnect(client_id) => leaving.push(client_id),
                Action::Ask(call) => self.broker.ask(call),
                Action::SaveWorld => {
                    if let Some(saver) = &mut self.saver {
                        saver.save(&self.game.world);
                    }
                }
                Action::Agones(call) => {
                    if let Some(agones) = &self.agones {
                        // Its task ends with the process.
                        let _ = agones.send(call);
                    }
                }
            }
        }
        self.port.send();
        // After the goodbye has been sent; the connection ends with the next round.
        for client_id in leaving {
            self.port.server.disconnect(client_id);
        }
    }

    fn show(&self, now: Instant) {
        let Self { game, metrics, .. } = self;
        metrics.players.set(i64::try_from(game.players()).unwrap_or(i64::MAX));
        let last_save = game.last_save();
        metrics.last_save.set(last_save.map_or(0.0, seconds_of));
        self.status.send_modify(|status| {
            *status = Status { life: game.life(), accepting: game.accepting(), players: game.players(), last_save, last_tick: Some(now) };
        });
    }
}

fn seconds_of(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
