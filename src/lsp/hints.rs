//! What stands at the end of lines: what an expression yields, and how many there are of what has `for_each`.

use std::ops::Range;

use super::analysis::InFile;
use super::value;

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

/// The hints of a part of a file.
pub fn hints(file: InFile<'_>, part: &Range<usize>) -> Vec<Hint> {
    let mut found: Vec<Hint> = Vec::new();
    for (scalar, inside) in file.outline.expressions(file.text) {
        let is_seen = part.start <= scalar.range.end && scalar.range.start <= part.end;
        let is_first = found.last().is_none_or(|last| last.at != scalar.range.end);
        if !is_seen || !is_first || !inside.is_closed || !inside.is_plain || file.text.get(inside.range.end..scalar.range.end).is_none() {
            continue;
        }
        let around = value::around(file, scalar.range.start);
        let key = file.outline.pair_of(scalar).and_then(|pair| pair.path.last()).map(|name| name.text.as_str());
        let depth = file.outline.pair_of(scalar).map_or(0, |pair| pair.path.len());
        if let (Some("for_each"), 4, Some(instances)) = (key, depth, around.instances()) {
            let text = if instances.len() == 1 { "1 instance".to_owned() } else { format!("{} instances", instances.len()) };
            found.push(Hint { at: scalar.range.end, text, tooltip: "How many there are of it" });
            continue;
        }
        // Of a text with several expressions the whole is shown.
        let content = scalar.content.clone().and_then(|content| file.text.get(content)).unwrap_or_default();
        let whole = inside.range.start - 2 == scalar.content.as_ref().map_or(0, |content| content.start)
            && content.len() == inside.source.len() + 3;
        let yields = if whole { around.yields(&inside.source) } else { None };
        let Some(yields) = yields.filter(|yields| !yields.is_sensitive) else { continue };
        let tooltip = if yields.is_remembered { "As of the last apply" } else { "From what is written" };
        found.push(Hint { at: scalar.range.end, text: shortened(&yields.shown), tooltip });
    }
    found
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
