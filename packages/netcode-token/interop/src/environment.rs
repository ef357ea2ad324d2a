//! What the platform tells a game server in its environment (docs/game-server.md): only what admission needs.
//! It deliberately has no defaults for these variables: a server that guesses would serve with the wrong key or identity.

use std::env::var;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The settings of a server.
pub struct Environment {
    /// `POD_IP` and `MMO_GAME_PORT`: the only address that tokens name for this server, and here also the one to bind.
    pub address: SocketAddr,
    /// `MMO_PROTOCOL_ID`.
    pub protocol_id: u64,
    /// Content of `MMO_NETCODE_KEY_FILE`.
    pub key: [u8; 32],
    /// `MMO_BROKER_URL`, without a slash at its end.
    pub broker_url: String,
    /// `MMO_BROKER_TOKEN_FILE`; read again for every call, because the token changes.
    pub broker_token_file: PathBuf,
    /// `MMO_BUILD`.
    pub build: String,
    /// `MMO_CAPACITY`.
    pub capacity: usize,
}

impl Environment {
    /// # Errors
    /// Every mistake at once, a line each.
    pub fn read() -> Result<Self, String> {
        let mut mistakes = Vec::new();
        let mut text = |name: &str| {
            var(name).unwrap_or_else(|_| {
                mistakes.push(format!("{name} is not set."));
                String::new()
            })
        };
        let (ip, port, protocol_id) = (text("POD_IP"), text("MMO_GAME_PORT"), text("MMO_PROTOCOL_ID"));
        let (key_file, broker_url, token_file) = (text("MMO_NETCODE_KEY_FILE"), text("MMO_BROKER_URL"), text("MMO_BROKER_TOKEN_FILE"));
        let (build, capacity) = (text("MMO_BUILD"), text("MMO_CAPACITY"));
        if !mistakes.is_empty() {
            return Err(mistakes.join("\n"));
        }
        let ip = ip.parse::<IpAddr>().map_err(|_| mistakes.push(format!("POD_IP is '{ip}'; it must be an IP address.")));
        let port = port.parse::<u16>().map_err(|_| mistakes.push(format!("MMO_GAME_PORT is '{port}'; it must be a port.")));
        let protocol_id = protocol_id.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(|| {
            mistakes.push(format!("MMO_PROTOCOL_ID is '{protocol_id}'; it must be hexadecimal, such as 0x4d4d4f0000000001."))
        });
        let key = std::fs::read(&key_file)
            .map_err(|error| mistakes.push(format!("MMO_NETCODE_KEY_FILE {key_file} cannot be read: {error}.")))
            .and_then(|bytes| {
                let length = bytes.len();
                <[u8; 32]>::try_from(bytes)
                    .map_err(|_| mistakes.push(format!("MMO_NETCODE_KEY_FILE {key_file} has {length} bytes; it must have 32.")))
            });
        let capacity = capacity.parse::<usize>().map_err(|_| mistakes.push(format!("MMO_CAPACITY is '{capacity}'; it must be a number.")));
        match (ip, port, protocol_id, key, capacity) {
            (Ok(ip), Ok(port), Ok(protocol_id), Ok(key), Ok(capacity)) => Ok(Self {
                address: SocketAddr::new(ip, port),
                protocol_id,
                key,
                broker_url: broker_url.trim_end_matches('/').to_owned(),
                broker_token_file: token_file.into(),
                build,
                capacity,
            }),
            _ => Err(mistakes.join("\n")),
        }
    }
}
