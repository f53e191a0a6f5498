//! The nouns: addresses, paths, values, schemas and the state file. Pure data, no I/O.

pub mod address;
pub mod base64;
pub mod canonical;
pub mod catalog;
pub mod delivery;
pub mod fit;
pub mod hide;
pub mod journal;
pub mod kms_key;
pub mod module;
pub mod path;
pub mod pem;
pub mod percent;
pub mod pin;
pub mod place;
pub mod policy;
pub mod redact;
pub mod relation;
pub mod schema;
pub mod schemas;
pub mod secrecy;
pub mod selector;
pub mod state;
pub mod upgrade;
pub mod value;
