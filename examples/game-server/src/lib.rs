//! A game server that keeps the platform's contract (docs/game-server.md), to copy from. README.md says what is where.

pub mod agones;
pub mod broker;
pub mod config;
pub mod drain;
pub mod game;
pub mod log;
pub mod messages;
pub mod metrics;
pub mod net;
pub mod status;
pub mod user_data;
pub mod world;
