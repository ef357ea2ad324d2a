//! What client and server say to each other, as JSON: a real game has a smaller encoding, and the same need for one place that defines it.
//! It deliberately holds no rules.

use serde::{Deserialize, Serialize};

/// What a player wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Wish {
    /// Look for something to keep.
    Find,
    /// Plant a tree where one stands.
    Plant,
    /// See the world and oneself.
    Look,
    /// Go elsewhere in this world.
    Move {
        /// East.
        x: f32,
        /// North.
        y: f32,
    },
    /// Say something to everybody here.
    Say {
        /// At most 200 characters count.
        text: String,
    },
    /// Ask for an instance of a content type.
    Enter {
        /// Such as `dungeon`.
        content: String,
    },
    /// Leave for the other server that one has a token for.
    Go,
    /// Log out.
    Leave,
    /// Be answered; sent without repetition, so that what is lost is seen.
    Ping {
        /// Comes back.
        n: u64,
    },
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Word {
    /// The session is claimed: one plays.
    Welcome {
        /// `aurora/eldermoor`, or the content type.
        server: String,
        /// How hard the instance is; none in a world.
        #[serde(skip_serializing_if = "Option::is_none")]
        difficulty: Option<String>,
        /// The character's name.
        character: String,
        /// What it has.
        items: Vec<Item>,
        /// Where it was last in this world.
        position: [f32; 2],
    },
    /// Something was found; it is stored already.
    Found {
        /// What.
        item: Item,
    },
    /// A tree stands.
    Planted {
        /// Its id.
        tree: String,
    },
    /// What is here.
    Seen {
        /// Seconds that this world has run.
        age_seconds: f64,
        /// Ids of the trees, the newest first, at most 100.
        trees: Vec<String>,
        /// Players who are here.
        players: usize,
        /// What one has.
        items: Vec<Item>,
        /// Where one stands.
        position: [f32; 2],
    },
    /// Somebody said something.
    Chat {
        /// The character's name.
        from: String,
        /// What.
        text: String,
    },
    /// The operator or the server itself says something.
    Announcement {
        /// For people.
        message: String,
        /// Until the server stops; none: it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// The instance is there, or on its way: `POST /v1/instances/{id}/connect`, then `go`.
    Go {
        /// For the broker.
        instance_id: String,
    },
    /// A wish is not granted.
    Refused {
        /// A sentence.
        why: String,
    },
    /// The connection ends.
    Bye {
        /// A sentence.
        why: String,
    },
    /// To a ping.
    Pong {
        /// The ping's.
        n: u64,
    },
}

/// A thing that a character has. Its id is made when it is found, so that whoever counts can see that it is there once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// A UUID.
    pub id: String,
    /// What it is.
    pub name: String,
    /// Where it was found: `aurora/eldermoor`, or the content type.
    pub from: String,
}

/// What the broker keeps of a character for the game: opaque to it, at most 64 KiB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Character {
    /// Of this format; a later server can read an earlier one's.
    pub version: u32,
    /// What it has.
    pub items: Vec<Item>,
}

impl Character {
    /// The format that this server writes.
    pub const VERSION: u32 = 1;

    /// Reads what the claim brought; a new character has nothing.
    ///
    /// # Errors
    /// When it is of a later format or none: such a character must not be overwritten.
    pub fn read(state: Option<&[u8]>) -> Result<Self, String> {
        let Some(state) = state else { return Ok(Self { version: Self::VERSION, items: Vec::new() }) };
        let character: Self = serde_json::from_slice(state).map_err(|error| format!("The character's state cannot be read: {error}."))?;
        if character.version != Self::VERSION {
            return Err(format!("The character's state has version {}; this server knows version {}.", character.version, Self::VERSION));
        }
        Ok(character)
    }

    /// What a save or the release stores.
    pub fn write(&self) -> Vec<u8> {
        // Strings and a list of them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_character_has_nothing() {
        assert_eq!(Character::read(None).expect("new").items, []);
    }

    #[test]
    fn a_character_is_read_as_it_was_written() {
        let item = Item { id: "1".into(), name: "a lantern".into(), from: "dungeon".into() };
        let character = Character { version: Character::VERSION, items: vec![item] };
        assert_eq!(Character::read(Some(&character.write())), Ok(character));
    }

    #[test]
    fn a_character_of_a_later_server_is_refused() {
        assert!(Character::read(Some(br#"{"version":2,"items":[]}"#)).is_err());
    }

    #[test]
    fn a_wish_is_read_from_json() {
        assert_eq!(
            serde_json::from_str::<Wish>(r#"{"do":"enter","content":"dungeon"}"#).expect("a wish"),
            Wish::Enter { content: "dungeon".into() }
        );
    }
}
