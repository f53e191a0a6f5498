//! Plans as one comment on a pull request: what is lost first, details folded.
//!
//! The text depends on the plans alone, so that a comment that is updated in place changes only when they do.

use std::collections::BTreeMap;

use super::super::plan::{details, drift_details, output_changes, summary};
use super::super::preflight;
use super::document::{Block, Document, Language, Marker};
use super::inline::Inline;
use leoctl_core::model::module::ModulePath;
use leoctl_core::plan::preflight::Preflight;
use leoctl_core::plan::types::{Action, Change, Plan, RemovalKind};
use leoctl_core::stack::Stack;

/// How many lines of what is lost are shown without being asked for.
const LONG: usize = 12;

/// How many bytes are no shorter for being left to a word about them.
const SHORT: usize = 100;

/// What a comment is about.
pub struct About<'a> {
    /// What tells it apart from the comments of other workflows.
    pub scope: &'a str,
    /// The commit.
    pub commit: Option<&'a str>,
    /// Stack files that the change deletes.
    pub deleted: &'a [String],
}

/// A plan to be shown.
pub struct Shown<'a> {
    /// The stack file.
    pub file: String,
    /// What identifies the plan.
    pub id: String,
    /// The plan, or why there is none.
    pub plan: Result<&'a Plan, String>,
    /// What would make its apply fail.
    pub preflight: Option<&'a Preflight>,
    /// What it changes in what the stack costs.
    pub cost: Option<String>,
}

/// The comment about some plans, none longer than `limit` bytes.
pub fn render(about: &About<'_>, shown: &[Shown<'_>], limit: usize) -> String {
    let mut sections: Vec<Section> = shown.iter().map(Section::of).collect();
    let mut left_out = LeftOut::default();
    loop {
        let text = comment(about, &sections, &left_out).text();
        let mut over = text.len().saturating_sub(limit);
        if over == 0 {
            return text;
        }
        let mut folded = false;
        while over > 0 {
            let Some(less) = fold_one(&mut sections) else { break };
            over = over.saturating_sub(less);
            folded = true;
        }
        if !folded {
            // Nothing in them is left to be folded.
            match sections.pop() {
                Some(_) => left_out.sections += 1,
                None if left_out.deleted => return text,
                None => left_out.deleted = true,
            }
        }
    }
}

/// What a comment has no room for, and only counts.
#[derive(Default)]
struct LeftOut {
    /// So many stacks.
    sections: usize,
    /// The names of the stack files that are deleted.
    deleted: bool,
}

/// Leaves the longest of what can be left out to a word about it; about how many bytes shorter the comment is then.
fn fold_one(sections: &mut [Section]) -> Option<usize> {
    let lines = sections.iter_mut().flat_map(|section| {
        let details = section.entries.iter_mut().map(|entry| &mut entry.detail);
        details.chain(section.notes.iter_mut().map(|note| &mut note.lines))
    });
    let longest = lines.max_by_key(|lines| lines.bytes());
    if let Some(lines) = longest.filter(|lines| lines.bytes() > SHORT) {
        let less = lines.bytes();
        lines.leave_out();
        return Some(less);
    }
    // What is lost is named to the last.
    let kinder = |section: &Section| section.entries.iter().filter(|entry| !entry.loses).count();
    let most = sections.iter_mut().max_by_key(|section| (kinder(section), section.entries.len()));
    let section = most.filter(|section| !section.entries.is_empty())?;
    let all = kinder(section) == 0;
    let (kept, counted): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut section.entries).into_iter().partition(|entry| entry.loses && !all);
    section.entries = kept;
    for entry in counted {
        *section.counted.entry((entry.verb, entry.type_name)).or_default() += 1;
    }
    // Much shorter: how much, the next look tells.
    Some(usize::MAX)
}

/// What is said of one stack.
struct Section {
    file: String,
    title: String,
    place: Option<Inline>,
    entries: Vec<Entry>,
    /// Entries that are only counted, by what happens and type.
    counted: BTreeMap<(&'static str, String), usize>,
    notes: Vec<Note>,
}

/// Blocks that are shown whole, or how many lines were left out.
struct Folded {
    shown: Lines,
    left_out: usize,
}

enum Lines {
    Fence(Language, Vec<String>),
    List(Vec<Inline>),
}

impl Folded {
    fn new(shown: Lines) -> Self {
        Self { shown, left_out: 0 }
    }

    fn bytes(&self) -> usize {
        match &self.shown {
            Lines::Fence(_, lines) => lines.iter().map(String::len).sum(),
            Lines::List(entries) => entries.iter().map(Inline::bytes).sum(),
        }
    }

    fn lines(&self) -> usize {
        match &self.shown {
            Lines::Fence(_, lines) => lines.len(),
            Lines::List(entries) => entries.len(),
        }
    }

    fn leave_out(&mut self) {
        self.left_out = self.lines();
        self.shown = Lines::List(Vec::new());
    }

    /// What is shown, if there is anything.
    fn block(&self) -> Option<Block> {
        match &self.shown {
            _ if self.left_out > 0 => Some(Block::Paragraph(too_many(Inline::new(), self.left_out))),
            _ if self.lines() == 0 => None,
            Lines::Fence(language, lines) => Some(Block::Fence(*language, lines.clone())),
            Lines::List(entries) => Some(Block::List(entries.clone())),
        }
    }
}

/// Something about the whole plan.
struct Note {
    title: &'static str,
    lines: Folded,
}

/// What is said of one resource.
struct Entry {
    module: ModulePath,
    verb: &'static str,
    type_name: String,
    head: Inline,
    detail: Folded,
    loses: bool,
    risky: bool,
}

impl Section {
    fn of(shown: &Shown<'_>) -> Self {
        let plan = match &shown.plan {
            Ok(plan) => plan,
            Err(why) => {
                let why = Lines::Fence(Language::Text, why.lines().map(str::to_owned).collect());
                return Self {
                    file: shown.file.clone(),
                    title: "no plan".to_owned(),
                    place: None,
                    entries: Vec::new(),
                    counted: BTreeMap::new(),
                    notes: vec![Note::new("Why", why)],
                };
            }
        };
        let mut entries: Vec<Entry> = plan.changes.iter().filter(|change| change.is_change()).map(Entry::of).collect();
        entries.sort_by_key(|entry| (!entry.loses, !entry.risky));
        let identity = &plan.identity;
        let place = Inline::new().own("stack ").code(&plan.stack.name).own(" · account ").code(&identity.account_id);
        let place = place.own(" · ").code(&identity.region).own(" · plan ").code(&shown.id);
        Self {
            file: shown.file.clone(),
            title: summary(plan).trim_end_matches('.').to_owned(),
            place: Some(place),
            entries,
            counted: BTreeMap::new(),
            notes: notes(plan, shown),
        }
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Heading(3, self.named())];
        blocks.extend(self.place.clone().map(Block::Paragraph));
        let (lost, rest): (Vec<&Entry>, Vec<&Entry>) = self.entries.iter().partition(|entry| entry.loses);
        for (title, entries, open) in [("Deleted or replaced", lost, true), ("Created or changed", rest, false)] {
            if !entries.is_empty() {
                blocks.push(Block::Paragraph(Inline::new().strong(title)));
                blocks.extend(folded(&entries, open));
            }
        }
        if !self.counted.is_empty() {
            let title = Inline::new().strong("Too many to list here").own("; ").code("leoctl plan").own(" shows all of them");
            blocks.push(Block::Paragraph(title));
            let counted = self.counted.iter();
            let counted = counted.map(|((verb, name), count)| Inline::new().count(*count).own(" × ").own(verb).own(" ").code(name));
            blocks.push(Block::List(counted.collect()));
        }
        for note in &self.notes {
            if let Some(block) = note.lines.block() {
                blocks.push(Block::Paragraph(Inline::new().strong(note.title)));
                blocks.push(block);
            }
        }
        blocks
    }

    /// The file and what would become of its stack.
    fn named(&self) -> Inline {
        Inline::new().code(&self.file).own(": ").text(&self.title)
    }
}

/// The stack's own entries, and then those of each module behind its name.
fn folded(entries: &[&Entry], open: bool) -> Vec<Block> {
    let mut modules: BTreeMap<&ModulePath, Vec<&Entry>> = BTreeMap::new();
    entries.iter().for_each(|entry| modules.entry(&entry.module).or_default().push(entry));
    let blocks = modules.iter().flat_map(|(module, entries)| match module.is_root() {
        true => listed(entries),
        false => {
            let summary = Inline::new().code(module).own(", ").count(entries.len());
            let summary = summary.own(if entries.len() == 1 { " resource" } else { " resources" });
            vec![Block::Details { open, summary, content: listed(entries) }]
        }
    });
    blocks.collect()
}

/// Entries one after the other: those of one line in lists.
fn listed(entries: &[&Entry]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for entry in entries {
        match (entry.block(), blocks.last_mut()) {
            (Block::List(more), Some(Block::List(lines))) => lines.extend(more),
            (block, _) => blocks.push(block),
        }
    }
    blocks
}

fn notes(plan: &Plan, shown: &Shown<'_>) -> Vec<Note> {
    let checks = plan.checks.iter().filter(|check| check.holds == Some(false));
    let checks = checks.map(|check| Inline::new().code(&check.name).own(": ").text(&check.message));
    let state = plan.state_changes.iter().map(|change| Inline::new().text(change.to_string()));
    let warnings = plan.warnings.iter().map(|warning| Inline::new().text(warning));
    let found = shown.preflight.map(|found| findings(&plan.stack, found)).unwrap_or_default();
    let cost = shown.cost.iter().map(|cost| Inline::new().text(cost));
    vec![
        Note::new("Preflight", Lines::List(found)),
        Note::new("What it costs", Lines::List(cost.collect())),
        Note::new("Changed outside leoctl", Lines::Fence(Language::Diff, drift_details(plan))),
        Note::new("Outputs", Lines::Fence(Language::Diff, output_changes(&plan.outputs))),
        Note::new("In the state", Lines::List(state.collect())),
        Note::new("Checks that do not hold", Lines::List(checks.collect())),
        Note::new("Notes", Lines::List(warnings.collect())),
    ]
}

/// What would make the apply fail, a line for each.
fn findings(stack: &Stack, preflight: &Preflight) -> Vec<Inline> {
    let findings = preflight.findings.iter().map(|finding| {
        let found = Inline::new().code(&finding.address);
        let found = match preflight::place(stack, finding) {
            Some(place) => found.own(" (").code(place).own(")"),
            None => found,
        };
        found.own(": ").text(&finding.message).own(". To do: ").text(&finding.fix)
    });
    let unchecked = preflight.unchecked.iter();
    let unchecked = unchecked.map(|one| Inline::new().own("Not checked: ").text(one.check.subject()).own(", as ").text(&one.why));
    findings.chain(unchecked).collect()
}

impl Note {
    fn new(title: &'static str, shown: Lines) -> Self {
        Self { title, lines: Folded::new(shown) }
    }
}

fn too_many(before: Inline, lines: usize) -> Inline {
    before.own("(").count(lines).own(" lines too many for a comment; ").code("leoctl plan").own(" shows them)")
}

impl Entry {
    fn of(change: &Change) -> Self {
        let verb = match change.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Import => "import",
            Action::Forget => "forget",
            Action::NoOp => "finish",
        };
        let mut head = Inline::new().strong(verb).own(" ").code(&change.address);
        if let Some(id) = change.id().filter(|_| matches!(change.action, Action::Delete | Action::Replace | Action::Forget)) {
            head = head.own(" (").code(id).own(")");
        }
        if let Some(name) = &change.account_name {
            head = head.own(" in ").code(format!("accounts.{name}"));
        }
        for (at, path) in change.replace_paths().iter().enumerate() {
            head = head.own(if at == 0 { ", forced by " } else { ", " }).code(path);
        }
        if let Some(reason) = &change.reason {
            head = head.own(": ").text(reason);
        }
        if !change.risks.is_empty() {
            head = head.own(" — ⚠️ ").text(change.risks.join("; "));
        }
        let risky = !change.risks.is_empty();
        let deletes = change.removals().any(|removal| removal.kind == RemovalKind::Delete);
        let loses = matches!(change.action, Action::Delete | Action::Replace) || risky || deletes;
        let type_name = change.address.type_name().to_owned();
        let module = change.address.block.module.clone();
        Self { module, verb, type_name, head, detail: Folded::new(Lines::Fence(Language::Diff, details(change))), loses, risky }
    }

    fn block(&self) -> Block {
        let head = self.head.clone();
        match &self.detail.shown {
            _ if self.detail.left_out > 0 => Block::List(vec![too_many(head.own(" "), self.detail.left_out)]),
            Lines::Fence(_, lines) => match lines.as_slice() {
                [] => Block::List(vec![head]),
                [only] => Block::List(vec![head.own(": ").code(only.get(1..).unwrap_or_default().trim())]),
                lines => Block::Details {
                    open: self.loses && lines.len() <= LONG,
                    summary: head.own(", ").count(lines.len()).own(" lines"),
                    content: self.detail.block().into_iter().collect(),
                },
            },
            Lines::List(_) => Block::List(vec![head]),
        }
    }
}

fn comment(about: &About<'_>, sections: &[Section], left_out: &LeftOut) -> Document {
    let mut document = Document::new(vec![Block::Marker(Marker::new(&["plan", about.scope]))]);
    let title = Inline::new().own("leoctl plan");
    document.push(Block::Heading(
        2,
        match about.commit {
            Some(commit) => title.own(" of ").commit(commit),
            None => title,
        },
    ));
    if sections.is_empty() && left_out.sections == 0 && about.deleted.is_empty() {
        document.push(Block::Paragraph(Inline::new().own("No stack is changed.")));
    }
    if sections.len() > 1 {
        let row = |section: &Section| vec![Inline::new().code(&section.file), Inline::new().text(&section.title)];
        document.push(Block::Table(vec!["Stack", "What would be done"], sections.iter().map(row).collect()));
    }
    sections.iter().flat_map(Section::blocks).for_each(|block| document.push(block));
    if left_out.sections > 0 {
        let more = Inline::new()
            .count(left_out.sections)
            .own(" stacks are too many for a comment; ")
            .code("leoctl plan")
            .own(" shows their plans.");
        document.push(Block::Paragraph(more));
    }
    let deleted = match (about.deleted, left_out.deleted) {
        ([], _) => Vec::new(),
        (all, true) => vec![Inline::new().count(all.len()).own(" stack files are deleted")],
        (all, false) => all.iter().map(|file| Inline::new().code(file).own(" is deleted")).collect(),
    };
    deleted.into_iter().for_each(|what| document.push(Block::Paragraph(what_stays(what))));
    document
}

/// What becomes of what stack files have made that go.
fn what_stays(deleted: Inline) -> Inline {
    let said = deleted.own(": what was made from it stays in AWS, and nothing manages it any more. Run ");
    said.code("leoctl destroy").own(" before a stack file goes.")
}
