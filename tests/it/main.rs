//! Everything that is tested through more than one module: one binary, because each links the whole SDK.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_macros,
    clippy::string_slice,
    reason = "tests may fail loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod accepting;
mod accounts;
mod agent;
mod app_gen;
mod building;
mod careful;
mod cases;
mod changed;
mod changing_calls;
mod ci;
mod cli;
mod cloud_control;
mod conformance;
mod console;
mod constraints;
mod cost;
mod data_sources;
mod devbox;
mod diagnostics;
mod docker;
mod docs;
mod encryption;
mod engine;
mod exec;
mod explain;
mod faults;
mod fidelity;
mod fmt;
mod fuzz;
mod gaps;
mod graph;
mod growing;
mod guides;
mod held;
mod hostile;
mod https;
mod iam_policy;
mod init;
mod leo;
mod limits;
mod live;
mod logs;
mod lost;
mod lsp;
mod markdown;
mod mcp;
mod modules;
mod moved;
mod neighbours;
mod noise;
mod operate;
mod operating;
mod orders;
mod peers;
mod pictures;
mod planning;
mod platforms;
mod points;
mod preflight;
mod priorities;
mod recordings;
mod reference;
mod refused;
mod release;
mod releases;
mod repeated;
mod reports;
mod review;
mod rollouts;
mod sandbox;
mod schema;
mod secrecy;
mod secrets;
mod services;
mod stats;
mod status;
mod stores;
mod strict;
mod sweep;
mod tasks;
mod terminal;
mod threats;
mod upgrade;
mod variables;
