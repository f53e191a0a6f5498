//! What is meant by what was written behind `--accept`.

use super::Asked;
use crate::model::address::Address;
use crate::model::path::Path;
use crate::plan::types::Drift;
use crate::stack::Stack;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};

/// Every difference that is meant, each once. What is gone from AWS is refused.
///
/// # Errors
/// When a text means nothing that has drifted.
pub(super) fn all<'a>(
    stack: &Stack,
    drift: &'a [Drift],
    texts: &[String],
    refused: &mut Vec<Diagnostic>,
) -> Result<Vec<Asked<'a>>, Diagnostics> {
    let mut found: Vec<Asked<'a>> = Vec::new();
    let mut mistakes = Diagnostics::default();
    for text in texts {
        let meant = drift.iter().filter_map(|drift| Some((drift, behind(text, &drift.address)?)));
        let Some((drift, rest)) = meant.min_by_key(|(_, rest)| rest.len()) else {
            mistakes.push(unknown(drift, text));
            continue;
        };
        if let Some(loss) = &drift.loss {
            refused.push(gone(stack, drift, loss));
            continue;
        }
        let Some(path) = Path::parse(rest) else {
            mistakes.push(no_path(drift, text));
            continue;
        };
        let inside: Vec<_> = drift.attributes.iter().filter(|change| change.path.starts_with(&path)).collect();
        if inside.is_empty() {
            mistakes.push(no_path(drift, text));
        }
        for change in inside {
            let is_known = |known: &Asked<'_>| known.drift.address == drift.address && known.change.path == change.path;
            if !found.iter().any(is_known) {
                found.push(Asked { drift, change });
            }
        }
    }
    if mistakes.has_errors() { Err(mistakes) } else { Ok(found) }
}

/// What stands behind an address in a text: nothing, or a path. Shells eat the quotes of keys.
fn behind<'t>(text: &'t str, address: &Address) -> Option<&'t str> {
    let address = address.to_string();
    let bare = address.replace('"', "");
    let rest = text.strip_prefix(&address).or_else(|| text.strip_prefix(&bare))?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

fn unknown(drift: &[Drift], text: &str) -> Diagnostic {
    let diagnostic = Diagnostic::general(Code::NotAccepted, format!("nothing of `{text}` has changed outside leoctl"));
    diagnostic.help(match drift {
        [] => "nothing has: `leoctl drift` would be empty".to_owned(),
        some => {
            let names: Vec<String> = some.iter().map(|one| one.address.to_string()).collect();
            format!("what has changed: {}", names.join(", "))
        }
    })
}

fn no_path(drift: &Drift, text: &str) -> Diagnostic {
    let paths: Vec<String> = drift.attributes.iter().map(|change| change.path.to_string()).collect();
    Diagnostic::general(Code::NotAccepted, format!("`{text}` has not changed outside leoctl")).about(&drift.address).help(format!(
        "what has changed of {}: {}",
        drift.address,
        paths.join(", ")
    ))
}

fn gone(stack: &Stack, drift: &Drift, loss: &str) -> Diagnostic {
    let address = &drift.address;
    let span = stack.config.resources.get(&address.block).map(|block| &block.span);
    Diagnostic::at(Code::NotAccepted, span, format!("{address} ({}) {loss}: there is no value to write", drift.id))
        .about(address)
        .help("to leave it so, take its block out; to have it again, apply")
}
