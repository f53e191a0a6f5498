//! A plan as people read it: risks first, then a tree of changes, then one line that sums up.

use std::collections::BTreeMap;
use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::value::{self, UNKNOWN};
use super::{ADD, CHANGE, FAINT, REMOVE, STRONG, WARN, styled};
use leoctl_core::model::address::Address;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::types::{Action, Change, Drift, OutputChange, Plan};

/// The whole plan as text with colours; `anstream` takes them off where there is no terminal.
pub fn render(plan: &Plan) -> String {
    let mut text = String::new();
    risks(&mut text, plan);
    drift(&mut text, &plan.drift);
    changes(&mut text, plan);
    outputs(&mut text, &plan.outputs);
    for check in plan.checks.iter().filter(|check| check.holds == Some(false)) {
        line(&mut text, 0, &styled(WARN, format!("Check {}: {}", check.name, check.message)));
    }
    for warning in &plan.warnings {
        line(&mut text, 0, &styled(WARN, format!("Note: {warning}")));
    }
    line(&mut text, 0, &styled(STRONG, summary(plan)));
    text
}

/// Only what changed outside leoctl.
pub fn render_drift(plan: &Plan) -> String {
    let mut text = String::new();
    drift(&mut text, &plan.drift);
    line(&mut text, 0, &styled(STRONG, drift_summary(plan.drift.len())));
    text
}

fn drift_summary(count: usize) -> String {
    match count {
        0 => "No drift: AWS is as the last apply left it.".to_owned(),
        1 => "Drift: 1 resource. `leoctl plan` shows what apply would do about it.".to_owned(),
        count => format!("Drift: {count} resources. `leoctl plan` shows what apply would do about them."),
    }
}

/// One line that sums a plan up.
pub fn summary(plan: &Plan) -> String {
    let summary = plan.summary();
    if !plan.has_changes() {
        return match plan.drift.is_empty() {
            true if summary.no_op == 1 => "No changes: 1 resource is as the stack says.".to_owned(),
            true => format!("No changes: {} resources are as the stack says.", summary.no_op),
            false => "No changes: what changed outside leoctl is as the stack says, or not the stack's to say.".to_owned(),
        };
    }
    let deposed: usize = plan.changes.iter().map(|change| change.deposed.len()).sum();
    let unfinished = plan.changes.iter().filter(|change| change.unfinished && change.action == Action::NoOp).count();
    let parts = [
        (summary.create, "to create"),
        (summary.import, "to import"),
        (summary.update, "to update"),
        (summary.replace, "to replace"),
        (summary.delete + deposed, "to delete"),
        (summary.forget, "to forget"),
        (summary.read, "to read"),
        (unfinished, "to finish"),
        (summary.no_op - unfinished, "unchanged"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match parts.as_slice() {
        [] => "Plan: outputs change.".to_owned(),
        parts => format!("Plan: {}.", parts.join(", ")),
    }
}

fn line(text: &mut String, indent: usize, content: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:indent$}{content}", "");
}

fn risks(text: &mut String, plan: &Plan) {
    let risky: Vec<&Change> = plan.changes.iter().filter(|change| !change.risks.is_empty()).collect();
    if risky.is_empty() {
        return;
    }
    line(text, 0, &styled(WARN, "Risks"));
    for change in risky {
        let forcing: Vec<String> = change.replace_paths().iter().map(ToString::to_string).collect();
        let because = if forcing.is_empty() { String::new() } else { format!(", because {} changes", forcing.join(", ")) };
        line(text, 2, &format!("{} {}{because}", styled(STRONG, &change.address), change.risks.join(" and ")));
    }
    text.push('\n');
}

fn drift(text: &mut String, drift: &[Drift]) {
    if drift.is_empty() {
        return;
    }
    line(text, 0, &styled(STRONG, "Changed outside leoctl since the last apply"));
    for one in drift {
        let gone = if one.gone { " was deleted" } else { "" };
        line(text, 2, &format!("{} {}{gone}", styled(CHANGE, "≠"), one.address));
        for attribute in &one.attributes {
            // Nothing is replaced by what has happened already.
            attribute_change(text, 6, &AttributeChange { forces_replacement: false, ..attribute.clone() });
        }
    }
    text.push('\n');
}

/// The changes as a tree: each under the deepest of what it depends on that changes too.
fn changes(text: &mut String, plan: &Plan) {
    let shown: Vec<&Change> = plan.changes.iter().filter(|change| change.is_change()).collect();
    let mut depth: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut parent: BTreeMap<&Address, &Address> = BTreeMap::new();
    let index: BTreeMap<&Address, &Change> = shown.iter().map(|change| (&change.address, *change)).collect();
    for change in &shown {
        find_depth(change, &index, &mut depth, &mut parent);
    }
    let mut children: BTreeMap<Option<&Address>, Vec<&Change>> = BTreeMap::new();
    for change in &shown {
        children.entry(parent.get(&change.address).copied()).or_default().push(change);
    }
    branch(text, &children, None, 0);
    if !shown.is_empty() {
        text.push('\n');
    }
}

fn find_depth<'a>(
    change: &'a Change,
    index: &BTreeMap<&'a Address, &'a Change>,
    depth: &mut BTreeMap<&'a Address, usize>,
    parent: &mut BTreeMap<&'a Address, &'a Address>,
) -> usize {
    if let Some(known) = depth.get(&change.address) {
        return *known;
    }
    // A remembered circle, which a state never has, would end here.
    depth.insert(&change.address, 0);
    let on = if change.depends_on.is_empty() { &change.prior_depends_on } else { &change.depends_on };
    let mut best: Option<(usize, &'a Address)> = None;
    for address in on {
        let Some((address, found)) = index.get_key_value(address) else { continue };
        let level = find_depth(found, index, depth, parent) + 1;
        if best.is_none_or(|(known, _)| level > known) {
            best = Some((level, address));
        }
    }
    if let Some((_, address)) = best {
        parent.insert(&change.address, address);
    }
    let level = best.map_or(0, |(level, _)| level);
    depth.insert(&change.address, level);
    level
}

fn branch(text: &mut String, children: &BTreeMap<Option<&Address>, Vec<&Change>>, of: Option<&Address>, level: usize) {
    for change in children.get(&of).into_iter().flatten() {
        one(text, change, level * 2);
        branch(text, children, Some(&change.address), level + 1);
    }
}

/// What changes of a resource, without its title: lines of a diff, each with its sign in front, without colours.
pub fn details(change: &Change) -> Vec<String> {
    let mut text = String::new();
    attributes(&mut text, change, 0);
    signed(&text, if change.action == Action::Create { "+ " } else { "  " })
}

/// What changed outside leoctl, as lines of a diff without colours.
pub fn drift_details(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &plan.drift {
        lines.push(format!("  {}{}", one.address, if one.gone { " was deleted" } else { "" }));
        let mut text = String::new();
        for attribute in &one.attributes {
            attribute_change(&mut text, 2, &AttributeChange { forces_replacement: false, ..attribute.clone() });
        }
        lines.extend(signed(&text, "  "));
    }
    lines
}

/// The outputs that change, as lines of a diff without colours.
pub fn output_changes(outputs: &BTreeMap<String, OutputChange>) -> Vec<String> {
    let mut text = String::new();
    output_lines(&mut text, outputs);
    signed(&text, "  ")
}

/// Lines with their signs in front, where forges colour by them: `!` is what they have for a change.
fn signed(text: &str, other: &str) -> Vec<String> {
    let plain = anstream::adapter::strip_str(text).to_string();
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    let least = plain.lines().map(indent_of).min().unwrap_or_default();
    let lines = plain.lines().map(|line| {
        let (content, indent) = (line.trim_start(), indent_of(line) - least);
        let with = |sign: &str, rest: &str| format!("{sign} {:indent$}{rest}", "");
        match content.split_at_checked(2) {
            Some(("+ ", rest)) => with("+", rest),
            Some(("- ", rest)) => with("-", rest),
            Some(("~ ", rest)) => with("!", rest),
            _ => format!("{other}{:indent$}{content}", ""),
        }
    });
    lines.collect()
}

fn one(text: &mut String, change: &Change, indent: usize) {
    let (style, sign) = match change.action {
        Action::Create => (ADD, "+"),
        Action::Update => (CHANGE, "~"),
        Action::Replace if change.create_before_destroy => (CHANGE, "+/-"),
        Action::Replace => (REMOVE, "-/+"),
        Action::Delete => (REMOVE, "-"),
        Action::Import => (CHANGE, "<"),
        Action::Forget => (FAINT, "."),
        Action::NoOp => (CHANGE, "~"),
    };
    let mut title = format!("{} {}", styled(style, sign), styled(STRONG, &change.address));
    if let Some(id) = change.id() {
        title.push_str(&styled(FAINT, format!(" {id}")));
    }
    if let Some(reason) = &change.reason {
        title.push_str(&format!(" ({reason})"));
    }
    line(text, indent, &title);
    attributes(text, change, indent + 4);
}

/// What changes of a resource.
fn attributes(text: &mut String, change: &Change, indent: usize) {
    for removal in &change.deposed {
        let id = &removal.remembered.place.id;
        line(text, indent, &format!("{} {id}, left by an interrupted replacement", styled(REMOVE, "-")));
    }
    // What goes away is known by its address and id: repeating all of it would bury what matters.
    if matches!(change.action, Action::Delete | Action::Forget) {
        return;
    }
    let creates = change.action == Action::Create;
    for attribute in change.attributes.iter().filter(|attribute| !(creates && is_noise(change, attribute))) {
        if creates {
            created(text, indent, attribute);
        } else {
            attribute_change(text, indent, attribute);
        }
    }
}

/// What only AWS will know, which nobody wrote: an unknown attribute that is left to AWS.
fn is_noise(change: &Change, attribute: &AttributeChange) -> bool {
    let written = change.authored.iter().any(|path| path.root() == attribute.path.root());
    matches!(attribute.after, Some(Value::Unknown)) && attribute.server_chosen && !written
}

fn created(text: &mut String, indent: usize, attribute: &AttributeChange) {
    let Some(after) = &attribute.after else { return };
    let after = without_ownership(&attribute.path, after);
    if value::is_empty(&after) {
        return;
    }
    let shown = if attribute.sensitive { vec![value::MASK.to_owned()] } else { value::lines(&after) };
    block(text, (indent, 0), &format!("{} = ", attribute.path), &shown, "");
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

/// A value of several lines: `lead` before the first, `end` behind it, the others `hang` further in.
fn block(text: &mut String, (indent, hang): (usize, usize), lead: &str, lines: &[String], end: &str) {
    for (at, content) in lines.iter().enumerate() {
        match at {
            0 => line(text, indent, &format!("{lead}{content}{end}")),
            _ => line(text, indent + hang, content),
        }
    }
}

/// A path without the values of set members, which stand beside it anyway.
fn place(path: &Path) -> String {
    let segments = path.0.iter().take_while(|segment| !matches!(segment, Segment::Element(name) if name.starts_with('{')));
    let shortened = Path(segments.cloned().collect());
    let rest = Path(path.0.iter().skip(shortened.0.len() + 1).cloned().collect());
    match shortened.0.len() < path.0.len() {
        true if rest.0.is_empty() => format!("{shortened}[]"),
        true => format!("{shortened}[].{rest}"),
        false => path.to_string(),
    }
}

fn attribute_change(text: &mut String, indent: usize, attribute: &AttributeChange) {
    let forces = if attribute.forces_replacement { styled(WARN, "  # forces replacement") } else { String::new() };
    let path = place(&attribute.path);
    if attribute.sensitive {
        return line(text, indent, format!("{} {path} = {} {forces}", styled(CHANGE, "~"), value::MASK).trim_end());
    }
    if let (true, Some(before), Some(after)) = (attribute.document, &attribute.before, &attribute.after)
        && !matches!(after, Value::Unknown)
    {
        line(text, indent, &format!("{} {path}{forces}", styled(CHANGE, "~")));
        return document_change(text, indent + 4, before, after);
    }
    match (&attribute.before, &attribute.after) {
        (Some(before), Some(after)) => {
            let after = if matches!(after, Value::Unknown) { styled(FAINT, UNKNOWN) } else { value::inline(after) };
            line(text, indent, &format!("{} {path} = {} → {after}{forces}", styled(CHANGE, "~"), value::inline(before)));
        }
        (None, Some(after)) => block(text, (indent, 2), &format!("{} {path} = ", styled(ADD, "+")), &value::lines(after), &forces),
        (Some(before), None) => block(text, (indent, 2), &format!("{} {path} = ", styled(REMOVE, "-")), &value::lines(before), &forces),
        (None, None) => {}
    }
}

/// A document's changed lines with two lines around them.
fn document_change(text: &mut String, indent: usize, before: &Value, after: &Value) {
    let (before, after) = (value::document(before), value::document(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    for (at, group) in diff.grouped_ops(2).iter().enumerate() {
        if at > 0 {
            line(text, indent, &styled(FAINT, "…"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let content = change.value().trim_end_matches('\n');
            match change.tag() {
                ChangeTag::Delete => line(text, indent, &styled(REMOVE, format!("- {content}"))),
                ChangeTag::Insert => line(text, indent, &styled(ADD, format!("+ {content}"))),
                ChangeTag::Equal => line(text, indent, &format!("  {content}")),
            }
        }
    }
}

fn outputs(text: &mut String, outputs: &BTreeMap<String, OutputChange>) {
    if !outputs.values().any(OutputChange::is_change) {
        return;
    }
    line(text, 0, &styled(STRONG, "Outputs"));
    output_lines(text, outputs);
    text.push('\n');
}

fn output_lines(text: &mut String, outputs: &BTreeMap<String, OutputChange>) {
    for (name, output) in outputs.iter().filter(|(_, output)| output.is_change()) {
        let before = output.before.as_ref().map(value::inline);
        let shown = match (before, &output.after) {
            (None, Some(after)) => format!("{} {name} = {}", styled(ADD, "+"), value::inline(after)),
            (Some(before), Some(after)) => format!("{} {name} = {before} → {}", styled(CHANGE, "~"), value::inline(after)),
            (Some(before), None) => format!("{} {name} = {before}", styled(REMOVE, "-")),
            (None, None) => continue,
        };
        line(text, 2, &shown);
    }
}
