//! The engine over a cloud in memory, in which a resource is at a place and names are taken as AWS takes them.

mod crash;
mod identity;
mod update;
mod world;
