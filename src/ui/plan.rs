//! A plan as people read it: risks first, then a tree of changes, then one line that sums up.

mod fold;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{ADD, CHANGE, FAINT, REMOVE, STRONG, WARN, changes, commands, counted, one_line, prose, styled, terminal, value};
use fold::Group;
use leoctl_core::model::address::Address;
use leoctl_core::model::module::ModulePath;
use leoctl_core::model::value::Value;
use leoctl_core::plan::types::{Action, Change, Drift, OutputChange, Plan};

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All of it, each change by itself.
    Full,
    /// What is alike once, and of what is created what the stack file says, in lines of at most so many characters.
    Folded(usize),
}

impl Detail {
    /// As the terminal is wide; of all when that is asked for.
    pub fn new(full: bool) -> Self {
        if full { Self::Full } else { Self::Folded(terminal::columns()) }
    }
}

/// A plan as text with colours; `anstream` takes them off where there is no terminal.
pub fn render(plan: &Plan, detail: Detail) -> String {
    let mut text = String::new();
    risks(&mut text, plan);
    drift(&mut text, &plan.drift);
    tree(&mut text, plan, detail);
    outputs(&mut text, &plan.outputs);
    state(&mut text, plan);
    for check in plan.checks.iter().filter(|check| check.holds == Some(false)) {
        line(&mut text, 0, &prose(styled(WARN, one_line(&format!("Check {}: {}", check.name, check.message)))));
    }
    for warning in &plan.warnings {
        line(&mut text, 0, &prose(styled(WARN, one_line(&format!("Note: {warning}")))));
    }
    line(&mut text, 0, &styled(STRONG, summary(plan)));
    text
}

/// Only what changed outside leoctl.
pub fn render_drift(plan: &Plan) -> String {
    let mut text = String::new();
    drift(&mut text, &plan.drift);
    line(&mut text, 0, &styled(STRONG, drift_summary(plan)));
    text
}

fn drift_summary(plan: &Plan) -> String {
    match plan.drift.len() {
        0 if plan.serial == 0 => "Nothing to compare: the stack has never been applied.".to_owned(),
        0 => "No drift: AWS is as the last apply left it.".to_owned(),
        1 => commands::here("Drift: 1 resource. `leoctl plan` shows what apply would do about it."),
        count => commands::here(&format!("Drift: {count} resources. `leoctl plan` shows what apply would do about them.")),
    }
}

/// One line that sums a plan up.
pub fn summary(plan: &Plan) -> String {
    let summary = plan.summary();
    if !plan.has_changes() {
        return match plan.drift.is_empty() {
            true if plan.options.destroy => "No changes: there is nothing to delete.".to_owned(),
            true if summary.no_op == 0 => "No changes: there are no resources.".to_owned(),
            true if summary.no_op == 1 => "No changes: 1 resource is as the stack says.".to_owned(),
            true => format!("No changes: {} resources are as the stack says.", summary.no_op),
            false => "No changes: what changed outside leoctl is as the stack says, or not the stack's to say.".to_owned(),
        };
    }
    if !plan.changes_resources() && !plan.outputs.values().any(OutputChange::is_change) {
        return match summary.no_op {
            0 => "Plan: only the state changes.".to_owned(),
            1 => "Plan: only the state changes, and 1 resource stays as it is.".to_owned(),
            count => format!("Plan: only the state changes, and {count} resources stay as they are."),
        };
    }
    let unfinished = plan.changes.iter().filter(|change| change.unfinished && change.action == Action::NoOp).count();
    let changed = plan.changes.iter().filter(|change| change.action == Action::Import && !change.attributes.is_empty()).count();
    let parts = [
        (summary.create, "to create"),
        (summary.import - changed, "to import"),
        (changed, "to import and change"),
        (summary.update, "to update"),
        (summary.replace, "to replace"),
        (summary.delete, "to delete"),
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
        line(text, 2, &prose(format!("{} {}{because}", styled(STRONG, &change.address), one_line(&change.risks.join(" and ")))));
    }
    text.push('\n');
}

fn drift(text: &mut String, drift: &[Drift]) {
    if drift.is_empty() {
        return;
    }
    line(text, 0, &styled(STRONG, "Changed outside leoctl since the last apply"));
    for one in drift {
        line(text, 2, &format!("{} {}", styled(CHANGE, "≠"), drift_title(one)));
        show(text, &changes::drift(one), 6);
    }
    text.push('\n');
}

/// What has changed outside leoctl, and why it is not there any more.
fn drift_title(drift: &Drift) -> String {
    let loss = drift.loss.as_ref().map(|loss| format!(" {loss}")).unwrap_or_default();
    one_line(&format!("{}{loss}", drift.address)).into_owned()
}

/// The changes, the stack's own and then those in each module.
fn tree(text: &mut String, plan: &Plan, detail: Detail) {
    let changes: Vec<&Change> = plan.changes.iter().filter(|change| change.is_change()).collect();
    if changes.is_empty() {
        return;
    }
    let (groups, tags) = match detail {
        Detail::Full => (changes.iter().map(|change| vec![*change]).collect(), BTreeMap::new()),
        Detail::Folded(_) => (fold::groups(&changes), fold::common_tags(&changes)),
    };
    let mut modules: BTreeMap<BTreeSet<&ModulePath>, Vec<Group<'_>>> = BTreeMap::new();
    for group in groups {
        modules.entry(group.iter().map(|change| &change.address.block.module).collect()).or_default().push(group);
    }
    let shown = Shown { detail, tags: &tags, region: &plan.identity.region };
    for (paths, groups) in &modules {
        let level = usize::from(paths.iter().any(|module| !module.is_root()));
        if level > 0 {
            let count = groups.iter().map(Vec::len).sum();
            line(text, 0, &format!("{} {}", styled(STRONG, fold::modules(paths)), styled(FAINT, counted(count, "resource"))));
        }
        shown.forest(text, groups, level);
    }
    if !tags.is_empty() {
        let tags = value::inline(&Value::Map(tags.clone().into_iter().collect()));
        line(text, 0, &prose(styled(FAINT, one_line(&format!("All that is created and takes tags has {tags}.")))));
    }
    if detail != Detail::Full && changes.iter().any(|change| change.action == Action::Create) {
        line(text, 0, &prose(styled(FAINT, "What AWS has by default and long values are left out; `--full` shows all.")));
    }
    text.push('\n');
}

/// How changes are shown.
struct Shown<'a> {
    detail: Detail,
    /// The tags that are said once for all.
    tags: &'a BTreeMap<String, Value>,
    /// The stack's own region.
    region: &'a str,
}

impl Shown<'_> {
    /// Groups as trees: each under the deepest of what it depends on among them.
    fn forest(&self, text: &mut String, groups: &[Group<'_>], level: usize) {
        let mut depth: BTreeMap<&Address, usize> = BTreeMap::new();
        let mut parent: BTreeMap<&Address, &Address> = BTreeMap::new();
        let index: BTreeMap<&Address, &Change> = groups.iter().flatten().map(|change| (&change.address, *change)).collect();
        for change in groups.iter().flatten() {
            find_depth(change, &index, &mut depth, &mut parent);
        }
        let group_of: BTreeMap<&Address, usize> =
            groups.iter().enumerate().flat_map(|(number, group)| group.iter().map(move |change| (&change.address, number))).collect();
        let above: Vec<Option<usize>> = groups
            .iter()
            .map(|group| {
                let parents = group.iter().filter_map(|change| parent.get(&change.address).and_then(|on| group_of.get(on)));
                parents.copied().next()
            })
            .collect();
        let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for number in 0..groups.len() {
            children.entry(under(&above, number)).or_default().push(number);
        }
        self.branch(text, (groups, &children), None, level);
    }

    fn branch(&self, text: &mut String, tree: (&[Group<'_>], &BTreeMap<Option<usize>, Vec<usize>>), of: Option<usize>, level: usize) {
        let (groups, children) = tree;
        for number in children.get(&of).into_iter().flatten() {
            if let Some(group) = groups.get(*number) {
                self.group(text, group, level * 2);
            }
            self.branch(text, tree, Some(*number), level + 1);
        }
    }

    fn group(&self, text: &mut String, group: &Group<'_>, indent: usize) {
        let Some(change) = group.first() else { return };
        let name = if group.len() > 1 { fold::names(group) } else { change.address.in_module().to_string() };
        line(text, indent, &title(change, &name, self.region));
        match self.detail {
            Detail::Folded(width) if change.action == Action::Create && change.deposed.is_empty() => {
                let width = width.saturating_sub(indent + 4).max(NARROWEST);
                fold::created(group, self.tags, width).iter().for_each(|content| line(text, indent + 4, content));
            }
            _ => show(text, &changes::of(change), indent + 4),
        }
    }
}

/// What a line of a folded plan has at least, however deep it stands.
const NARROWEST: usize = 40;

/// What a group stands under; nothing where that would be under itself.
fn under(above: &[Option<usize>], number: usize) -> Option<usize> {
    let parent = above.get(number).copied().flatten()?;
    let mut seen = BTreeSet::from([number]);
    let mut at = Some(parent);
    while let Some(number) = at {
        if !seen.insert(number) {
            return None;
        }
        at = above.get(number).copied().flatten();
    }
    Some(parent)
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
    // A dependency cycle, which a state never has, would end here.
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

/// What changes of a resource, without its title: lines of a diff, each with its sign in front, without colours.
pub fn details(change: &Change) -> Vec<String> {
    changes::in_diff(&changes::of(change), if change.action == Action::Create { "+ " } else { "  " })
}

/// What changed outside leoctl, as lines of a diff without colours.
pub fn drift_details(plan: &Plan) -> Vec<String> {
    let one = |one: &Drift| {
        let title = format!("  {}", drift_title(one));
        std::iter::once(title).chain(changes::in_diff(&changes::drift(one), "  "))
    };
    plan.drift.iter().flat_map(one).collect()
}

/// The outputs that change, as lines of a diff without colours.
pub fn output_changes(outputs: &BTreeMap<String, OutputChange>) -> Vec<String> {
    changes::in_diff(&changes::outputs(outputs), "  ")
}

/// The line that a change begins with.
fn title(change: &Change, name: &str, home: &str) -> String {
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
    let mut title = format!("{} {}", styled(style, sign), styled(STRONG, name));
    if let Some(id) = change.id() {
        title.push_str(&styled(FAINT, format!(" {}", one_line(id))));
    }
    if let Some(name) = &change.account_name {
        title.push_str(&one_line(&format!(" in accounts.{name}")));
    }
    if change.region != home && !change.region.is_empty() {
        title.push_str(&one_line(&format!(" in {}", change.region)));
    }
    if let Some(reason) = &change.reason {
        title.push_str(&format!(" ({})", one_line(reason)));
    }
    title
}

fn outputs(text: &mut String, outputs: &BTreeMap<String, OutputChange>) {
    if !outputs.values().any(OutputChange::is_change) {
        return;
    }
    line(text, 0, &styled(STRONG, "Outputs"));
    show(text, &changes::outputs(outputs), 2);
    text.push('\n');
}

/// What the state alone says otherwise afterwards.
fn state(text: &mut String, plan: &Plan) {
    if plan.state_changes.is_empty() {
        return;
    }
    line(text, 0, &styled(STRONG, "In the state"));
    for change in &plan.state_changes {
        line(text, 2, &prose(format!("{} {}", styled(CHANGE, "~"), one_line(&change.to_string()))));
    }
    text.push('\n');
}

fn show(text: &mut String, lines: &[changes::Line], indent: usize) {
    changes::on_terminal(lines, indent).iter().for_each(|content| line(text, 0, content));
}
