//! `leoctl comment`: what scripts report to a forge, without any of it being markup.

use std::fs::File;
use std::io::{self, Read};

use super::args::CommentArgs;
use super::{CliError, Exit};
use crate::ui;
use crate::ui::markdown::report;

/// Prints a text as Markdown.
pub fn run(args: &CommentArgs) -> Result<Exit, CliError> {
    let mut bytes = Vec::new();
    let read = match &args.file {
        Some(file) => File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
        None => io::stdin().read_to_end(&mut bytes),
    };
    if let Err(error) = read {
        let place = args.file.as_ref().map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
        return Err(CliError::usage(&format!("cannot read {place}: {error}"), "name a file that can be read, or pipe the text in"));
    }
    let text = String::from_utf8_lossy(&bytes);
    ui::out(report::said(args.marker.as_deref(), &args.title, args.about.as_deref(), &text, args.size.limit).trim_end());
    Ok(Exit::Done)
}
