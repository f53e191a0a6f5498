//! Plans as one comment on a pull request, in GitHub's and GitLab's Markdown: what is lost first, details folded.
//!
//! The text depends on the plans alone, so that a comment that is updated in place changes only when they do.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::plan::{details, drift_details, output_changes, summary};
use super::{preflight, terminal};
use leoctl_core::plan::preflight::Preflight;
use leoctl_core::plan::types::{Action, Change, Plan, RemovalKind};

/// How long a comment may be, in bytes, with room to spare: GitHub takes 65,536 characters.
pub const LIMIT: usize = 60_000;

/// How many lines of what is lost are shown without being asked for.
const LONG: usize = 12;

/// How many bytes are no shorter for being left to a word about them.
const SHORT: usize = 100;

/// What finds the comment again, so that there is only ever one. `scope` tells apart comments of several workflows.
pub fn marker(scope: &str) -> String {
    format!("<!-- leoctl plan {scope} -->")
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
pub fn render(scope: &str, commit: Option<&str>, shown: &[Shown<'_>], limit: usize) -> String {
    let mut sections: Vec<Section> = shown.iter().map(Section::of).collect();
    loop {
        let text = comment(scope, commit, &sections);
        let mut over = text.len().saturating_sub(limit);
        let mut folded = false;
        while over > 0 {
            let Some(less) = fold_one(&mut sections) else { break };
            over = over.saturating_sub(less);
            folded = true;
        }
        if !folded {
            return text;
        }
    }
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
        lines.left_out = std::mem::take(&mut lines.shown).len();
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
    place: Option<String>,
    entries: Vec<Entry>,
    /// Entries that are only counted, by what happens and type.
    counted: BTreeMap<(&'static str, String), usize>,
    notes: Vec<Note>,
}

/// Lines that are shown, or how many were left out.
struct Lines {
    shown: Vec<String>,
    left_out: usize,
}

impl Lines {
    fn bytes(&self) -> usize {
        self.shown.iter().map(String::len).sum()
    }
}

/// Something about the whole plan.
struct Note {
    title: &'static str,
    /// What the lines are, between fences; a list without.
    language: Option<&'static str>,
    lines: Lines,
}

/// What is said of one resource.
struct Entry {
    verb: &'static str,
    type_name: String,
    head: String,
    detail: Lines,
    loses: bool,
    risky: bool,
}

impl Section {
    fn of(shown: &Shown<'_>) -> Self {
        let plan = match &shown.plan {
            Ok(plan) => plan,
            Err(why) => {
                return Self {
                    file: shown.file.clone(),
                    title: "no plan".to_owned(),
                    place: None,
                    entries: Vec::new(),
                    counted: BTreeMap::new(),
                    notes: vec![Note::new("Why", Some("text"), terminal::plain(why).lines().map(str::to_owned).collect())],
                };
            }
        };
        let mut entries: Vec<Entry> = plan.changes.iter().filter(|change| change.is_change()).map(Entry::of).collect();
        entries.sort_by_key(|entry| (!entry.loses, !entry.risky));
        let checks = plan.checks.iter().filter(|check| check.holds == Some(false));
        let checks: Vec<String> = checks.map(|check| format!("**{}**: {}", plain(&check.name), plain(&check.message))).collect();
        let warnings: Vec<String> = plan.warnings.iter().map(|warning| plain(warning)).collect();
        let identity = &plan.identity;
        let found = shown.preflight.map(|found| preflight::sentences(&plan.stack, found)).unwrap_or_default();
        let found = found.iter().map(|sentence| plain(sentence)).collect();
        let cost = shown.cost.iter().map(|cost| plain(cost)).collect();
        Self {
            file: shown.file.clone(),
            title: summary(plan),
            place: Some(format!(
                "stack `{}` · account {} · {} · plan `{}`",
                plan.stack.name, identity.account_id, identity.region, shown.id
            )),
            entries,
            counted: BTreeMap::new(),
            notes: vec![
                Note::new("Preflight", None, found),
                Note::new("What it costs", None, cost),
                Note::new("Changed outside leoctl", Some("diff"), drift_details(plan)),
                Note::new("Outputs", Some("diff"), output_changes(&plan.outputs)),
                Note::new("Checks that do not hold", None, checks),
                Note::new("Notes", None, warnings),
            ],
        }
    }

    fn write(&self, text: &mut String) {
        paragraph(text, &format!("### `{}`: {}", self.file, self.title.trim_end_matches('.')));
        if let Some(place) = &self.place {
            paragraph(text, place);
        }
        let (lost, rest): (Vec<&Entry>, Vec<&Entry>) = self.entries.iter().partition(|entry| entry.loses);
        for (title, entries) in [("Deleted or replaced", lost), ("Created or changed", rest)] {
            if entries.is_empty() {
                continue;
            }
            paragraph(text, &format!("**{title}**"));
            entries.iter().for_each(|entry| entry.write(text));
            text.push('\n');
        }
        if !self.counted.is_empty() {
            let counted = self.counted.iter().map(|((verb, type_name), count)| format!("- {count} × {verb} `{type_name}`"));
            let lines: Vec<String> = std::iter::once("**Too many to list here**; `leoctl plan` shows all of them".to_owned())
                .chain(std::iter::once(String::new()))
                .chain(counted)
                .collect();
            paragraph(text, &lines.join("\n"));
        }
        self.notes.iter().for_each(|note| note.write(text));
    }
}

impl Note {
    fn new(title: &'static str, language: Option<&'static str>, shown: Vec<String>) -> Self {
        Self { title, language, lines: Lines { shown, left_out: 0 } }
    }

    fn write(&self, text: &mut String) {
        let Lines { shown, left_out } = &self.lines;
        if shown.is_empty() && *left_out == 0 {
            return;
        }
        paragraph(text, &format!("**{}**", self.title));
        match self.language {
            _ if *left_out > 0 => paragraph(text, &too_many(*left_out)),
            Some(language) => paragraph(text, &fenced(language, shown).join("\n")),
            None => paragraph(text, &bullets(shown).join("\n")),
        }
    }
}

fn too_many(lines: usize) -> String {
    format!("*({lines} lines too many for a comment; `leoctl plan` shows them)*")
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
        let mut head = format!("**{verb}** `{}`", change.address);
        if let Some(id) = change.id().filter(|_| matches!(change.action, Action::Delete | Action::Replace | Action::Forget)) {
            let _ = write!(head, " (`{id}`)");
        }
        let forcing: Vec<String> = change.replace_paths().iter().map(|path| format!("`{path}`")).collect();
        if !forcing.is_empty() {
            let _ = write!(head, ", forced by {}", forcing.join(", "));
        }
        if let Some(reason) = &change.reason {
            let _ = write!(head, ": {}", plain(reason));
        }
        if !change.risks.is_empty() {
            let _ = write!(head, " — ⚠️ {}", plain(&change.risks.join("; ")));
        }
        let risky = !change.risks.is_empty();
        let deletes = change.removals().any(|removal| removal.kind == RemovalKind::Delete);
        let loses = matches!(change.action, Action::Delete | Action::Replace) || risky || deletes;
        let type_name = change.address.type_name().to_owned();
        Self { verb, type_name, head, detail: Lines { shown: details(change), left_out: 0 }, loses, risky }
    }

    fn write(&self, text: &mut String) {
        match (self.detail.shown.as_slice(), self.detail.left_out) {
            ([], 0) => bullet(text, &self.head),
            ([], lines) => bullet(text, &format!("{} {}", self.head, too_many(lines))),
            ([only], _) if !only.contains('`') => bullet(text, &format!("{}: `{}`", self.head, only.get(1..).unwrap_or_default().trim())),
            (lines, _) => {
                let open = if self.loses && lines.len() <= LONG { " open" } else { "" };
                paragraph(text, &format!("\n<details{open}><summary>{}, {} lines</summary>", html(&self.head), lines.len()));
                paragraph(text, &fenced("diff", lines).join("\n"));
                paragraph(text, "</details>");
            }
        }
    }
}

fn comment(scope: &str, commit: Option<&str>, sections: &[Section]) -> String {
    let mut text = format!("{}\n", marker(scope));
    let title = match commit {
        Some(commit) => format!("## leoctl plan of {}", plain(commit)),
        None => "## leoctl plan".to_owned(),
    };
    paragraph(&mut text, &title);
    if sections.len() > 1 {
        let lines: Vec<String> = sections.iter().map(|section| format!("- `{}`: {}", section.file, section.title)).collect();
        paragraph(&mut text, &lines.join("\n"));
    }
    sections.iter().for_each(|section| section.write(&mut text));
    text
}

fn paragraph(text: &mut String, content: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}\n");
}

fn bullet(text: &mut String, content: &str) {
    let _ = writeln!(text, "- {content}");
}

fn bullets(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("- {line}")).collect()
}

/// Lines between fences that none of them can end.
fn fenced(language: &str, lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let ticks = |line: &String| line.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(lines.iter().map(ticks).max().unwrap_or_default().max(2) + 1);
    let mut all = vec![format!("{fence}{language}")];
    all.extend(lines.iter().cloned());
    all.push(fence);
    all
}

/// A text without colours in which nothing is markup but code between backticks.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    let text = terminal::plain(text).replace('\n', " ");
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            shown.push('`');
        }
        match at % 2 {
            0 => part.chars().for_each(|c| {
                if "\\*_[]<>#|~@$".contains(c) {
                    shown.push('\\');
                }
                shown.push(c);
            }),
            _ => shown.push_str(part),
        }
    }
    shown
}

/// Markdown of one line as HTML, for where Markdown is not read: bold, code, and the rest as it is.
fn html(markdown: &str) -> String {
    let escaped = markdown.replace('&', "&amp;").replace("\\<", "&lt;").replace('<', "&lt;").replace("\\>", "&gt;").replace('>', "&gt;");
    let tagged = |text: &str, mark: &str, tag: &str| {
        let parts = text.split(mark).enumerate();
        parts.fold(String::new(), |all, (at, part)| match at {
            0 => part.to_owned(),
            odd if odd % 2 == 1 => format!("{all}<{tag}>{part}"),
            _ => format!("{all}</{tag}>{part}"),
        })
    };
    tagged(&tagged(&escaped, "**", "b"), "`", "code").replace('\\', "")
}
