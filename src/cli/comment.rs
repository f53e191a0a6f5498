//! `leoctl comment`: what scripts report to a forge, without any of it being markup.

use std::io;

use super::args::CommentArgs;
use super::{CliError, Exit};
use crate::ui::markdown::report;
use crate::{disk, ui};

/// Prints a text as Markdown.
pub fn run(args: &CommentArgs) -> Result<Exit, CliError> {
    let read = match &args.file {
        Some(file) => disk::read_bounded(file, disk::LARGEST),
        None => disk::bounded(io::stdin(), disk::LARGEST),
    };
    let bytes = read.map_err(|error| {
        let place = args.file.as_ref().map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
        CliError::usage(&format!("cannot read {place}: {error}"), "name a file that can be read, or pipe the text in")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    ui::out(report::said(args.marker.as_deref(), &args.title, args.about.as_deref(), &text, args.size.limit).trim_end());
    Ok(Exit::Done)
}
