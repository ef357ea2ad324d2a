//! What the rules answer, without a broker, a socket or a clock.

use super::*;
use crate::config::Config;
use std::net::SocketAddr;

const SESSION: &str = "30303030-3030-3030-3030-303030303030";
const LIFETIME: Duration = Duration::from_secs(7200);
const SECOND: Duration = Duration::from_secs(1);

fn config(kind: Kind) -> Config {
    Config {
        kind,
        capacity: 10,
        build: "0.1.0".into(),
        protocol_id: 1,
        key: [1; 32],
        key_generation: 1,
        address: SocketAddr::from(([127, 0, 0, 1], 7777)),
        bind: [127, 0, 0, 1].into(),
        status_port: 7780,
        metrics_port: 7781,
        broker_url: String::new(),
        broker_token_file: "token".into(),
        grace: 30 * SECOND,
    }
}

struct Stage {
    game: Game,
    now: Instant,
}

impl Stage {
    fn world() -> Self {
        let kind = Kind::World {
            realm: "aurora".into(),
            continent: "eldermoor".into(),
            directory: "world".into(),
            announce: 60 * SECOND,
            save: 60 * SECOND,
        };
        Self::new(kind)
    }

    fn instance() -> Self {
        Self::new(Kind::Instance { content_type: "dungeon".into(), rooms: 1, lifetime: LIFETIME })
    }

    fn new(kind: Kind) -> Self {
        let now = Instant::now();
        let mut stage = Self { game: Game::new(&config(kind), World::default(), None, 30 * SECOND, now), now };
        stage.passes(Duration::ZERO);
        stage
    }

    /// Goes round once, later; saves succeed.
    fn passes(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.game.tick(self.now);
        let actions = self.game.take_actions();
        for action in &actions {
            match action {
                Action::SaveWorld => self.game.saved(&Saved { generation: 1, result: Ok(SystemTime::UNIX_EPOCH) }),
                Action::Ask(Call::Report { .. }) => self.answer(Answer::Reported { orders: Vec::new(), dropped: Vec::new() }),
                _ => {}
            }
        }
        actions
    }

    fn answer(&mut self, answer: Answer) {
        self.game.answered(answer, self.now);
    }

    fn user_data(client_id: u64) -> [u8; USER_DATA_BYTES] {
        let mut data = [0; USER_DATA_BYTES];
        data[..3].copy_from_slice(&[1, 1, 1]);
        data[8..16].copy_from_slice(&client_id.to_le_bytes());
        data[24..72].fill(0x30);
        data[72] = b's';
        data[168] = b'b';
        data
    }

    /// Somebody whose claim is answered.
    fn enters(&mut self, client_id: u64, state: Option<&[u8]>) -> Vec<Action> {
        self.game.connected(client_id, Some(&Self::user_data(client_id)));
        let name = "Mira".into();
        self.answer(Answer::Claimed { client_id, epoch: "7".into(), name, state: state.map(<[u8]>::to_vec) });
        self.game.take_actions()
    }

    fn wishes(&mut self, client_id: u64, wish: &str) -> Vec<Action> {
        self.game.message(client_id, wish.as_bytes());
        self.game.take_actions()
    }

    fn happens(&mut self, event: Event) -> Vec<Action> {
        self.game.happened(event, self.now);
        self.passes(Duration::ZERO)
    }
}

fn allocated(instance: &str) -> Event {
    Event::Allocated { instance: instance.into(), difficulty: Some("heroic".into()) }
}

fn released(actions: &[Action]) -> Vec<&'static str> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Ask(Call::Release { reason, .. }) => Some(*reason),
            _ => None,
        })
        .collect()
}

fn said(actions: &[Action]) -> Vec<&Word> {
    actions.iter().filter_map(|action| if let Action::Say(_, word) = action { Some(word) } else { None }).collect()
}

fn disconnects(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Disconnect(_)))
}

fn tells_agones(actions: &[Action], call: &AgonesCall) -> bool {
    actions.iter().any(|action| matches!(action, Action::Agones(each) if each == call))
}

fn problem(code: &str, reason: Option<&str>) -> Problem {
    Problem { code: code.into(), detail: "No.".into(), reason: reason.map(str::to_owned), blocked_by: None, retry_after: None }
}

#[test]
fn a_connection_is_claimed_before_it_plays() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(1)));
    assert!(matches!(stage.game.take_actions()[..], [Action::Ask(Call::Claim { .. })]));
    assert!(!stage.game.plays(1));
}

#[test]
fn two_mixed_tokens_are_refused_without_a_claim() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(2)));
    assert!(matches!(stage.game.take_actions()[..], [Action::Disconnect(1)]));
}

#[test]
fn whoever_is_claimed_is_welcome() {
    let actions = Stage::world().enters(1, None);
    assert!(matches!(said(&actions)[..], [Word::Welcome { .. }]));
}

#[test]
fn a_refused_claim_ends_the_connection() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(1)));
    let Some(Action::Ask(call)) = stage.game.take_actions().pop() else { panic!("no claim") };
    stage.answer(Answer::Refused(call, problem("claim-refused", Some("banned"))));
    assert!(disconnects(&stage.game.take_actions()));
}

#[test]
fn a_claim_that_must_wait_is_made_again_with_the_same_id() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(1)));
    let Some(Action::Ask(Call::Claim { session, claim_id })) = stage.game.take_actions().pop() else { panic!("no claim") };
    let waits = Problem { retry_after: Some(SECOND), ..problem("claim-waits", None) };
    stage.answer(Answer::Later(Call::Claim { session, claim_id: claim_id.clone() }, waits));
    let again = stage.passes(SECOND);
    assert!(again.iter().any(|action| matches!(action, Action::Ask(Call::Claim { claim_id: id, .. }) if *id == claim_id)));
}

#[test]
fn a_claim_is_not_made_again_for_a_client_that_has_gone() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(1)));
    let Some(Action::Ask(call)) = stage.game.take_actions().pop() else { panic!("no claim") };
    stage.game.disconnected(1);
    stage.answer(Answer::Later(call, Problem { retry_after: Some(SECOND), ..problem("unreachable", None) }));
    assert!(!stage.passes(SECOND).iter().any(|action| matches!(action, Action::Ask(Call::Claim { .. }))));
}

#[test]
fn a_claim_that_is_answered_after_its_client_has_gone_is_released() {
    let mut stage = Stage::world();
    stage.game.connected(1, Some(&Stage::user_data(1)));
    stage.game.disconnected(1);
    stage.answer(Answer::Claimed { client_id: 1, epoch: "7".into(), name: "Mira".into(), state: None });
    assert_eq!(released(&stage.game.take_actions()), ["disconnected"]);
}

#[test]
fn a_find_is_told_when_it_is_stored_and_not_before() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    assert!(matches!(stage.wishes(1, r#"{"do":"find"}"#)[..], [Action::Ask(Call::Save { sequence: 0, .. })]));
    stage.answer(Answer::Saved { session_id: SESSION.into(), sequence: 0 });
    assert!(matches!(said(&stage.game.take_actions())[..], [Word::Found { .. }]));
}

#[test]
fn a_save_whose_answer_was_lost_is_stored_all_the_same() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let Some(Action::Ask(call)) = stage.wishes(1, r#"{"do":"find"}"#).pop() else { panic!("no save") };
    stage.answer(Answer::Refused(call, problem("stale-epoch", Some("older-save"))));
    assert!(matches!(said(&stage.game.take_actions())[..], [Word::Found { .. }]));
}

#[test]
fn a_character_that_has_moved_on_is_removed_and_not_released() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let Some(Action::Ask(call)) = stage.wishes(1, r#"{"do":"find"}"#).pop() else { panic!("no save") };
    stage.answer(Answer::Refused(call, problem("stale-epoch", Some("moved-on"))));
    let actions = stage.game.take_actions();
    assert!(disconnects(&actions) && released(&actions).is_empty());
}

#[test]
fn a_dropped_session_is_removed_and_not_released() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.answer(Answer::Reported { orders: Vec::new(), dropped: vec![SESSION.into()] });
    let actions = stage.game.take_actions();
    assert!(disconnects(&actions) && released(&actions).is_empty());
}

#[test]
fn the_release_has_a_number_above_all_saves() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.wishes(1, r#"{"do":"find"}"#);
    let actions = stage.wishes(1, r#"{"do":"leave"}"#);
    assert!(actions.iter().any(|action| matches!(action, Action::Ask(Call::Release { sequence: 1, .. }))));
}

#[test]
fn a_character_of_another_format_is_released_without_a_state() {
    let actions = Stage::world().enters(1, Some(br#"{"version":9,"items":[]}"#));
    assert!(actions.iter().any(|action| matches!(action, Action::Ask(Call::Release { state: None, .. }))));
}

#[test]
fn a_lost_connection_keeps_the_place() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.game.disconnected(1);
    assert_eq!(released(&stage.game.take_actions()), ["disconnected"]);
}

#[test]
fn a_kick_into_an_instance_hands_the_player_over() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let order =
        json!({ "id": "1", "kind": "kick", "playSessionId": SESSION, "details": { "because": "superseded", "to": "instance:dungeon-x" } });
    stage.answer(Answer::Reported { orders: vec![order], dropped: Vec::new() });
    assert_eq!(released(&stage.game.take_actions()), ["handed-over"]);
}

#[test]
fn an_order_that_comes_again_is_carried_out_once() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let order = json!({ "id": "1", "kind": "announce", "playSessionId": null, "details": { "message": "Soup is ready." } });
    stage.answer(Answer::Reported { orders: vec![order.clone()], dropped: Vec::new() });
    stage.game.take_actions();
    stage.answer(Answer::Reported { orders: vec![order], dropped: Vec::new() });
    assert!(said(&stage.game.take_actions()).is_empty());
}

#[test]
fn a_report_acknowledges_the_orders_that_came() {
    let mut stage = Stage::world();
    let order = json!({ "id": "41", "kind": "save", "playSessionId": null, "details": {} });
    stage.answer(Answer::Reported { orders: vec![order], dropped: Vec::new() });
    let actions = stage.passes(REPORT_EVERY);
    assert!(actions.iter().any(|action| matches!(action, Action::Ask(Call::Report { acknowledged, .. }) if *acknowledged == ["41"])));
}

#[test]
fn the_world_is_saved_at_once_and_then_at_every_interval() {
    let mut stage = Stage::world();
    let saves = |actions: Vec<Action>| actions.iter().filter(|action| matches!(action, Action::SaveWorld)).count();
    let counted: usize = (0..60).map(|_| saves(stage.passes(SECOND))).sum();
    assert_eq!(counted, 2);
}

#[test]
fn an_announcement_closes_the_world_and_tells_the_broker_at_once() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let actions = stage.happens(Event::Announce(60 * SECOND));
    assert!(actions.iter().any(|action| matches!(action, Action::Ask(Call::Report { accepting: false, .. }))));
    assert_eq!(stage.game.life(), Life::Draining);
}

#[test]
fn who_plays_is_served_until_the_announced_time_is_over() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.happens(Event::Announce(60 * SECOND));
    stage.passes(59 * SECOND);
    assert!(stage.game.plays(1) && stage.game.life() == Life::Draining);
}

#[test]
fn an_announcement_without_players_is_over_at_once() {
    let mut stage = Stage::world();
    stage.happens(Event::Announce(60 * SECOND));
    assert_eq!(stage.game.life(), Life::Stopping);
}

#[test]
fn the_end_of_an_announcement_does_not_end_the_server() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.happens(Event::Announce(SECOND));
    stage.passes(2 * SECOND);
    assert!(stage.game.plays(1) && stage.game.end(stage.now).is_none());
}

#[test]
fn a_stop_saves_the_world_before_it_releases_players() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    let actions = stage.happens(Event::Stop);
    let place = |wanted: fn(&Action) -> bool| actions.iter().position(wanted).expect("an action");
    assert!(place(|action| matches!(action, Action::SaveWorld)) < place(|action| matches!(action, Action::Ask(Call::Release { .. }))));
}

#[test]
fn a_stopped_world_has_ended_when_all_is_saved_and_released() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.happens(Event::Stop);
    assert_eq!(stage.game.end(stage.now), None);
    stage.answer(Answer::Released(SESSION.into()));
    stage.passes(SECOND);
    assert_eq!(stage.game.end(stage.now), Some(End::Good));
}

#[test]
fn a_stop_that_could_not_release_everybody_in_time_is_incomplete() {
    let mut stage = Stage::world();
    stage.enters(1, None);
    stage.happens(Event::Stop);
    stage.passes(60 * SECOND);
    assert!(matches!(stage.game.end(stage.now), Some(End::Incomplete(what)) if what.contains("characters")));
}

#[test]
fn the_last_save_is_tried_again_when_the_disk_says_no() {
    let mut stage = Stage::world();
    stage.game.happened(Event::Stop, stage.now);
    stage.game.take_actions();
    stage.game.saved(&Saved { generation: 2, result: Err("No space left on device".into()) });
    assert!(stage.passes(SECOND).iter().any(|action| matches!(action, Action::SaveWorld)));
}

#[test]
fn an_allocated_instance_lets_players_in_under_the_id_of_the_allocation() {
    let mut stage = Stage::instance();
    let actions = stage.happens(allocated("abc"));
    assert!(tells_agones(&actions, &AgonesCall::SessionReady("abc".into())) && tells_agones(&actions, &AgonesCall::RoomsTaken));
}

#[test]
fn an_instance_that_nobody_enters_shuts_down_after_two_minutes() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    assert!(!tells_agones(&stage.passes(119 * SECOND), &AgonesCall::Shutdown));
    assert!(tells_agones(&stage.passes(SECOND), &AgonesCall::Shutdown));
}

#[test]
fn an_instance_shuts_down_when_its_last_player_has_left() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    stage.enters(1, None);
    stage.wishes(1, r#"{"do":"leave"}"#);
    stage.answer(Answer::Released(SESSION.into()));
    assert!(tells_agones(&stage.passes(SECOND), &AgonesCall::Shutdown));
}

#[test]
fn an_instance_waits_for_a_player_who_lost_the_connection() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    stage.enters(1, None);
    stage.game.disconnected(1);
    stage.answer(Answer::Released(SESSION.into()));
    assert!(!tells_agones(&stage.passes(SECOND), &AgonesCall::Shutdown));
}

#[test]
fn an_instance_counts_its_players_at_agones() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    let account = SESSION.to_owned();
    assert!(tells_agones(&stage.enters(1, None), &AgonesCall::Joined(account.clone())));
    assert!(tells_agones(&stage.wishes(1, r#"{"do":"leave"}"#), &AgonesCall::Left(account)));
}

#[test]
fn an_instance_of_an_old_build_finishes_its_session() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    stage.enters(1, None);
    stage.happens(Event::Overflow);
    assert!(stage.game.plays(1));
}

#[test]
fn an_instance_of_an_old_build_without_a_session_shuts_down() {
    let mut stage = Stage::instance();
    assert!(tells_agones(&stage.happens(Event::Overflow), &AgonesCall::Shutdown));
}

#[test]
fn an_instance_announces_the_end_of_its_longest_life() {
    let mut stage = Stage::instance();
    stage.happens(allocated("abc"));
    stage.enters(1, None);
    stage.passes(LIFETIME - INSTANCE_WARNING);
    let actions = stage.passes(Duration::ZERO);
    assert!(said(&actions).iter().any(|word| matches!(word, Word::Announcement { seconds: Some(60), .. })));
}
