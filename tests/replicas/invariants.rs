//! Checker of histories: invariants that hold whatever fails.
//!
//! It knows nothing of the service's implementation. Every client of a history is honest and shares its
//! sessions with nobody, so a refusal without a logout is a lost session, and a reuse alarm is a false one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::history::{Answer, Did, Event};
use crate::times;

#[derive(Clone, Copy, Debug)]
pub struct Promises {
    /// Time after the acknowledged end of a session in which another replica may accept its tokens.
    pub staleness: Duration,
    /// Time within which `SERVICE_UNAVAILABLE` is answered. Successes may take longer: a machine can be slow
    /// without a fault.
    pub answer: Duration,
}

/// Tolerance for scheduling; in the short run other tests share the machine.
pub fn scheduling() -> Duration {
    Duration::from_secs(times(3, 1) as u64)
}

impl Default for Promises {
    fn default() -> Self {
        Self { staleness: Duration::from_secs(5), answer: Duration::from_secs(2) + scheduling() }
    }
}

/// One line for each broken promise.
pub fn violations(history: &[Event], promises: &Promises) -> Vec<String> {
    let mut sessions: HashMap<&Arc<str>, Vec<&Event>> = HashMap::new();
    for event in history {
        sessions.entry(&event.session).or_default().push(event);
    }
    let mut found: Vec<String> =
        history.iter().filter_map(|event| late_answer(event, promises)).collect();
    for events in sessions.values() {
        found.extend(accepted_after_end(events, promises));
        found.extend(lost(events));
        found.extend(forks(events));
    }
    found
}

fn late_answer(event: &Event, promises: &Promises) -> Option<String> {
    let outcome = match &event.did {
        Did::LogIn { .. } => return None,
        Did::Refresh { answer, .. } => answer.clone().map(|_| ()),
        Did::Ask { answer } | Did::LogOut { answer } => answer.clone(),
    };
    let took = event.took();
    match outcome {
        Answer::Silence => Some(format!("no answer: {event:?}")),
        Answer::Unavailable if took > promises.answer => {
            Some(format!("an answer after {took:?}: {event:?}"))
        }
        _ => None,
    }
}

/// Time of the first answer that says that the session has ended, and its replica.
fn known_end(events: &[&Event]) -> Option<(Duration, usize)> {
    let told = |event: &&&Event| match &event.did {
        Did::LogOut { answer: Answer::Done(()) } => true,
        Did::Refresh { answer: Answer::Refused(code), .. }
        | Did::Ask { answer: Answer::Refused(code) } => code == "SESSION_ENDED",
        _ => false,
    };
    let ends = events.iter().filter(told).map(|event| (event.ended, event.replica));
    ends.min()
}

/// After an acknowledged end no replica issues tokens; the one that acknowledged it accepts none, and
/// another one only within the staleness.
fn accepted_after_end(events: &[&Event], promises: &Promises) -> Vec<String> {
    let Some((end, by)) = known_end(events) else { return Vec::new() };
    let is_wrong = |event: &&&Event| match &event.did {
        Did::Refresh { answer: Answer::Done(_), .. } => event.began > end,
        Did::Ask { answer: Answer::Done(()) } => {
            let grace = if event.replica == by { Duration::ZERO } else { promises.staleness };
            event.began > end + grace
        }
        _ => false,
    };
    let wrong = events.iter().filter(is_wrong);
    wrong.map(|event| format!("accepted after the end at {end:?} by {by}: {event:?}")).collect()
}

/// A session that nobody ended is not lost, and no honest client causes a reuse alarm.
fn lost(events: &[&Event]) -> Vec<String> {
    let logouts = events.iter().filter(|event| matches!(event.did, Did::LogOut { .. }));
    let asked_to_end = logouts.map(|event| event.began).min();
    let mut found = Vec::new();
    for event in events {
        let (Did::Refresh { answer: Answer::Refused(code), .. }
        | Did::Ask { answer: Answer::Refused(code) }
        | Did::LogOut { answer: Answer::Refused(code) }) = &event.did
        else {
            continue;
        };
        if code == "REFRESH_TOKEN_REUSED" {
            found.push(format!("a false alarm: {event:?}"));
        } else if code != "SESSION_ENDED" || asked_to_end.is_none_or(|at| event.ended < at) {
            found.push(format!("a lost session: {event:?}"));
        }
    }
    found
}

/// A session's refresh tokens are one chain: each has one successor, however often it is presented, and one
/// predecessor.
fn forks(events: &[&Event]) -> Vec<String> {
    let mut successor: HashMap<&Arc<str>, &Arc<str>> = HashMap::new();
    let mut predecessor: HashMap<&Arc<str>, &Arc<str>> = HashMap::new();
    let mut found = Vec::new();
    for event in events {
        let Did::Refresh { presented, answer: Answer::Done(gave) } = &event.did else { continue };
        let after = successor.insert(presented, gave).is_some_and(|other| other != gave);
        let before = predecessor.insert(gave, presented).is_some_and(|other| other != presented);
        if after || before || presented == gave {
            found.push(format!("a fork: {event:?}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(began: u64, ended: u64, replica: usize, did: Did) -> Event {
        let (began, ended) = (Duration::from_millis(began), Duration::from_millis(ended));
        Event { session: "s".into(), replica, began, ended, did }
    }

    fn refresh(began: u64, presented: &str, answer: Answer<&str>) -> Event {
        let answer = answer.map(Arc::from);
        event(began, began + 10, 0, Did::Refresh { presented: presented.into(), answer })
    }

    fn ask(began: u64, replica: usize, answer: Answer<()>) -> Event {
        event(began, began + 10, replica, Did::Ask { answer })
    }

    fn log_out(began: u64, answer: Answer<()>) -> Event {
        event(began, began + 10, 0, Did::LogOut { answer })
    }

    fn refused(code: &str) -> Answer<()> {
        Answer::Refused(code.to_owned())
    }

    #[track_caller]
    fn assert_found(history: &[Event], start: &str) {
        let found = violations(history, &Promises::default());
        assert!(found.len() == 1 && found[0].starts_with(start), "{start}: {found:?}");
    }

    #[test]
    fn a_history_in_which_everything_failed_and_nothing_went_wrong_breaks_no_promise() {
        let history = [
            event(0, 5, 0, Did::LogIn { gave: "a".into() }),
            refresh(10, "a", Answer::Lost),
            refresh(20, "a", Answer::Unavailable),
            refresh(30, "a", Answer::Done("b")),
            refresh(40, "a", Answer::Done("b")),
            ask(50, 1, Answer::Done(())),
            log_out(60, Answer::Lost),
            ask(80, 1, Answer::Done(())),
            log_out(90, Answer::Done(())),
            ask(101, 0, refused("SESSION_ENDED")),
            ask(5099, 1, Answer::Done(())),
            ask(9000, 1, refused("SESSION_ENDED")),
        ];
        assert_eq!(violations(&history, &Promises::default()), Vec::<String>::new());
    }

    #[test]
    fn an_access_token_accepted_by_another_replica_beyond_the_bound_is_found() {
        let history = [log_out(0, Answer::Done(())), ask(5011, 1, Answer::Done(()))];
        assert_found(&history, "accepted after the end");
    }

    #[test]
    fn an_access_token_accepted_by_the_replica_that_ended_its_session_is_found() {
        let history = [log_out(0, Answer::Done(())), ask(11, 0, Answer::Done(()))];
        assert_found(&history, "accepted after the end");
    }

    #[test]
    fn tokens_given_after_the_end_are_found() {
        let history = [log_out(0, Answer::Done(())), refresh(11, "a", Answer::Done("b"))];
        assert_found(&history, "accepted after the end");
    }

    #[test]
    fn an_end_that_a_refusal_showed_counts_as_one() {
        let history = [
            log_out(0, Answer::Lost),
            ask(20, 1, refused("SESSION_ENDED")),
            refresh(40, "a", Answer::Done("b")),
        ];
        assert_found(&history, "accepted after the end");
    }

    #[test]
    fn a_session_that_ended_although_nobody_ended_it_is_found() {
        assert_found(&[ask(0, 0, refused("SESSION_ENDED"))], "a lost session");
        let late = [ask(0, 0, refused("SESSION_ENDED")), log_out(20, Answer::Done(()))];
        assert_found(&late, "a lost session");
    }

    #[test]
    fn a_token_called_invalid_is_found() {
        let invalid = Answer::Refused("REFRESH_TOKEN_INVALID".to_owned());
        assert_found(&[log_out(0, Answer::Lost), refresh(20, "a", invalid)], "a lost session");
    }

    #[test]
    fn a_false_alarm_is_found_even_after_a_logout() {
        let reused = Answer::Refused("REFRESH_TOKEN_REUSED".to_owned());
        assert_found(&[log_out(0, Answer::Lost), refresh(20, "a", reused)], "a false alarm");
    }

    #[test]
    fn two_successors_of_a_token_are_found() {
        let history = [refresh(0, "a", Answer::Done("b")), refresh(20, "a", Answer::Done("c"))];
        assert_found(&history, "a fork");
    }

    #[test]
    fn two_tokens_with_one_successor_are_found() {
        let history = [refresh(0, "a", Answer::Done("c")), refresh(20, "b", Answer::Done("c"))];
        assert_found(&history, "a fork");
    }

    #[test]
    fn an_answer_that_took_too_long_or_never_came_is_found() {
        let late = event(0, 5001, 0, Did::Ask { answer: Answer::Unavailable });
        assert_found(&[late], "an answer after");
        assert_found(&[ask(0, 0, Answer::Silence)], "no answer");
    }
}
