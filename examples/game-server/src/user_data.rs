//! What the login service says about a session in the 256 bytes of a token's user data (version 1; the table is in ../../README.md).
//! It deliberately decides nothing: a token cannot be taken back, so the session must be claimed before anybody plays.

/// Bytes of user data in every token.
pub const USER_DATA_BYTES: usize = 256;

/// The fields of version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserData {
    /// The client id that this session's token was made for.
    pub client_id: u64,
    /// Unix seconds.
    pub issued_at: u64,
    /// UUID in lower case, as all three.
    pub account_id: String,
    /// Who plays.
    pub character_id: String,
    /// What is claimed.
    pub session_id: String,
    /// The server that the session is for.
    pub server_id: String,
    /// The build that the server had when the token was made.
    pub build: String,
}

/// Reads the bytes for a connection.
///
/// `client_id` is the connection's own. It is compared, because renetcode 2.0.0 can be made to join the client id of one token with the user
/// data of another: without the comparison a player could enter as whoever's token he holds beside his own.
///
/// # Errors
/// A sentence that says which byte is wrong, without the bytes.
pub fn read_user_data(data: &[u8; USER_DATA_BYTES], client_id: u64) -> Result<UserData, String> {
    if data[0] != 1 {
        return Err(format!("The user data has version {}; this program reads version 1.", data[0]));
    }
    let (server_length, build_length) = (usize::from(data[1]), usize::from(data[2]));
    if !(1..=96).contains(&server_length) || !(1..=64).contains(&build_length) {
        return Err(format!("The user data's server id has {server_length} bytes (1 to 96) and its build {build_length} (1 to 64)."));
    }
    let padding = [3..8, 72 + server_length..168, 168 + build_length..256];
    if let Some(place) = padding.into_iter().flatten().find(|&place| data[place] != 0) {
        return Err(format!("The user data's byte {place} is {}; it must be zero.", data[place]));
    }
    let meant_for = u64_at(data, 8);
    if meant_for != client_id {
        return Err(format!("The user data is of client {meant_for} and the connection of client {client_id}: two tokens were mixed."));
    }
    Ok(UserData {
        client_id,
        issued_at: u64_at(data, 16),
        account_id: uuid_at(data, 24)?,
        character_id: uuid_at(data, 40)?,
        session_id: uuid_at(data, 56)?,
        server_id: text_at(data, 72, server_length)?,
        build: text_at(data, 168, build_length)?,
    })
}

fn u64_at(data: &[u8; USER_DATA_BYTES], at: usize) -> u64 {
    data[at..at + 8].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn uuid_at(data: &[u8; USER_DATA_BYTES], at: usize) -> Result<String, String> {
    let bytes = &data[at..at + 16];
    if bytes.iter().all(|&byte| byte == 0) {
        return Err(format!("The UUID at byte {at} of the user data is nil."));
    }
    Ok(uuid(bytes))
}

/// Sixteen bytes as a UUID is read aloud.
pub fn uuid(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn text_at(data: &[u8; USER_DATA_BYTES], at: usize, length: usize) -> Result<String, String> {
    let text = std::str::from_utf8(&data[at..at + length])
        .map_err(|error| format!("The text at byte {at} of the user data is not UTF-8: {error}."))?;
    if text.chars().any(char::is_control) {
        return Err(format!("The text at byte {at} of the user data has control characters."));
    }
    Ok(text.to_owned())
}
