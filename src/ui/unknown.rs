//! What stands for a value that is known only after apply, and what it waits for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::terminal;
use super::value::UNKNOWN;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::pin::position;
use leoctl_core::model::value::Value;
use leoctl_core::plan::types::Change;

/// What stands for a value that nothing written in the stack decides.
const LEFT_TO_AWS: &str = "(known after apply: AWS chooses it)";

/// How many references are named; more of them say no more.
const NAMED: usize = 3;

/// What the unknowns inside a value wait for.
#[derive(Clone)]
pub struct Waits<'a>(Known<'a>);

#[derive(Clone)]
enum Known<'a> {
    /// Nothing is known of it.
    Nothing,
    /// Nor of it, and all of the value is shown.
    Whole,
    /// All of them wait for these.
    All(&'a [String]),
    /// By path; and where the value stands.
    At(&'a BTreeMap<Path, Vec<String>>, Path),
}

impl<'a> Waits<'a> {
    /// Of a value of which nothing is known but itself.
    pub fn none() -> Self {
        Self(Known::Nothing)
    }

    /// The same, of a value of which also what is empty is shown.
    pub fn none_of_whole() -> Self {
        Self(Known::Whole)
    }

    /// Whether also what is empty is shown.
    pub fn is_whole(&self) -> bool {
        matches!(self.0, Known::Whole)
    }

    /// Of a value that waits for these as a whole.
    pub fn all(references: &'a [String]) -> Self {
        Self(Known::All(references))
    }

    /// Of the value that a change gives an attribute.
    pub fn of(change: &'a Change, attribute: &Path) -> Self {
        by_position(&change.after, attribute).map_or_else(Self::none, |path| Self(Known::At(&change.waits_for, path)))
    }

    /// Of what stands under a key of the value.
    pub fn field(&self, key: &str) -> Self {
        self.inside(Segment::field(key))
    }

    /// Of an element of the value.
    pub fn index(&self, index: usize) -> Self {
        self.inside(Segment::Index(index))
    }

    fn inside(&self, segment: Segment) -> Self {
        match &self.0 {
            Known::At(waits, path) => Self(Known::At(waits, path.join(segment))),
            _ => self.clone(),
        }
    }

    /// Whether nothing written in the stack decides the value: what AWS fills in beside what is written says nothing.
    pub fn is_left_to_aws(&self) -> bool {
        matches!(&self.0, Known::At(waits, path) if !waits.contains_key(path))
    }

    /// What stands for the value when it is unknown: `(known after apply: vpc.main.id)`.
    pub fn text(&self) -> String {
        let references = match &self.0 {
            Known::Nothing | Known::Whole => &[],
            Known::All(references) => *references,
            Known::At(waits, path) => match waits.get(path) {
                Some(references) => references.as_slice(),
                // What waits for no reference is AWS's to say.
                None => return LEFT_TO_AWS.to_owned(),
            },
        };
        let named: Vec<Cow<'_, str>> = references.iter().take(NAMED).map(|reference| terminal::one_line(reference)).collect();
        match (named.is_empty(), references.len().saturating_sub(NAMED)) {
            (true, _) => UNKNOWN.to_owned(),
            (false, 0) => format!("(known after apply: {})", named.join(", ")),
            (false, more) => format!("(known after apply: {} and {more} more)", named.join(", ")),
        }
    }
}

/// A path whose elements of lists go by position, as they are in a value.
fn by_position(value: &Value, path: &Path) -> Option<Path> {
    let (mut at, mut found) = (value, Path::default());
    for segment in &path.0 {
        let step = match segment {
            Segment::Unknown(number) => Segment::Index(nth_unknown(at.as_list()?, *number)?),
            other => match at.as_list() {
                Some(items) => Segment::Index(position(items, other)?),
                None => other.clone(),
            },
        };
        at = match &step {
            Segment::Index(index) => at.as_list()?.get(*index)?,
            other => at.get(other.name()?)?,
        };
        found = found.join(step);
    }
    Some(found)
}

/// The position of an element that is counted among those that are not known yet, from 1.
fn nth_unknown(items: &[Value], number: usize) -> Option<usize> {
    let mut unknown = items.iter().enumerate().filter(|(_, item)| item.has_unknown());
    unknown.nth(number.checked_sub(1)?).map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_named_as_far_as_it_helps() {
        let references: Vec<String> = ["a.b.id", "a.c.id", "a.d.id", "a.e.id", "a.f.id"].map(str::to_owned).to_vec();
        assert_eq!(Waits::all(&[]).text(), "(known after apply)");
        assert_eq!(Waits::all(&references[..1]).text(), "(known after apply: a.b.id)");
        assert_eq!(Waits::all(&references).text(), "(known after apply: a.b.id, a.c.id, a.d.id and 2 more)");
    }

    #[test]
    fn what_waits_for_no_reference_is_left_to_aws() {
        let waits = BTreeMap::from([(Path::attribute("vpc_id"), vec!["vpc.main.id".to_owned()])]);
        let of = |name: &str| Waits(Known::At(&waits, Path::attribute(name))).text();
        assert_eq!(of("vpc_id"), "(known after apply: vpc.main.id)");
        assert_eq!(of("version_consistency"), "(known after apply: AWS chooses it)");
    }

    #[test]
    fn elements_go_by_position() {
        let after = Value::from(serde_json::json!({ "rules": [{ "name": "a" }, { "name": "b", "to": "x" }] }));
        let path = Path::parse(r#"rules["b"].to"#).unwrap();
        assert_eq!(by_position(&after, &path).unwrap().to_string(), "rules[1].to");
    }
}
