//! What tests share: the emulators, and leoctl as a library and as a program.

pub mod emulator;
pub mod program;
pub mod world;
