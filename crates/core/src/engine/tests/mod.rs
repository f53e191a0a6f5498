//! The engine over a cloud in memory, in which a resource is at a place and names are taken as AWS takes them.

mod accounts;
mod claims;
mod crash;
mod edges;
mod exchange;
mod governed;
mod hanging;
mod identity;
mod interrupt;
mod late;
mod law;
mod left_out;
mod outputs;
mod secrets;
mod selection;
mod shelf;
mod state_only;
mod staying;
mod update;
mod widen;
mod world;
