//! What tests share: the emulators, and leoctl as a library and as a program.

pub mod browser;
pub mod census;
pub mod cloud_control;
pub mod emulator;
pub mod inventory;
pub mod live;
#[cfg(target_os = "linux")]
pub mod preload;
pub mod program;
pub mod proxy;
pub mod python;
pub mod render;
pub mod sdk;
pub mod strict;
pub mod strike;
pub mod terminal;
pub mod world;
