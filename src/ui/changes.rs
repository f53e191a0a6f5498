//! What changes of a resource, as lines with signs: coloured on a terminal, and in a diff in a pull request's comment.

use std::collections::BTreeMap;

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::unknown::Waits;
use super::value::{self, MASK};
use super::{ADD, CHANGE, FAINT, REMOVE, WARN, styled, terminal};
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::types::{Action, Change, Drift, OutputChange, Removal, RemovalKind};

/// How far the lines of a changed text stand in from their attribute.
const INSIDE: usize = 4;
/// How many unchanged lines are shown around changed ones.
const AROUND: usize = 2;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Something that stays.
    None,
    /// Something that comes.
    Add,
    /// Something that changes.
    Change,
    /// Something that goes.
    Remove,
    /// Something that is not spoken of any more, and stays.
    Forget,
}

impl Sign {
    fn on_terminal(self) -> (Style, &'static str) {
        match self {
            Self::None => (Style::new(), ""),
            Self::Add => (ADD, "+"),
            Self::Change => (CHANGE, "~"),
            Self::Remove => (REMOVE, "-"),
            Self::Forget => (FAINT, "."),
        }
    }

    /// As forges colour diffs, which have `!` for a change.
    fn in_diff(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Forget => None,
            Self::Add => Some("+"),
            Self::Change => Some("!"),
            Self::Remove => Some("-"),
        }
    }
}

/// A line about a change.
#[derive(Clone, Debug)]
pub struct Line {
    indent: usize,
    sign: Sign,
    /// What it says, maybe with styles, in one line.
    text: String,
    /// Whether all of it has the colour of its sign.
    coloured: bool,
}

impl Line {
    fn new(indent: usize, sign: Sign, text: impl AsRef<str>) -> Self {
        Self { indent, sign, text: terminal::cell(text.as_ref()), coloured: false }
    }

    /// The line for a terminal, this much further in.
    fn on_terminal(&self, indent: usize) -> String {
        let indent = " ".repeat(self.indent + indent);
        match self.sign.on_terminal() {
            (_, "") => format!("{indent}{}", self.text),
            (style, sign) if self.coloured => format!("{indent}{}", styled(style, format!("{sign} {}", self.text))),
            (style, sign) => format!("{indent}{} {}", styled(style, sign), self.text),
        }
    }
}

/// Lines for a terminal, this much further in.
pub fn on_terminal(lines: &[Line], indent: usize) -> Vec<String> {
    lines.iter().map(|line| line.on_terminal(indent)).collect()
}

/// Lines of a diff, without colours, each with its sign in front; those without a sign have `other` there.
pub fn in_diff(lines: &[Line], other: &str) -> Vec<String> {
    let least = lines.iter().map(|line| line.indent).min().unwrap_or_default();
    let shown = lines.iter().map(|line| {
        let (indent, text) = (line.indent - least, terminal::plain(&line.text));
        match line.sign.in_diff() {
            Some(sign) => format!("{sign} {:indent$}{text}", ""),
            None => format!("{other}{:indent$}{text}", ""),
        }
    });
    shown.collect()
}

/// What changes of a resource, without its title.
pub fn of(change: &Change) -> Vec<Line> {
    let mut lines: Vec<Line> = change.deposed.iter().map(predecessor).collect();
    // What goes away is known by its address and id: repeating all of it would bury what matters.
    if matches!(change.action, Action::Delete | Action::Forget) {
        return lines;
    }
    let creates = change.action == Action::Create;
    for attribute in change.attributes.iter().filter(|attribute| !(creates && is_noise(change, attribute))) {
        let waits = Waits::of(change, &attribute.path);
        lines.extend(if creates { created(change, attribute, &waits) } else { changed(attribute, &waits) });
    }
    lines
}

/// What becomes of a predecessor.
fn predecessor(removal: &Removal) -> Line {
    let id = &removal.remembered.place.id;
    match removal.kind {
        RemovalKind::Delete => Line::new(0, Sign::Remove, format!("{id}, left by an interrupted replacement")),
        // It may be one that another was taken over instead of, too.
        RemovalKind::Forget => Line::new(0, Sign::Forget, format!("{id} is forgotten, and nothing is deleted in AWS")),
    }
}

/// What changed of a resource outside leoctl.
pub fn drift(drift: &Drift) -> Vec<Line> {
    // Nothing is replaced by what has happened already.
    let happened =
        |attribute: &AttributeChange| changed(&AttributeChange { forces_replacement: false, ..attribute.clone() }, &Waits::none());
    drift.attributes.iter().flat_map(happened).collect()
}

/// The outputs that change.
pub fn outputs(outputs: &BTreeMap<String, OutputChange>) -> Vec<Line> {
    let changing = outputs.iter().filter(|(_, output)| output.is_change());
    let lines = changing.flat_map(|(name, output)| {
        compared(&terminal::one_line(name), (output.before.as_ref(), output.after.as_ref()), &Waits::all(&output.waits_for), "")
    });
    lines.collect()
}

/// What only AWS will know, which nobody wrote: an unknown attribute that is left to AWS.
fn is_noise(change: &Change, attribute: &AttributeChange) -> bool {
    matches!(attribute.after, Some(Value::Unknown)) && attribute.server_chosen && !is_written(change, attribute)
}

/// Whether the stack file says something of an attribute.
fn is_written(change: &Change, attribute: &AttributeChange) -> bool {
    change.authored.iter().any(|path| path.root() == attribute.path.root())
}

fn created(change: &Change, attribute: &AttributeChange, waits: &Waits<'_>) -> Vec<Line> {
    let Some(written) = &attribute.after else { return Vec::new() };
    let after = without_ownership(&attribute.path, written);
    // What somebody wrote as empty may be another thing to AWS than what nobody wrote.
    let is_meant = value::is_empty(written) && is_written(change, attribute);
    if value::is_empty(&after) && !is_meant {
        return Vec::new();
    }
    let shown = if attribute.sensitive { vec![MASK.to_owned()] } else { value::lines_with(&after, waits) };
    block(Sign::None, &attribute.path.to_string(), &shown, "")
}

/// The tags without leoctl's own.
fn without_ownership(path: &Path, value: &Value) -> Value {
    match value {
        Value::Map(map) if path.root() == Some("tags") => {
            Value::Map(map.iter().filter(|(key, _)| !key.starts_with("leoctl:")).map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        other => other.clone(),
    }
}

/// `name = value` in as many lines as the value takes, with `end` behind the first.
fn block(sign: Sign, name: &str, value: &[String], end: &str) -> Vec<Line> {
    let hang = if sign == Sign::None { 0 } else { 2 };
    let line = |(at, content): (usize, &String)| match at {
        0 => Line::new(0, sign, format!("{name} = {content}{end}")),
        _ => Line::new(hang, Sign::None, content),
    };
    value.iter().enumerate().map(line).collect()
}

/// A path without what stands beside it anyway: members of sets have their values for a name.
fn place(attribute: &AttributeChange) -> String {
    let path = &attribute.path;
    let is_itself = |name: &str| [&attribute.before, &attribute.after].into_iter().flatten().any(|value| value.as_str() == Some(name));
    let is_named = |(at, segment): (usize, &Segment)| match segment {
        Segment::Name(name) if name.is_shown_as_element() => {
            let name = name.as_str();
            !(name.is_empty() || name.starts_with('{') || at + 1 == path.0.len() && is_itself(name))
        }
        Segment::Unknown(_) => false,
        Segment::Name(_) | Segment::Index(_) | Segment::Hidden(_) => true,
    };
    let named = path.0.iter().enumerate().take_while(|one| is_named(*one)).count();
    let part = |from: usize, to: usize| Path(path.0.iter().skip(from).take(to.saturating_sub(from)).cloned().collect());
    let (before, after) = (part(0, named), part(named + 1, path.0.len()));
    match (named < path.0.len(), after.0.is_empty()) {
        (true, true) => format!("{before}[]"),
        (true, false) => format!("{before}[].{after}"),
        (false, _) => path.to_string(),
    }
}

fn changed(attribute: &AttributeChange, waits: &Waits<'_>) -> Vec<Line> {
    let forces = if attribute.forces_replacement { styled(WARN, "  # forces replacement") } else { String::new() };
    let name = place(attribute);
    if attribute.sensitive {
        return vec![Line::new(0, Sign::Change, format!("{name} = {MASK}{forces}"))];
    }
    match (&attribute.before, &attribute.after) {
        (Some(before), Some(after)) if attribute.document && !matches!(after, Value::Unknown) => {
            let title = Line::new(0, Sign::Change, format!("{name}{forces}"));
            let (before, after) = (value::document(before, &Waits::none()), value::document(after, waits));
            std::iter::once(title).chain(line_by_line(&format!("{before}\n"), &format!("{after}\n"))).collect()
        }
        (before, after) => compared(&name, (before.as_ref(), after.as_ref()), waits, &forces),
    }
}

/// A value before and after: side by side where both are of one line, line by line otherwise.
fn compared(name: &str, values: (Option<&Value>, Option<&Value>), waits: &Waits<'_>, end: &str) -> Vec<Line> {
    let (before, after) = match values {
        (Some(before), Some(after)) => (before, after),
        (None, Some(after)) => return block(Sign::Add, name, &value::lines_with(after, waits), end),
        (Some(before), None) => return block(Sign::Remove, name, &value::lines(before), end),
        (None, None) => return Vec::new(),
    };
    let (old, new) = (value::lines(before), value::lines_with(after, waits));
    let said = |lines: &[String]| match (lines, before) {
        ([line], _) => line.clone(),
        // The marks around a text are none of its lines.
        (_, Value::String(text)) => styled(FAINT, format!("({} lines)", text.lines().count())),
        (lines, _) => styled(FAINT, format!("({} lines)", lines.len())),
    };
    match (old.as_slice(), new.as_slice(), after) {
        (_, _, Value::Unknown) => {
            vec![Line::new(0, Sign::Change, format!("{name} = {} → {}{end}", said(&old), styled(FAINT, waits.text())))]
        }
        ([old], [new], _) => vec![Line::new(0, Sign::Change, format!("{name} = {old} → {new}{end}"))],
        _ => {
            let title = Line::new(0, Sign::Change, format!("{name}{end}"));
            let (old, new) = (text(before, &old), text(after, &new));
            std::iter::once(title).chain(line_by_line(&old, &new)).collect()
        }
    }
}

/// What is compared line by line: a text is what it says, everything else what is shown of it.
fn text(value: &Value, shown: &[String]) -> String {
    match value {
        Value::String(text) => text.clone(),
        _ => shown.iter().map(|line| format!("{line}\n")).collect(),
    }
}

/// The line with its blanks at the end shown: a change may be in nothing else.
fn visible_end(line: &str) -> String {
    let text = line.trim_end_matches([' ', '\t']);
    let blanks = line.get(text.len()..).unwrap_or_default();
    format!("{text}{}", blanks.replace(' ', "·").replace('\t', "→"))
}

/// A text's changed lines, with a few around them.
fn line_by_line(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            lines.push(Line::new(INSIDE, Sign::None, styled(FAINT, "…")));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            // Two texts may differ in nothing else.
            let end = if change.missing_newline() { styled(FAINT, "  (no line feed at the end)") } else { String::new() };
            let (indent, sign) = match change.tag() {
                ChangeTag::Delete => (INSIDE, Sign::Remove),
                ChangeTag::Insert => (INSIDE, Sign::Add),
                ChangeTag::Equal => (INSIDE + 2, Sign::None),
            };
            let line = change.value().trim_end_matches('\n');
            let line = if sign == Sign::None { line.to_owned() } else { visible_end(line) };
            let content = format!("{line}{end}");
            lines.push(Line { coloured: end.is_empty(), ..Line::new(indent, sign, content) });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::place::Place;
    use leoctl_core::model::state::Remembered;

    use super::*;

    #[test]
    fn a_predecessor_that_is_kept_is_not_shown_as_deleted() {
        let place = Place { type_name: "vpc".into(), account: "1".into(), region: "r".into(), id: "vpc-1".into() };
        let shown = |kind| {
            let removal = Removal { remembered: Remembered::unfinished(place.clone()), last: Value::Null, kind };
            in_diff(&[predecessor(&removal)], "  ").join("\n")
        };
        assert_eq!(shown(RemovalKind::Delete), "- vpc-1, left by an interrupted replacement");
        assert_eq!(shown(RemovalKind::Forget), "  vpc-1 is forgotten, and nothing is deleted in AWS");
    }

    fn shown(before: Value, after: Value) -> Vec<String> {
        let lines = compared("text", (Some(&before), Some(&after)), &Waits::none(), "");
        on_terminal(&lines, 0).iter().map(|line| terminal::plain(line)).collect()
    }

    #[test]
    fn a_change_in_nothing_but_the_blanks_at_a_line_s_end_is_seen() {
        let lines = shown(Value::string("one\ntwo  \n"), Value::string("one\ntwo\t\n"));
        assert_eq!(lines, ["~ text", "      one", "    - two··", "    + two→"]);
    }

    #[test]
    fn the_lines_of_a_text_are_counted_without_the_marks_around_it() {
        let lines = |text: &str| shown(Value::string(text), Value::Unknown).concat();
        assert_eq!(lines("a\nb\n"), "~ text = (2 lines) → (known after apply)");
        assert_eq!(lines("a\nb\nc"), "~ text = (3 lines) → (known after apply)");
    }
}
