//! The world and its saves: numbered generations, each a file of its own with a checksum, of which the newest that verifies is loaded.
//! It deliberately never writes into a file that is there: a backup copies the folder file by file at any moment, and a kill comes at any moment too.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What lasts beyond the players who made it. A real game has more of it, and perhaps no JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Seconds that this world has run, over all restarts.
    pub age_seconds: f64,
    /// How often something was found: the next thing's number.
    pub found: u64,
    /// Trees that players planted.
    pub trees: Vec<Tree>,
    /// Where each character was last, by its id. It belongs to the world, not to the character: in another world it means nothing.
    pub positions: BTreeMap<String, [f32; 2]>,
}

/// What a player leaves in the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Chosen by the server.
    pub id: String,
    /// The character's name.
    pub planted_by: String,
    /// The world's age then.
    pub at_age: f64,
    /// Where it stands.
    pub position: [f32; 2],
}

/// Saves are kept for at least this long: longer than a backup takes, so that an older generation is whole while the copy runs.
pub const KEEP: Duration = Duration::from_secs(3600);
/// And never fewer than this, whatever their age: the clock may have jumped.
pub const KEEP_AT_LEAST: usize = 5;

const MAGIC: &str = "mmo-world 1";
const SUFFIX: &str = ".save";
const UNFINISHED: &str = ".part";

/// Why a world cannot be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// There are saves and none verifies: a new world must not take their place.
    NoneVerifies(Vec<String>),
    /// The folder cannot be used.
    Folder(String),
}

/// The folder with a world's saves; locked as long as this lives, because two servers on one volume would overwrite each other.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    _lock: File,
}

/// A world as it was found.
#[derive(Debug)]
pub struct Loaded {
    /// The world; a new one when there was no save at all.
    pub world: World,
    /// Its generation; none for a new world.
    pub generation: Option<u64>,
    /// When it was saved.
    pub saved_at: Option<SystemTime>,
    /// The number of the next save: above all that are there, also those that do not verify.
    pub next_generation: u64,
    /// Saves that do not verify, newest first, each with the reason.
    pub broken: Vec<String>,
}

impl Store {
    /// Opens the folder, making it where it does not exist.
    ///
    /// # Errors
    /// When it cannot be written to, or another server has it.
    pub fn open(directory: &Path) -> Result<Self, LoadError> {
        let failed = |error: io::Error| LoadError::Folder(format!("The world's folder {} cannot be used: {error}.", directory.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(directory.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|_| {
            LoadError::Folder(format!(
                "Another server uses the world's folder {}; two would overwrite each other's saves.",
                directory.display()
            ))
        })?;
        Ok(Self { directory: directory.to_owned(), _lock: lock })
    }

    /// Loads the newest generation that verifies, and removes what a kill left unfinished.
    ///
    /// # Errors
    /// When there are saves and none verifies.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let failed =
            |error: io::Error| LoadError::Folder(format!("The world's folder {} cannot be read: {error}.", self.directory.display()));
        for name in names(&self.directory).map_err(failed)? {
            if name.ends_with(UNFINISHED) {
                fs::remove_file(self.directory.join(name)).map_err(failed)?;
            }
        }
        look(&self.directory)
    }

    /// Writes one generation: a new file with its checksum, `fsync`, rename, `fsync` of the folder. Then removes what need not be kept, also when the
    /// disk said no: on a full one that is what makes room for the next save.
    ///
    /// # Errors
    /// When the disk says no; the newest generations before are untouched then, and nothing unfinished is left.
    pub fn save(&self, generation: u64, world: &World, now: SystemTime) -> io::Result<()> {
        let name = format!("world-{generation:012}");
        let unfinished = self.directory.join(format!("{name}{UNFINISHED}"));
        let written = self.write(&unfinished, &self.directory.join(format!("{name}{SUFFIX}")), world, now);
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        let pruned = self.prune(now);
        written.and(pruned)
    }

    fn write(&self, unfinished: &Path, finished: &Path, world: &World, now: SystemTime) -> io::Result<()> {
        let body = serde_json::to_vec(world)?;
        let mut file = File::create(unfinished)?;
        let saved_at = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        writeln!(file, "{MAGIC} {} {saved_at} {}", checksum(saved_at, &body), body.len())?;
        file.write_all(&body)?;
        file.sync_all()?;
        drop(file);
        fs::rename(unfinished, finished)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Removes generations that are older than `KEEP`, but none of the newest `KEEP_AT_LEAST`. Age is that of the file: a broken one has no other.
    fn prune(&self, now: SystemTime) -> io::Result<()> {
        let saves = generations(&self.directory)?;
        for (_, file) in saves.iter().rev().skip(KEEP_AT_LEAST) {
            let age = now.duration_since(fs::metadata(file)?.modified()?).unwrap_or_default();
            if age > KEEP {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }
}

/// Finds the newest generation of a folder that verifies, and touches nothing: for a backup that somebody wants to know good.
///
/// # Errors
/// When there are saves and none verifies, or the folder cannot be read.
pub fn look(directory: &Path) -> Result<Loaded, LoadError> {
    let saves = generations(directory)
        .map_err(|error| LoadError::Folder(format!("The world's folder {} cannot be read: {error}.", directory.display())))?;
    let next_generation = saves.last().map_or(1, |(generation, _)| generation + 1);
    let mut broken = Vec::new();
    for (generation, file) in saves.iter().rev() {
        match read_save(file) {
            Ok((world, saved_at)) => {
                return Ok(Loaded { world, generation: Some(*generation), saved_at: Some(saved_at), next_generation, broken });
            }
            Err(why) => broken.push(format!("{}: {why}", file.display())),
        }
    }
    if broken.is_empty() {
        Ok(Loaded { world: World::default(), generation: None, saved_at: None, next_generation, broken })
    } else {
        Err(LoadError::NoneVerifies(broken))
    }
}

/// All saves, the oldest first.
fn generations(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found: Vec<_> = names(directory)?
        .into_iter()
        .filter_map(|name| {
            let generation = name.strip_prefix("world-")?.strip_suffix(SUFFIX)?.parse().ok()?;
            Some((generation, directory.join(name)))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Over the time as well: a save whose header was damaged is not believed either.
fn checksum(saved_at: u128, body: &[u8]) -> String {
    let digest = Sha256::new().chain_update(saved_at.to_le_bytes()).chain_update(body).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_save(file: &Path) -> Result<(World, SystemTime), String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("it has no header")?;
    let header = std::str::from_utf8(&bytes[..end]).map_err(|_| "its header is no text")?;
    let body = &bytes[end + 1..];
    let fields = header.strip_prefix(MAGIC).ok_or("it is of another format")?;
    let [sum, saved_at, length] = fields.split_whitespace().collect::<Vec<_>>()[..] else { return Err("its header is incomplete".into()) };
    let saved_at: u128 = saved_at.parse().map_err(|_| "its header has no time")?;
    if length.parse() != Ok(body.len()) {
        return Err(format!("it has {} bytes and says {length}", body.len()));
    }
    if checksum(saved_at, body) != sum {
        return Err("its checksum is another one".into());
    }
    let world = serde_json::from_slice(body).map_err(|error| format!("it cannot be read: {error}"))?;
    let since = Duration::from_millis(u64::try_from(saved_at).map_err(|_| "its time is impossible")?);
    Ok((world, UNIX_EPOCH + since))
}

/// How a save ended.
pub struct Saved {
    /// Which one.
    pub generation: u64,
    /// When it is safe on the disk, or why it is not.
    pub result: Result<SystemTime, String>,
}

/// A thread that saves, so that the game's loop never waits for the disk.
pub struct Saver {
    orders: Sender<(u64, World)>,
    /// Results, in order.
    pub results: Receiver<Saved>,
    thread: JoinHandle<()>,
    next_generation: u64,
}

impl Saver {
    /// Starts the thread; it ends with the Saver.
    pub fn start(store: Store, next_generation: u64) -> Self {
        let (orders, to_save) = channel::<(u64, World)>();
        let (given, results) = channel();
        let thread = std::thread::spawn(move || {
            for (generation, world) in to_save {
                let now = SystemTime::now();
                let result = store.save(generation, &world, now).map(|()| now).map_err(|error| error.to_string());
                if given.send(Saved { generation, result }).is_err() {
                    return;
                }
            }
        });
        Self { orders, results, thread, next_generation }
    }

    /// Orders a save of the world as it is now. @returns its generation; the result comes by `results`
    pub fn save(&mut self, world: &World) -> u64 {
        let generation = self.next_generation;
        self.next_generation += 1;
        // The thread ends only after us.
        let _ = self.orders.send((generation, world.clone()));
        generation
    }

    /// Waits for everything that was ordered.
    pub fn finish(self) {
        drop(self.orders);
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("game-server-world-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            Self(folder)
        }
        fn save(&self, generation: u64) -> PathBuf {
            self.0.join(format!("world-{generation:012}.save"))
        }
        fn store(&self) -> Store {
            Store::open(&self.0).expect("a store")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn aged(age_seconds: f64) -> World {
        World { age_seconds, ..World::default() }
    }

    #[test]
    fn an_empty_folder_is_a_new_world() {
        let folder = Folder::new("new");
        let loaded = folder.store().load().expect("loaded");
        assert_eq!((loaded.generation, loaded.next_generation), (None, 1));
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = Folder::new("saved");
        let store = folder.store();
        let world = World {
            trees: vec![Tree { id: "1".into(), planted_by: "Mira".into(), at_age: 1.5, position: [1.0, 2.0] }],
            positions: [("c".into(), [3.0, 4.0])].into(),
            ..aged(2.0)
        };
        store.save(1, &world, SystemTime::now()).expect("saved");
        assert_eq!(store.load().expect("loaded").world, world);
    }

    #[test]
    fn the_newest_that_verifies_is_loaded() {
        let folder = Folder::new("newest");
        let store = folder.store();
        for generation in 1..=3 {
            store.save(generation, &aged(generation as f64), SystemTime::now()).expect("saved");
        }
        let mut bytes = fs::read(folder.save(3)).expect("read");
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(folder.save(3), bytes).expect("written");
        let loaded = store.load().expect("loaded");
        assert_eq!((loaded.generation, loaded.world.age_seconds), (Some(2), 2.0));
    }

    #[test]
    fn a_save_after_a_broken_one_has_a_number_above_it() {
        let folder = Folder::new("above");
        let store = folder.store();
        store.save(1, &aged(1.0), SystemTime::now()).expect("saved");
        fs::write(folder.save(7), "nothing").expect("written");
        assert_eq!(store.load().expect("loaded").next_generation, 8);
    }

    #[test]
    fn when_no_save_verifies_no_new_world_begins() {
        let folder = Folder::new("none");
        let store = folder.store();
        store.save(1, &aged(1.0), SystemTime::now()).expect("saved");
        fs::write(folder.save(1), "mmo-world 1").expect("written");
        assert!(matches!(store.load(), Err(LoadError::NoneVerifies(broken)) if broken.len() == 1));
    }

    #[test]
    fn every_cut_and_every_changed_byte_of_a_save_is_noticed() {
        let folder = Folder::new("bytes");
        let store = folder.store();
        store.save(1, &aged(1.0), SystemTime::now()).expect("saved");
        let whole = fs::read(folder.save(1)).expect("read");
        for place in 0..whole.len() {
            fs::write(folder.save(1), &whole[..place]).expect("written");
            assert!(read_save(&folder.save(1)).is_err(), "cut at {place}");
            let mut changed = whole.clone();
            changed[place] ^= 0x10;
            fs::write(folder.save(1), changed).expect("written");
            assert!(read_save(&folder.save(1)).is_err(), "changed at {place}");
        }
    }

    #[test]
    fn what_a_kill_left_unfinished_is_removed() {
        let folder = Folder::new("part");
        let store = folder.store();
        fs::write(folder.0.join("world-000000000001.part"), "half").expect("written");
        store.load().expect("loaded");
        assert!(!folder.0.join("world-000000000001.part").exists());
    }

    #[test]
    fn generations_of_the_last_hour_are_kept() {
        let folder = Folder::new("hour");
        let store = folder.store();
        for generation in 1..=20 {
            store.save(generation, &aged(0.0), SystemTime::now()).expect("saved");
        }
        assert_eq!(generations(&folder.0).expect("listed").len(), 20);
    }

    #[test]
    fn older_generations_go_but_for_the_newest_five() {
        let folder = Folder::new("old");
        let store = folder.store();
        for generation in 1..=20 {
            store.save(generation, &aged(0.0), SystemTime::now()).expect("saved");
        }
        store.save(21, &aged(0.0), SystemTime::now() + KEEP + Duration::from_secs(1)).expect("saved");
        let left: Vec<u64> = generations(&folder.0).expect("listed").into_iter().map(|(generation, _)| generation).collect();
        assert_eq!(left, [17, 18, 19, 20, 21]);
    }

    #[test]
    fn a_save_that_fails_makes_room_for_the_next_one() {
        let folder = Folder::new("full");
        let store = folder.store();
        for generation in 1..=20 {
            store.save(generation, &aged(0.0), SystemTime::now()).expect("saved");
        }
        // What is in its way, as a full disk would be.
        fs::create_dir(folder.save(21)).expect("a folder");
        store.save(21, &aged(0.0), SystemTime::now() + KEEP + Duration::from_secs(1)).expect_err("in its way");
        fs::remove_dir(folder.save(21)).expect("removed");
        let left: Vec<u64> = generations(&folder.0).expect("listed").into_iter().map(|(generation, _)| generation).collect();
        assert_eq!(left, [17, 18, 19, 20]);
    }

    #[test]
    fn a_save_that_fails_leaves_nothing_unfinished() {
        let folder = Folder::new("unfinished");
        let store = folder.store();
        fs::create_dir(folder.save(1)).expect("a folder");
        store.save(1, &aged(0.0), SystemTime::now()).expect_err("in its way");
        assert!(!folder.0.join("world-000000000001.part").exists());
    }

    #[test]
    fn a_copy_made_file_by_file_in_the_middle_of_saves_has_the_save_before_it_began() {
        let folder = Folder::new("copy");
        let copy = Folder::new("copied");
        let store = folder.store();
        store.save(1, &aged(1.0), SystemTime::now()).expect("saved");
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Big enough that a copy sees half of it.
                let trees =
                    (0..2000).map(|at| Tree { id: at.to_string(), planted_by: "Mira".into(), at_age: 0.0, position: [0.0; 2] }).collect();
                let world = World { trees, ..World::default() };
                for generation in 2.. {
                    if over.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    store.save(generation, &world, SystemTime::now()).expect("saved");
                }
            });
            for _ in 0..50 {
                fs::create_dir_all(&copy.0).expect("a folder");
                let before = generations(&folder.0).expect("listed").last().expect("a save").0;
                for name in names(&folder.0).expect("listed") {
                    // What was renamed since it was listed is not there any more.
                    let _ = fs::copy(folder.0.join(&name), copy.0.join(&name));
                }
                let restored = look(&copy.0).expect("a restore").generation.expect("a generation");
                assert!(restored >= before, "generation {restored} was restored, and {before} was there");
                fs::remove_dir_all(&copy.0).expect("removed");
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_second_server_does_not_get_the_folder() {
        let folder = Folder::new("lock");
        let _first = folder.store();
        assert!(matches!(Store::open(&folder.0), Err(LoadError::Folder(why)) if why.contains("Another server")));
    }
}
