//! What stands at the end of lines: what an expression yields, and how many there are of what has `for_each`.

use std::ops::Range;

use leoctl_core::stack::outline::{Inside, Scalar};

use super::analysis::InFile;
use super::value;
use crate::ui;

/// The longest hint, in characters.
const LONGEST: usize = 40;

/// A hint behind a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Behind which byte it stands.
    pub at: usize,
    /// What it says.
    pub text: String,
    /// What more there is to say.
    pub tooltip: &'static str,
}

/// The hints of a part of a file: of the values that are one expression.
pub fn hints(file: InFile<'_>, part: &Range<usize>) -> Vec<Hint> {
    let is_seen = |scalar: &Scalar| part.start <= scalar.range.end && scalar.range.start <= part.end;
    let is_whole = |scalar: &Scalar, inside: &Inside| {
        scalar.content.as_ref().is_some_and(|content| content.start + 2 == inside.range.start && content.end == inside.range.end + 1)
    };
    let all = file.outline.expressions(file.text).filter(|(scalar, inside)| is_seen(scalar) && is_whole(scalar, inside) && inside.is_plain);
    all.filter_map(|(scalar, inside)| hint(file, scalar, &inside.source)).collect()
}

fn hint(file: InFile<'_>, scalar: &Scalar, source: &str) -> Option<Hint> {
    let around = value::around(file, scalar.range.start);
    let path: Vec<&str> = file.outline.pair_of(scalar).iter().flat_map(|pair| &pair.path).map(|name| name.text.as_str()).collect();
    if let ["resource", _, _, "for_each"] = path.as_slice()
        && let Some(instances) = around.instances()
    {
        let text = ui::counted(instances.len(), "instance");
        return Some(Hint { at: scalar.range.end, text, tooltip: "How many there are of it" });
    }
    let yields = around.yields(source).filter(|yields| !yields.is_sensitive)?;
    let tooltip = if yields.is_remembered { "As of the last apply" } else { "From what is written" };
    Some(Hint { at: scalar.range.end, text: shortened(&yields.shown), tooltip })
}

/// As much of a text as a hint shows.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_no_longer_than_its_limit() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(41)).chars().count(), LONGEST);
    }
}
