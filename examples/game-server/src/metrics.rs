//! The metrics of docs/game-server.md, in the format that Prometheus reads.
//! It deliberately has no series per player, and no label of its own: the platform adds realm, continent, content type and build.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// Seconds. A tick of 30 a second has 0.033; the alert reads the bucket at 0.1.
const TICK_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.033, 0.05, 0.1, 0.25, 1.0];

/// All of them, and the page they are on.
#[derive(Debug)]
pub struct Metrics {
    /// Players who are in.
    pub players: Gauge,
    /// Players at once.
    pub capacity: Gauge,
    /// Datagrams from players.
    pub packets_received: Counter,
    /// Seconds of one tick.
    pub tick_duration: Histogram,
    /// Unix time of the last good save.
    pub last_save: Gauge<f64, AtomicU64>,
    registry: Registry,
}

impl Metrics {
    /// @param has_saves whether there is a world to save: an instance has none, and an alert would wait for it
    pub fn new(has_saves: bool) -> Self {
        let mut registry = Registry::with_prefix("mmo_game");
        let (players, capacity, packets_received) = (Gauge::default(), Gauge::default(), Counter::default());
        let (tick_duration, last_save) = (Histogram::new(TICK_BUCKETS), Gauge::<f64, AtomicU64>::default());
        registry.register("players", "Players connected", players.clone());
        registry.register("capacity", "Players at once", capacity.clone());
        registry.register("packets_received", "Datagrams from players", packets_received.clone());
        registry.register("tick_duration_seconds", "Time of one tick", tick_duration.clone());
        if has_saves {
            registry.register("last_save_timestamp_seconds", "Unix time of the last good save", last_save.clone());
        }
        Self { players, capacity, packets_received, tick_duration, last_save, registry }
    }

    /// The page.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Fails only when a String cannot be written to.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Of `text`; Prometheus takes it in preference to its older format.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_the_contracts_name() {
        let metrics = Metrics::new(true);
        metrics.packets_received.inc();
        metrics.tick_duration.observe(0.05);
        let text = metrics.text();
        for line in [
            "mmo_game_players 0",
            "mmo_game_capacity 0",
            "mmo_game_packets_received_total 1",
            "mmo_game_tick_duration_seconds_bucket{le=\"0.1\"} 1",
            "mmo_game_last_save_timestamp_seconds 0",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn an_instance_has_no_time_of_a_save() {
        assert!(!Metrics::new(false).text().contains("last_save"));
    }
}
