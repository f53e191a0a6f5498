//! `leoctl man`: the manual pages, which packages carry.

use std::fs;
use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;
use super::{CliError, Context, Exit};

/// Writes a page for leoctl, and one for each of its commands.
pub fn run(context: &Context, folder: &Path) -> Result<Exit, CliError> {
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written
        .map_err(|error| CliError::usage(&format!("cannot write to {}: {error}", folder.display()), "name a folder that can be written"))?;
    context.say(&format!("The manual pages are in {}.", folder.display()));
    Ok(Exit::Done)
}
