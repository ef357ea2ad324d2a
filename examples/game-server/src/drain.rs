//! The end of a server as its players hear it: when they are warned, and when the time is over.
//! It deliberately disconnects nobody; the game does, when it is told to stop.

use std::time::{Duration, Instant};

/// An announced stop.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    ends: Instant,
    /// What was last said; none yet.
    said: Option<u64>,
}

impl Drain {
    /// Begins one that ends `after` from now. A second announcement never gives more time than the first one did.
    pub fn begin(now: Instant, after: Duration, earlier: Option<Self>) -> Self {
        let ends = now + after;
        match earlier {
            Some(earlier) if earlier.ends <= ends => earlier,
            _ => Self { ends, said: None },
        }
    }

    /// The number of seconds to tell players now: at once, every 30 s, and every second in the last ten.
    pub fn say(&mut self, now: Instant) -> Option<u64> {
        // Rounded up: with 9.98 s left, "ten seconds" was right a moment ago and still is.
        let left = self.ends.saturating_duration_since(now).as_millis().div_ceil(1000) as u64;
        let due = match self.said {
            None => true,
            Some(before) if left >= before => false,
            Some(before) => left <= 10 || before.div_ceil(30) != left.div_ceil(30),
        };
        if !due || left == 0 {
            return None;
        }
        self.said = Some(left);
        Some(left)
    }

    /// Whether the time is over.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that is said, looking 30 times a second.
    fn said(seconds: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut drain = Drain::begin(start, Duration::from_secs(seconds), None);
        (0..seconds * 30 + 30).filter_map(|tick| drain.say(start + Duration::from_millis(tick * 1000 / 30))).collect()
    }

    #[test]
    fn players_are_told_at_once_every_thirty_seconds_and_each_of_the_last_ten() {
        assert_eq!(said(100), [100, 90, 60, 30, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn a_short_announcement_counts_down_from_its_beginning() {
        assert_eq!(said(3), [3, 2, 1]);
    }

    #[test]
    fn a_second_announcement_gives_no_more_time() {
        let start = Instant::now();
        let first = Drain::begin(start, Duration::from_secs(10), None);
        let second = Drain::begin(start, Duration::from_secs(60), Some(first));
        assert!(second.is_over(start + Duration::from_secs(10)));
    }

    #[test]
    fn a_second_announcement_may_take_time_away() {
        let start = Instant::now();
        let first = Drain::begin(start, Duration::from_secs(60), None);
        let second = Drain::begin(start, Duration::from_secs(10), Some(first));
        assert!(second.is_over(start + Duration::from_secs(10)));
    }
}
