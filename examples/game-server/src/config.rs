//! What the server is started with: the environment that the platform gives it (docs/game-server.md).
//! In a pod nothing is guessed. Outside of one (`POD_NAME` is not set) every variable has a default that fits the laptop's broker (`npm run broker`).
//! It deliberately starts nothing; all mistakes are told at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What only one of the two kinds of server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One continent of a realm: one process, one volume, for months.
    World {
        /// `MMO_REALM`.
        realm: String,
        /// `MMO_CONTINENT`.
        continent: String,
        /// `MMO_WORLD_DIRECTORY`.
        directory: PathBuf,
        /// `MMO_ANNOUNCE_SECONDS`: how long players are warned before a stop. The order to warn names its seconds again.
        announce: Duration,
        /// `MMO_SAVE_SECONDS`: how long the end may take, from SIGTERM to the exit.
        save: Duration,
    },
    /// A server of instanced content, which Agones starts and the broker allocates.
    Instance {
        /// `MMO_CONTENT_TYPE`.
        content_type: String,
        /// `MMO_ROOMS`.
        rooms: u32,
        /// `MMO_LIFETIME_SECONDS`: longest life of an instance, from its allocation on.
        lifetime: Duration,
    },
}

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// World or instance.
    pub kind: Kind,
    /// `MMO_CAPACITY`: players at once.
    pub capacity: usize,
    /// `MMO_BUILD`.
    pub build: String,
    /// `MMO_PROTOCOL_ID`.
    pub protocol_id: u64,
    /// Content of `MMO_NETCODE_KEY_FILE`.
    pub key: [u8; 32],
    /// `MMO_NETCODE_KEY_GENERATION`.
    pub key_generation: u32,
    /// `POD_IP` and `MMO_GAME_PORT`: the only address that connect tokens name for this server. Not the one that players dial.
    pub address: SocketAddr,
    /// Where sockets are bound: all addresses in a pod, and loopback alone on a laptop.
    pub bind: IpAddr,
    /// `MMO_STATUS_PORT`.
    pub status_port: u16,
    /// `MMO_METRICS_PORT`.
    pub metrics_port: u16,
    /// `MMO_BROKER_URL`, without a slash at its end.
    pub broker_url: String,
    /// `MMO_BROKER_TOKEN_FILE`; read again for every call, because the token changes.
    pub broker_token_file: PathBuf,
    /// `MMO_GRACE_SECONDS`: from the order to stop to the kill, all included.
    pub grace: Duration,
}

/// Reads variables, notes mistakes, and knows the defaults of a laptop.
struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    laptop: bool,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn text(&mut self, name: &str, on_a_laptop: &str) -> String {
        match (self.get)(name).filter(|value| !value.is_empty()) {
            Some(value) => value,
            None if self.laptop => on_a_laptop.to_owned(),
            None => {
                self.mistakes.push(format!("{name} is not set; in a pod (POD_NAME is set) nothing is guessed."));
                String::new()
            }
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, on_a_laptop: &str, what: &str) -> Option<T> {
        let text = self.text(name, on_a_laptop);
        let parsed = text.parse().ok();
        if parsed.is_none() && !text.is_empty() {
            self.mistakes.push(format!("{name} is '{text}'; it must be {what}."));
        }
        parsed
    }

    fn seconds(&mut self, name: &str, on_a_laptop: &str) -> Duration {
        Duration::from_secs(self.parsed::<u32>(name, on_a_laptop, "a number of seconds").unwrap_or_default().into())
    }
}

impl Config {
    /// Reads the process's own environment.
    ///
    /// # Errors
    /// Every mistake at once, a line each.
    pub fn from_environment() -> Result<Self, String> {
        let folder = std::env::current_dir().map_err(|error| format!("The current folder cannot be read: {error}."))?;
        Self::read(&|name| std::env::var(name).ok(), &folder)
    }

    /// Reads variables from `get`; `folder` is where a laptop's server looks for the laptop's broker, and in the folders above.
    ///
    /// # Errors
    /// Every mistake at once, a line each.
    pub fn read(get: &dyn Fn(&str) -> Option<String>, folder: &Path) -> Result<Self, String> {
        let laptop = get("POD_NAME").is_none();
        let mut reader = Reader { get, laptop, mistakes: Vec::new() };
        let home = broker_home(folder);
        let in_home = |name: &str| home.join(name).to_string_lossy().into_owned();

        let kind_name = reader.text("MMO_KIND", "world");
        let (kind, port, key_file, token_file) = if kind_name == "instance" {
            let content_type = reader.text("MMO_CONTENT_TYPE", "dungeon");
            let rooms = reader.parsed("MMO_ROOMS", "1", "a number").unwrap_or(1);
            let lifetime = reader.seconds("MMO_LIFETIME_SECONDS", "86400");
            let files = (
                in_home(&format!("netcode-keys/instance.{content_type}.1")),
                in_home(&format!("game-server-tokens/instance-{content_type}")),
            );
            (Kind::Instance { content_type, rooms, lifetime }, "40100", files.0, files.1)
        } else {
            if kind_name != "world" && !kind_name.is_empty() {
                reader.mistakes.push(format!("MMO_KIND is '{kind_name}'; it must be world or instance."));
            }
            let (realm, continent) = (reader.text("MMO_REALM", "aurora"), reader.text("MMO_CONTINENT", "eldermoor"));
            let files =
                (in_home(&format!("netcode-keys/realm.{realm}.1")), in_home(&format!("game-server-tokens/world-{realm}-{continent}")));
            let directory =
                reader.text("MMO_WORLD_DIRECTORY", &folder.join(format!(".world/{realm}-{continent}")).to_string_lossy()).into();
            let (announce, save) = (reader.seconds("MMO_ANNOUNCE_SECONDS", "5"), reader.seconds("MMO_SAVE_SECONDS", "10"));
            (Kind::World { realm, continent, directory, announce, save }, "40000", files.0, files.1)
        };

        let capacity = reader.parsed::<usize>("MMO_CAPACITY", "100", "a number of players");
        if let Some(capacity) = capacity.filter(|capacity| !(1..=MOST_PLAYERS).contains(capacity)) {
            reader.mistakes.push(format!("MMO_CAPACITY is {capacity}; netcode serves 1 to {MOST_PLAYERS} players."));
        }
        let build = reader.text("MMO_BUILD", "0.1.0");
        let protocol_text = reader.text("MMO_PROTOCOL_ID", "0x4d4d4f0000000001");
        let protocol_id = protocol_text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if protocol_id.is_none() && !protocol_text.is_empty() {
            reader.mistakes.push(format!("MMO_PROTOCOL_ID is '{protocol_text}'; it must be hexadecimal, such as 0x4d4d4f0000000001."));
        }
        let game_port = reader.parsed::<u16>("MMO_GAME_PORT", port, "a port");
        let status_port = reader.parsed::<u16>("MMO_STATUS_PORT", "7780", "a port");
        let metrics_port = reader.parsed::<u16>("MMO_METRICS_PORT", "7781", "a port");
        for (name, port) in [("MMO_STATUS_PORT", status_port), ("MMO_METRICS_PORT", metrics_port)] {
            if let Some(port) = port.filter(|port| SIDECAR_PORTS.contains(port)) {
                reader.mistakes.push(format!("{name} is {port}, which Agones' sidecar has; take another one."));
            }
        }
        let ip = reader.parsed::<IpAddr>("POD_IP", "127.0.0.1", "an IP address");
        // Not the platform's: for a test that runs pods as processes, which have no network namespace of their own.
        let bind = get("BIND_ADDRESS").map(|text| {
            text.parse::<IpAddr>().unwrap_or_else(|_| {
                reader.mistakes.push(format!("BIND_ADDRESS is '{text}'; it must be an IP address."));
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            })
        });
        let key_generation = reader.parsed::<u32>("MMO_NETCODE_KEY_GENERATION", "1", "a number");
        let broker_url = reader.text("MMO_BROKER_URL", "http://127.0.0.1:8081").trim_end_matches('/').to_owned();
        let broker_token_file = PathBuf::from(reader.text("MMO_BROKER_TOKEN_FILE", &token_file));
        let grace = reader.seconds("MMO_GRACE_SECONDS", "30");
        let key_file = reader.text("MMO_NETCODE_KEY_FILE", &key_file);
        let key = read_key(&key_file, laptop).map_err(|mistake| reader.mistakes.push(mistake)).ok();

        match (capacity, protocol_id, game_port, status_port, metrics_port, ip, key_generation, key) {
            (
                Some(capacity),
                Some(protocol_id),
                Some(port),
                Some(status_port),
                Some(metrics_port),
                Some(ip),
                Some(key_generation),
                Some(key),
            ) if reader.mistakes.is_empty() => Ok(Self {
                kind,
                capacity,
                build,
                protocol_id,
                key,
                key_generation,
                address: SocketAddr::new(ip, port),
                bind: bind.unwrap_or_else(|| bind_address(ip, laptop)),
                status_port,
                metrics_port,
                broker_url,
                broker_token_file,
                grace,
            }),
            _ => Err(reader.mistakes.join("\n")),
        }
    }

    /// What the server is called in its log and to players: `aurora/eldermoor` or the content type.
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::World { realm, continent, .. } => format!("{realm}/{continent}"),
            Kind::Instance { content_type, .. } => content_type.clone(),
        }
    }
}

/// What renetcode's server has room for.
const MOST_PLAYERS: usize = 1024;
/// gRPC, HTTP and health of Agones' sidecar, which is in the same network namespace.
const SIDECAR_PORTS: [u16; 3] = [9357, 9358, 8080];

/// The folder of the laptop's broker: `.broker` here or in a folder above, as git looks for its own.
fn broker_home(folder: &Path) -> PathBuf {
    folder.ancestors().map(|above| above.join(".broker")).find(|home| home.is_dir()).unwrap_or_else(|| folder.join(".broker"))
}

/// In a pod all addresses: its own is not known to be the only one. A server whose address is a loopback one is nobody else's business.
fn bind_address(ip: IpAddr, laptop: bool) -> IpAddr {
    if laptop || ip.is_loopback() {
        ip
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    }
}

fn read_key(file: &str, laptop: bool) -> Result<[u8; 32], String> {
    if file.is_empty() {
        return Err("There is no key without MMO_NETCODE_KEY_FILE.".into());
    }
    let hint = if laptop { " On a laptop start the broker first (npm run broker): it makes the keys." } else { "" };
    let bytes = std::fs::read(file).map_err(|error| format!("MMO_NETCODE_KEY_FILE {file} cannot be read: {error}.{hint}"))?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| format!("MMO_NETCODE_KEY_FILE {file} has {length} bytes; it must have 32."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("game-server-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(folder.join(".broker/netcode-keys")).expect("a temporary folder");
        std::fs::write(folder.join(".broker/netcode-keys/realm.aurora.1"), [7; 32]).expect("a key");
        folder
    }

    fn read(folder: &Path, variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()), folder)
    }

    #[test]
    fn a_laptop_needs_no_variable() {
        let folder = folder("defaults");
        let config = read(&folder, &[]).expect("defaults");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(config.address, SocketAddr::from(([127, 0, 0, 1], 40_000)));
        assert_eq!(config.title(), "aurora/eldermoor");
    }

    #[test]
    fn the_laptops_broker_is_found_in_a_folder_above() {
        let folder = folder("above");
        let below = folder.join("examples/game-server");
        std::fs::create_dir_all(&below).expect("a folder");
        let config = read(&below, &[]).expect("defaults");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(config.key, [7; 32]);
    }

    #[test]
    fn a_laptop_listens_on_its_own_address_alone() {
        assert_eq!(bind_address(IpAddr::from([127, 0, 0, 1]), true), IpAddr::from([127, 0, 0, 1]));
    }

    #[test]
    fn a_pod_listens_on_all_addresses() {
        assert_eq!(bind_address(IpAddr::from([10, 42, 0, 7]), false), IpAddr::from([0, 0, 0, 0]));
    }

    #[test]
    fn a_pod_guesses_nothing_and_tells_every_mistake() {
        let error = read(Path::new("/"), &[("POD_NAME", "eldermoor-0"), ("MMO_CAPACITY", "many")]).expect_err("mistakes");
        for name in
            ["MMO_KIND", "MMO_REALM", "MMO_CAPACITY is 'many'", "MMO_PROTOCOL_ID", "POD_IP", "MMO_NETCODE_KEY_FILE", "MMO_GRACE_SECONDS"]
        {
            assert!(error.contains(name), "{name} is not in:\n{error}");
        }
    }

    #[test]
    fn a_port_of_agones_sidecar_is_refused() {
        let folder = folder("sidecar");
        let error = read(&folder, &[("MMO_METRICS_PORT", "8080")]).expect_err("a mistake");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(error.contains("MMO_METRICS_PORT is 8080"), "{error}");
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let folder = folder("key");
        std::fs::write(folder.join(".broker/netcode-keys/realm.aurora.1"), [7; 31]).expect("a key");
        let error = read(&folder, &[]).expect_err("a mistake");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(error.contains("has 31 bytes"), "{error}");
    }
}
