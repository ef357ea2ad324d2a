//! Log lines as the platform wants them (docs/game-server.md): one JSON object a line on standard output.
//! It deliberately writes no token, no key and no player's address; what the netcode crates say of packets comes at debug only.

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{json, Value};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// Now, as `2026-01-01T18:00:00.000Z`.
pub fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

static DEBUG: AtomicBool = AtomicBool::new(false);

/// Writes one line, unless it is of level debug and nobody asked for those. `fields` is an object; its members stand beside time, level and message.
pub fn tell(level: &str, message: &str, fields: Value) {
    if level == "debug" && !DEBUG.load(Ordering::Relaxed) {
        return;
    }
    let mut line = json!({ "time": now(), "level": level, "message": message });
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    if cfg!(test) {
        // Shown with a test that fails.
        println!("{line}");
        return;
    }
    // Whoever read the log may be gone: no reason to stop.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("ren")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error | Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug | Level::Trace => "debug",
        };
        tell(level, &record.args().to_string(), json!({ "from": record.target() }));
    }

    fn flush(&self) {}
}

/// Sets whether lines of level debug are written, and with them what the netcode crates say. Otherwise those are silent: renetcode logs every refused packet
/// as an error, so that anybody could fill the log.
pub fn begin(debug: bool) {
    DEBUG.store(debug, Ordering::Relaxed);
    log::set_max_level(if debug { LevelFilter::Debug } else { LevelFilter::Off });
    // Fails only when it is called twice.
    let _ = log::set_boxed_logger(Box::new(Lines));
}
