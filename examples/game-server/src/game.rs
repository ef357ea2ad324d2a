//! The rules of a server: who may play, what they may do, when it warns them, saves and ends. A machine without threads or sockets: it is told what
//! happened and what time it is, and answers with actions, which main.rs carries out.
//! It deliberately is a small game. What it shows is the order of things: claim before play, save before "you have it", announce before the end.

use crate::broker::{Answer, Call, Problem};
use crate::config::{Config, Kind};
use crate::drain::Drain;
use crate::log::tell;
use crate::messages::{Character, Item, Wish, Word};
use crate::status::Life;
use crate::user_data::{read_user_data, uuid, UserData, USER_DATA_BYTES};
use crate::world::{Saved, Tree, World};
use serde_json::{json, Value};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

/// Between two reports. The broker takes a server that has been silent for 15 s to be gone.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// An instance that nobody enters, or whose last player lost the connection, ends after this.
const EMPTY: Duration = Duration::from_secs(120);
/// How long players of an instance are warned before its longest life is over; the broker deletes the server two minutes after that.
const INSTANCE_WARNING: Duration = Duration::from_secs(60);
/// Between two attempts of the last save.
const SAVE_AGAIN: Duration = Duration::from_secs(1);
/// The state of a character may have 64 KiB.
const MOST_ITEMS: usize = 300;
const MOST_TREES_SEEN: usize = 100;
const LONGEST_CHAT: usize = 200;
const THINGS: [&str; 8] =
    ["a lantern", "a silver key", "a torn map", "an amber ring", "a raven's feather", "a glass marble", "an old coin", "a flute of bone"];

/// What happens outside of the game.
#[derive(Debug)]
pub enum Event {
    /// Warn players for so long, and take no newcomers: the kubelet's preStop.
    Announce(Duration),
    /// Stop: SIGTERM.
    Stop,
    /// Agones: this server was allocated.
    Allocated {
        /// For which instance.
        instance: String,
        /// How hard it is to be, where the content type has several kinds.
        difficulty: Option<String>,
    },
    /// Agones: it belongs to an old build, or is one too many.
    Overflow,
    /// Agones: `Shutdown` was taken.
    ShutDown,
    /// Agones cannot be reached: a sentence.
    AgonesLost(String),
}

/// What is to be done outside of it.
#[derive(Debug)]
pub enum Action {
    /// Say this to a connection, and make sure that it arrives.
    Say(u64, Word),
    /// Answer a ping, which may get lost.
    Pong(u64, Word),
    /// End a connection, when what was said before is sent.
    Disconnect(u64),
    /// Ask the broker.
    Ask(Call),
    /// Save the world as it is now.
    SaveWorld,
    /// Tell Agones.
    Agones(AgonesCall),
}

/// What Agones is told.
#[derive(Debug, PartialEq, Eq)]
pub enum AgonesCall {
    /// Players may be sent, as soon as somebody allocates this server.
    Ready,
    /// Players of this instance may enter.
    SessionReady(String),
    /// All rooms are taken.
    RoomsTaken,
    /// An account is here.
    Joined(String),
    /// And has left.
    Left(String),
    /// The server may be deleted.
    Shutdown,
}

struct Player {
    session: UserData,
    /// Epoch and name by the claim; none until the broker has answered. Only then the player plays.
    claim: Option<(String, String)>,
    character: Character,
    /// Number of the next save or of the release.
    sequence: u64,
    /// Found, and told when the save of that number is stored.
    untold: Vec<(u64, Item)>,
    /// Why the session will be released.
    leaves: &'static str,
    /// The connection has ended while the claim is under way: it is released as soon as it is answered.
    gone: bool,
}

struct Instance {
    /// What Agones said; none until it is allocated.
    id: Option<String>,
    allocated_at: Option<Instant>,
    difficulty: Option<String>,
    lifetime: Duration,
    /// Since when nobody is here.
    empty_since: Option<Instant>,
    /// The last one who left did not just lose the connection.
    left_for_good: bool,
    shutdown_asked: bool,
    shut_down: bool,
}

/// How a server has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// As ordered, and all is stored.
    Good,
    /// The time was over before all was stored: what is missing.
    Incomplete(String),
}

/// The state of a server.
pub struct Game {
    title: String,
    /// The world; that of an instance goes with it.
    pub world: World,
    is_world: bool,
    instance: Option<Instance>,
    /// How long the end may take.
    end_within: Duration,
    save_every: Duration,
    /// By client id.
    players: HashMap<u64, Player>,
    life: Life,
    accepting: bool,
    drain: Option<Drain>,
    next_report: Instant,
    report_under_way: bool,
    next_save: Instant,
    /// When the last save began or the world was loaded; none: a new world, never saved.
    last_save: Option<SystemTime>,
    saves_under_way: usize,
    /// The last save of all is on the disk.
    saved_for_good: bool,
    last_saved_well: bool,
    /// Orders that were carried out; each comes again until a report has acknowledged it.
    orders: HashSet<String>,
    /// Calls that the broker could not answer yet, and when to make them again.
    later: Vec<(Instant, Call)>,
    /// Asked and not answered.
    asked: usize,
    /// The last call found no broker, or one without its database.
    broker_away: bool,
    ends_at: Option<Instant>,
    before: Instant,
    actions: Vec<Action>,
}

impl Game {
    /// A server whose world is loaded: the first report and the first save are due at once.
    pub fn new(config: &Config, world: World, last_save: Option<SystemTime>, save_every: Duration, now: Instant) -> Self {
        let (instance, end_within) = match &config.kind {
            Kind::World { save, .. } => (None, *save),
            Kind::Instance { lifetime, .. } => {
                let instance = Instance {
                    id: None,
                    allocated_at: None,
                    difficulty: None,
                    lifetime: *lifetime,
                    empty_since: None,
                    left_for_good: false,
                    shutdown_asked: false,
                    shut_down: false,
                };
                // Some of the grace period is Agones' and the process's own.
                (Some(instance), config.grace.saturating_sub(Duration::from_secs(5)).max(Duration::from_secs(2)))
            }
        };
        let mut game = Self {
            title: config.title(),
            world,
            is_world: instance.is_none(),
            instance,
            end_within,
            save_every,
            players: HashMap::new(),
            life: Life::Running,
            accepting: true,
            drain: None,
            next_report: now,
            report_under_way: false,
            next_save: now,
            last_save,
            saves_under_way: 0,
            saved_for_good: false,
            last_saved_well: true,
            orders: HashSet::new(),
            later: Vec::new(),
            asked: 0,
            broker_away: false,
            ends_at: None,
            before: now,
            actions: Vec::new(),
        };
        if game.instance.is_some() {
            game.actions.push(Action::Agones(AgonesCall::Ready));
        }
        game
    }

    /// Where it is in its life.
    pub fn life(&self) -> Life {
        self.life
    }

    /// Whether newcomers may enter.
    pub fn accepting(&self) -> bool {
        self.accepting
    }

    /// Players who are in.
    pub fn players(&self) -> usize {
        self.players.values().filter(|player| player.claim.is_some()).count()
    }

    /// When the world was last saved, or loaded from.
    pub fn last_save(&self) -> Option<SystemTime> {
        self.last_save
    }

    /// Everything that is to be done since the last time.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    fn ask(&mut self, call: Call) {
        self.asked += 1;
        self.actions.push(Action::Ask(call));
    }

    // ——— connections ———

    /// A netcode connection stands. Nobody plays yet: the session is read from the token and claimed.
    pub fn connected(&mut self, client_id: u64, user_data: Option<&[u8; USER_DATA_BYTES]>) {
        let read = user_data.ok_or_else(|| "The connection has no user data.".to_owned()).and_then(|data| read_user_data(data, client_id));
        let session = match read {
            Ok(session) if self.players.contains_key(&client_id) => {
                // The same token again, from the same socket, while its first claim is still under way.
                return self.refuse(&session.client_id, "The client id is here already.");
            }
            Ok(session) => session,
            Err(why) => return self.refuse(&client_id, &why),
        };
        if self.life == Life::Stopping {
            return self.refuse(&client_id, "The server stops.");
        }
        tell(
            "info",
            "connected",
            json!({ "clientId": client_id.to_string(), "characterId": session.character_id, "sessionId": session.session_id }),
        );
        self.ask(Call::Claim { session: session.clone(), claim_id: new_uuid() });
        let player = Player {
            session,
            claim: None,
            character: Character::default(),
            sequence: 0,
            untold: Vec::new(),
            leaves: "disconnected",
            gone: false,
        };
        self.players.insert(client_id, player);
    }

    fn refuse(&mut self, client_id: &u64, why: &str) {
        tell("warn", "refused", json!({ "clientId": client_id.to_string(), "why": why }));
        self.actions.push(Action::Disconnect(*client_id));
    }

    /// Whether the session of a connection is claimed; only then its messages are read.
    pub fn plays(&self, client_id: u64) -> bool {
        self.players.get(&client_id).is_some_and(|player| player.claim.is_some() && !player.gone)
    }

    /// A connection has ended, whoever ended it: the session is released with the character's state.
    pub fn disconnected(&mut self, client_id: u64) {
        let Some(player) = self.players.get_mut(&client_id) else { return };
        tell("info", "disconnected", json!({ "clientId": client_id.to_string() }));
        if player.claim.is_some() {
            self.release(client_id, true);
        } else {
            player.gone = true;
        }
    }

    /// @param with_state false for a character that could not be read: what is stored stays
    fn release(&mut self, client_id: u64, with_state: bool) {
        let Some(player) = self.players.remove(&client_id) else { return };
        let Some((epoch, _)) = player.claim else { return };
        self.left(&player.session, player.leaves != "disconnected");
        let state = with_state.then(|| player.character.write());
        self.ask(Call::Release { session_id: player.session.session_id, epoch, sequence: player.sequence, state, reason: player.leaves });
    }

    /// Somebody is not here any more, whether or not he is released.
    fn left(&mut self, session: &UserData, for_good: bool) {
        if let Some(instance) = &mut self.instance {
            instance.left_for_good = for_good;
            self.actions.push(Action::Agones(AgonesCall::Left(session.account_id.clone())));
        }
    }

    fn client_of(&self, session_id: &str) -> Option<u64> {
        self.players.iter().find(|(_, player)| player.session.session_id == session_id).map(|(&client_id, _)| client_id)
    }

    // ——— play ———

    /// A message of somebody who plays.
    pub fn message(&mut self, client_id: u64, message: &[u8]) {
        let Some(player) = self.players.get_mut(&client_id) else { return };
        let Some((_, name)) = player.claim.clone() else { return };
        let character_id = player.session.character_id.clone();
        let position = self.world.positions.get(&character_id).copied().unwrap_or_default();
        let wish = match serde_json::from_slice::<Wish>(message) {
            Ok(wish) => wish,
            Err(error) => return self.say(client_id, Word::Refused { why: format!("That is no wish: {error}.") }),
        };
        match wish {
            Wish::Ping { n } => self.actions.push(Action::Pong(client_id, Word::Pong { n })),
            Wish::Find => self.find(client_id),
            Wish::Plant => {
                let tree = Tree { id: new_uuid(), planted_by: name, at_age: self.world.age_seconds, position };
                self.say(client_id, Word::Planted { tree: tree.id.clone() });
                self.world.trees.push(tree);
            }
            Wish::Look => {
                let items = player.character.items.clone();
                let trees = self.world.trees.iter().rev().take(MOST_TREES_SEEN).map(|tree| tree.id.clone()).collect();
                let seen = Word::Seen { age_seconds: self.world.age_seconds, trees, players: self.players(), items, position };
                self.say(client_id, seen);
            }
            Wish::Move { x, y } if x.is_finite() && y.is_finite() => {
                self.world.positions.insert(character_id, [x, y]);
            }
            Wish::Move { .. } => self.say(client_id, Word::Refused { why: "There is no such place.".into() }),
            Wish::Say { text } => {
                let text: String = text.chars().filter(|each| !each.is_control()).take(LONGEST_CHAT).collect();
                self.tell_everybody(&Word::Chat { from: name, text });
            }
            Wish::Enter { content } if self.is_world => {
                let session_id = player.session.session_id.clone();
                self.ask(Call::HandOver { request_id: new_uuid(), content_type: content, session_id });
            }
            Wish::Enter { .. } => self.say(client_id, Word::Refused { why: "One enters from a world.".into() }),
            Wish::Go => self.leave(client_id, "handed-over"),
            Wish::Leave => self.leave(client_id, "logged-out"),
        }
    }

    /// The character is saved first, and the player hears of it when it is stored: what he was told he has, he has, whatever happens to this server.
    fn find(&mut self, client_id: u64) {
        let Some(player) = self.players.get_mut(&client_id) else { return };
        if player.character.items.len() >= MOST_ITEMS {
            return self.say(client_id, Word::Refused { why: format!("Nobody can carry more than {MOST_ITEMS} things.") });
        }
        let name = THINGS[usize::try_from(self.world.found).unwrap_or_default() % THINGS.len()];
        self.world.found += 1;
        let item = Item { id: new_uuid(), name: name.into(), from: self.title.clone() };
        player.character.items.push(item.clone());
        let sequence = player.sequence;
        player.sequence += 1;
        player.untold.push((sequence, item));
        let Some((epoch, _)) = player.claim.clone() else { return };
        let (session_id, state) = (player.session.session_id.clone(), player.character.write());
        self.ask(Call::Save { session_id, epoch, sequence, state });
    }

    fn leave(&mut self, client_id: u64, reason: &'static str) {
        if let Some(player) = self.players.get_mut(&client_id) {
            player.leaves = reason;
        }
        // The release does not wait for the connection's end: the next server's claim waits for it.
        self.release(client_id, true);
        self.actions.push(Action::Disconnect(client_id));
    }

    fn say(&mut self, client_id: u64, word: Word) {
        self.actions.push(Action::Say(client_id, word));
    }

    fn tell_everybody(&mut self, word: &Word) {
        let everybody: Vec<u64> =
            self.players.iter().filter(|(_, player)| player.claim.is_some()).map(|(&client_id, _)| client_id).collect();
        for client_id in everybody {
            self.say(client_id, word.clone());
        }
    }

    // ——— the broker ———

    /// An answer of the broker.
    pub fn answered(&mut self, answer: Answer, now: Instant) {
        self.asked = self.asked.saturating_sub(1);
        self.note_broker(&answer);
        match answer {
            Answer::Claimed { client_id, epoch, name, state } => self.claimed(client_id, epoch, name, state.as_deref()),
            Answer::Reported { orders, dropped } => {
                self.report_under_way = false;
                self.reported(&orders, dropped, now);
            }
            Answer::Saved { session_id, sequence } => self.stored(&session_id, sequence),
            Answer::Released(session_id) => tell("info", "released", json!({ "sessionId": session_id })),
            Answer::HandedOver { session_id, instance_id } => {
                if let Some(client_id) = self.client_of(&session_id) {
                    self.say(client_id, Word::Go { instance_id });
                }
            }
            Answer::Later(call, why) => self.later(call, &why, now),
            Answer::Refused(call, why) => self.refused(call, &why),
        }
    }

    /// Says once that the broker is away, and once that it is back: play goes on, and nobody enters meanwhile.
    fn note_broker(&mut self, answer: &Answer) {
        let away = match answer {
            // An answer all the same.
            Answer::Later(_, why) if why.code == "claim-waits" => None,
            Answer::Later(_, why) => Some(why),
            _ => None,
        };
        match away {
            Some(why) if !self.broker_away => tell("warn", "the broker is away", json!({ "code": why.code, "detail": why.detail })),
            None if self.broker_away => tell("info", "the broker is back", json!({})),
            _ => {}
        }
        self.broker_away = away.is_some();
    }

    fn claimed(&mut self, client_id: u64, epoch: String, name: String, state: Option<&[u8]>) {
        let Some(player) = self.players.get_mut(&client_id) else { return };
        player.claim = Some((epoch.clone(), name.clone()));
        match Character::read(state) {
            Ok(character) => player.character = character,
            Err(why) => {
                tell("error", "character unreadable", json!({ "characterId": player.session.character_id, "why": why }));
                self.say(client_id, Word::Bye { why: "This server cannot read your character. Nothing of it was changed.".into() });
                self.actions.push(Action::Disconnect(client_id));
                return self.release(client_id, false);
            }
        }
        tell("info", "claimed", json!({ "clientId": client_id.to_string(), "sessionId": player.session.session_id, "epoch": epoch }));
        let (items, account_id) = (player.character.items.clone(), player.session.account_id.clone());
        let position = self.world.positions.get(&player.session.character_id).copied().unwrap_or_default();
        if self.instance.is_some() {
            self.actions.push(Action::Agones(AgonesCall::Joined(account_id)));
        }
        if self.players.get(&client_id).is_some_and(|player| player.gone) || self.life == Life::Stopping {
            self.actions.push(Action::Disconnect(client_id));
            return self.release(client_id, true);
        }
        let difficulty = self.instance.as_ref().and_then(|instance| instance.difficulty.clone());
        self.say(client_id, Word::Welcome { server: self.title.clone(), difficulty, character: name, items, position });
    }

    fn reported(&mut self, orders: &[Value], dropped: Vec<String>, now: Instant) {
        // Their characters play elsewhere: what is left here is not stored.
        for session_id in dropped {
            if let Some(client_id) = self.client_of(&session_id) {
                self.forget(client_id, "Your character plays elsewhere.");
            }
        }
        let coming: HashSet<String> = orders.iter().filter_map(|order| order["id"].as_str().map(str::to_owned)).collect();
        let known = std::mem::replace(&mut self.orders, coming);
        for order in orders.iter().filter(|order| order["id"].as_str().is_some_and(|id| !known.contains(id))) {
            tell("info", "ordered", json!({ "order": order }));
            match order["kind"].as_str() {
                Some("kick") => {
                    if let Some(client_id) = order["playSessionId"].as_str().and_then(|id| self.client_of(id)) {
                        self.kick(client_id, &order["details"]);
                    }
                }
                Some("announce") => {
                    let message = order["details"]["message"].as_str().unwrap_or_default().to_owned();
                    self.tell_everybody(&Word::Announcement { message, seconds: None });
                }
                Some("drain") => self.close(now),
                Some("save") => self.save(now),
                _ => {}
            }
        }
    }

    fn kick(&mut self, client_id: u64, details: &Value) {
        let to = details["to"].as_str().unwrap_or_default();
        let (reason, why) = match details["because"].as_str() {
            // From a world into an instance, or the way back.
            Some("superseded") if to.starts_with("instance:") || !self.is_world => ("handed-over", "You play elsewhere."),
            Some("superseded") => ("disconnected", "You play elsewhere."),
            Some("banned") => ("logged-out", "Your account is banned."),
            _ => ("logged-out", "You were sent away."),
        };
        self.say(client_id, Word::Bye { why: why.into() });
        self.leave(client_id, reason);
    }

    /// Removes somebody without storing anything.
    fn forget(&mut self, client_id: u64, why: &str) {
        if let Some(player) = self.players.remove(&client_id) {
            self.left(&player.session, true);
        }
        self.say(client_id, Word::Bye { why: why.into() });
        self.actions.push(Action::Disconnect(client_id));
    }

    /// A save, or a later one, is stored.
    fn stored(&mut self, session_id: &str, sequence: u64) {
        let Some(client_id) = self.client_of(session_id) else { return };
        let Some(player) = self.players.get_mut(&client_id) else { return };
        let (stored, waiting) = std::mem::take(&mut player.untold).into_iter().partition(|&(number, _)| number <= sequence);
        player.untold = waiting;
        for (_, item) in stored {
            self.say(client_id, Word::Found { item });
        }
    }

    fn later(&mut self, call: Call, why: &Problem, now: Instant) {
        tell("debug", "asked again later", describe(&call, why));
        if matches!(call, Call::Report { .. }) {
            // The next one says everything anew.
            self.report_under_way = false;
            return;
        }
        if let (Call::Claim { session, .. }, Some(blocking)) = (&call, why.blocked_by.as_deref()) {
            // The earlier session is on this very server: it goes at once, and not with the next report.
            if blocking.1 == session.server_id {
                if let Some(earlier) = self.client_of(&blocking.0) {
                    self.say(earlier, Word::Bye { why: "You have come again.".into() });
                    self.leave(earlier, "disconnected");
                }
            }
        }
        self.later.push((now + why.retry_after.unwrap_or(REPORT_EVERY), call));
    }

    fn refused(&mut self, call: Call, why: &Problem) {
        let older = why.reason.as_deref() == Some("older-save");
        match call {
            // A later state is stored, or this very one, and its answer was lost. It has everything that this one had.
            Call::Save { session_id, sequence, .. } if older => return self.stored(&session_id, sequence),
            Call::Release { session_id, epoch, sequence, state, reason } if older => {
                return self.ask(Call::Release { session_id, epoch, sequence: sequence + 1, state, reason });
            }
            _ => {}
        }
        tell("warn", if matches!(call, Call::Claim { .. }) { "claim refused" } else { "call refused" }, describe(&call, why));
        match call {
            Call::Claim { session, .. } => {
                self.players.remove(&session.client_id);
                self.say(session.client_id, Word::Bye { why: why.detail.clone() });
                self.actions.push(Action::Disconnect(session.client_id));
            }
            // It has moved on: what is left here is not stored.
            Call::Save { session_id, .. } => {
                if let Some(client_id) = self.client_of(&session_id) {
                    self.forget(client_id, "Your character plays elsewhere.");
                }
            }
            Call::HandOver { session_id, .. } => {
                if let Some(client_id) = self.client_of(&session_id) {
                    self.say(client_id, Word::Refused { why: why.detail.clone() });
                }
            }
            Call::Report { .. } => self.report_under_way = false,
            Call::Release { .. } => {}
        }
    }

    // ——— the world ———

    fn save(&mut self, now: Instant) {
        self.next_save = now + self.save_every;
        if self.is_world {
            self.saves_under_way += 1;
            self.actions.push(Action::SaveWorld);
        }
    }

    /// A save has ended.
    pub fn saved(&mut self, saved: &Saved) {
        self.saves_under_way = self.saves_under_way.saturating_sub(1);
        match &saved.result {
            Ok(at) => {
                self.last_save = Some(*at);
                self.last_saved_well = true;
                tell("debug", "saved", json!({ "generation": saved.generation }));
            }
            Err(why) => {
                self.last_saved_well = false;
                tell("error", "save failed", json!({ "generation": saved.generation, "why": why }));
            }
        }
    }

    // ——— the end ———

    /// Something has happened outside.
    pub fn happened(&mut self, event: Event, now: Instant) {
        match event {
            Event::Announce(after) => self.announce(after, now),
            Event::Stop => self.stop(now),
            Event::Allocated { instance, difficulty } => self.allocated(instance, difficulty, now),
            Event::Overflow => {
                tell("info", "one of an old build, or one too many", json!({}));
                if self.instance.as_ref().is_some_and(|instance| instance.id.is_none()) {
                    self.stop(now);
                }
            }
            Event::ShutDown => {
                if let Some(instance) = &mut self.instance {
                    instance.shut_down = true;
                }
            }
            Event::AgonesLost(why) => {
                tell("error", "Agones' SDK server cannot be reached", json!({ "why": why }));
                self.stop(now);
                // Nobody will answer.
                self.happened(Event::ShutDown, now);
            }
        }
    }

    fn allocated(&mut self, id: String, difficulty: Option<String>, now: Instant) {
        let Some(instance) = &mut self.instance else { return };
        if instance.id.as_ref() == Some(&id) {
            return;
        }
        tell("info", "allocated", json!({ "instance": id, "difficulty": difficulty }));
        instance.allocated_at = Some(now);
        instance.empty_since = Some(now);
        instance.id = Some(id.clone());
        instance.difficulty = difficulty;
        // A dungeon of its own for each; a real one is loaded here by its difficulty, and `SessionReady` is said when it is there.
        self.world = World::default();
        self.actions.push(Action::Agones(AgonesCall::RoomsTaken));
        self.actions.push(Action::Agones(AgonesCall::SessionReady(id)));
    }

    /// No newcomers any more; who plays, plays on.
    fn close(&mut self, now: Instant) {
        if self.life == Life::Running {
            tell("info", "draining", json!({}));
            self.life = Life::Draining;
        }
        self.accepting = false;
        // The broker hears of it at once, and not with the next report.
        self.next_report = now;
    }

    fn announce(&mut self, after: Duration, now: Instant) {
        self.close(now);
        self.drain = Some(Drain::begin(now, after, self.drain));
    }

    fn stop(&mut self, now: Instant) {
        if self.ends_at.is_some() {
            return;
        }
        self.close(now);
        self.life = Life::Stopping;
        self.ends_at = Some(now + self.end_within);
        tell("info", "stopping", json!({ "players": self.players(), "announced": self.drain.is_some() }));
        // The world first: its copy is on the way to the disk while players are released.
        self.save_every = SAVE_AGAIN;
        self.save(now);
        self.tell_everybody(&Word::Bye { why: "The server stops. Come again in a moment.".into() });
        let everybody: Vec<u64> = self.players.keys().copied().collect();
        for client_id in everybody {
            // Where an instance ends nobody comes back to it.
            let reason = if self.is_world { "disconnected" } else { "handed-over" };
            match self.players.get_mut(&client_id) {
                Some(player) if player.claim.is_some() => self.leave(client_id, reason),
                Some(player) => {
                    player.gone = true;
                    player.leaves = reason;
                    self.actions.push(Action::Disconnect(client_id));
                }
                None => {}
            }
        }
    }

    /// One round: what is due.
    pub fn tick(&mut self, now: Instant) {
        self.world.age_seconds += now.duration_since(self.before).as_secs_f64();
        self.before = now;

        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.later).into_iter().partition(|&(when, _)| when <= now);
        self.later = later;
        for (_, call) in due {
            match &call {
                Call::Claim { session, .. } if self.players.get(&session.client_id).is_none_or(|player| player.gone) => {
                    self.players.remove(&session.client_id);
                }
                // The release has taken its place.
                Call::Save { session_id, .. } | Call::HandOver { session_id, .. } if self.client_of(session_id).is_none() => {}
                _ => self.ask(call),
            }
        }
        if now >= self.next_report && !self.report_under_way && self.ends_at.is_none() {
            self.next_report = now + REPORT_EVERY;
            self.report_under_way = true;
            let acknowledged = self.orders.iter().cloned().collect();
            self.ask(Call::Report { accepting: self.accepting, acknowledged });
        }
        if now >= self.next_save && self.ends_at.is_none() {
            self.save(now);
        }
        if let Some(mut drain) = self.drain.filter(|_| self.life == Life::Draining) {
            if let Some(seconds) = drain.say(now) {
                let message = format!("The server stops in {seconds} s.");
                self.tell_everybody(&Word::Announcement { message, seconds: Some(seconds) });
            }
            self.drain = Some(drain);
            if drain.is_over(now) || self.players.is_empty() {
                // Who called /announce has the answer; SIGTERM is what ends us.
                self.life = Life::Stopping;
                if !self.is_world {
                    self.stop(now);
                }
            }
        }
        self.tick_instance(now);
        self.tick_end(now);
    }

    fn tick_instance(&mut self, now: Instant) {
        let nobody = self.players.is_empty();
        let Some(instance) = &mut self.instance else { return };
        let Some(allocated_at) = instance.allocated_at else { return };
        if !nobody {
            instance.empty_since = None;
        } else if instance.empty_since.is_none() {
            instance.empty_since = Some(now);
        }
        let empty = instance.empty_since.is_some_and(|since| instance.left_for_good || now >= since + EMPTY);
        let too_old = now + INSTANCE_WARNING >= allocated_at + instance.lifetime && self.drain.is_none();
        if empty && self.ends_at.is_none() {
            tell("info", "empty", json!({}));
            self.stop(now);
        } else if too_old {
            self.announce(INSTANCE_WARNING, now);
        }
    }

    fn tick_end(&mut self, now: Instant) {
        if self.ends_at.is_none() {
            return;
        }
        if self.is_world && self.saves_under_way == 0 {
            if self.last_saved_well {
                self.saved_for_good = true;
            } else if now >= self.next_save {
                // The disk said no; until the kill it may say yes.
                self.save(now);
            }
        }
        let released = self.players.is_empty() && self.asked == 0 && self.later.is_empty();
        if let Some(instance) = self.instance.as_mut().filter(|instance| released && !instance.shutdown_asked) {
            instance.shutdown_asked = true;
            self.actions.push(Action::Agones(AgonesCall::Shutdown));
        }
    }

    /// How the server has ended; none while it has not.
    pub fn end(&self, now: Instant) -> Option<End> {
        let ends_at = self.ends_at?;
        let mut missing = Vec::new();
        if self.is_world && !self.saved_for_good {
            missing.push("the world is not saved");
        }
        if !self.players.is_empty() || self.asked > 0 || !self.later.is_empty() {
            missing.push("characters are not released");
        }
        if self.instance.as_ref().is_some_and(|instance| !instance.shut_down) {
            missing.push("Agones has not taken the Shutdown");
        }
        if missing.is_empty() {
            return Some(End::Good);
        }
        (now >= ends_at).then(|| End::Incomplete(missing.join(", ")))
    }
}

fn describe(call: &Call, why: &Problem) -> Value {
    let (name, session_id) = match call {
        Call::Claim { session, .. } => ("claim", Some(&session.session_id)),
        Call::Report { .. } => ("report", None),
        Call::Save { session_id, .. } => ("save", Some(session_id)),
        Call::Release { session_id, .. } => ("release", Some(session_id)),
        Call::HandOver { session_id, .. } => ("hand-over", Some(session_id)),
    };
    json!({ "call": name, "sessionId": session_id, "code": why.code, "reason": why.reason, "detail": why.detail })
}

/// A random UUID (version 4).
fn new_uuid() -> String {
    let mut bytes = renetcode::generate_random_bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    uuid(&bytes)
}

#[cfg(test)]
#[path = "game_tests.rs"]
mod tests;
