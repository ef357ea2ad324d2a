//! Standard output and input: one JSON object a line out, as a game server logs (docs/game-server.md), and lines in.
//! It deliberately writes no token and no key; addresses of players appear at debug only, in what the netcode crates say.

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{json, Value};
use std::io::{BufRead, Write};
use std::sync::mpsc::{channel, Receiver};
use std::time::SystemTime;

/// Writes one line. `fields` is an object; its members stand beside time, level and message.
pub fn tell(level: &str, message: &str, fields: Value) {
    let mut line = json!({ "time": humantime::format_rfc3339_millis(SystemTime::now()).to_string(), "level": level, "message": message });
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    // A reader that has gone is no reason to stop: the end of standard input is.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("ren") || metadata.target().starts_with("netcode")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug | Level::Trace => "debug",
        };
        tell(level, &record.args().to_string(), json!({ "from": record.target() }));
    }

    fn flush(&self) {}
}

/// Lets the netcode crates speak in the same lines: they refuse tokens silently on the wire and say why only here.
pub fn take_log_of_crates(debug: bool) {
    log::set_max_level(if debug { LevelFilter::Debug } else { LevelFilter::Warn });
    // Fails only when it is called twice.
    let _ = log::set_boxed_logger(Box::new(Lines));
}

/// The lines of standard input. The channel is closed at its end, which is how the programs here are told to stop: also when whoever started
/// them is killed.
pub fn standard_input() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
