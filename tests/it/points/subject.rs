//! What is struck: the whole life of one resource, in phases.

use crate::cases::{self, Case, KEY, scaffold};
use crate::gaps;
use crate::support::emulator::Emulator;

/// Timeouts of the tests: what an emulator never answers as it should is a failure soon.
const HASTE: &str = "timeouts = { create = \"20s\", update = \"20s\", delete = \"20s\" }\n";

/// One resource, called `x`, what it stands on, and its life; or a whole stack.
pub struct Subject {
    /// How it is called in reports.
    pub label: String,
    /// Its type; none for a whole stack, whose attributes are its blocks.
    pub type_name: Option<&'static str>,
    /// How it is renamed: addresses before and after.
    pub renamed: Vec<(String, String)>,
    /// The emulator that knows all of it.
    pub emulator: Emulator,
    /// The stack's other resources.
    pub scaffold: String,
    /// Whether it can be in another region: nothing it stands on holds it back.
    pub movable: bool,
    /// Its life.
    pub phases: Vec<Phase>,
}

/// One change of it: from these attributes to those; none where it is not there.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What changes.
    pub label: String,
    /// Its attributes before.
    pub from: Option<String>,
    /// Its attributes after.
    pub to: Option<String>,
    /// Other attributes that it can be given instead.
    pub edited: String,
}

impl Subject {
    /// The stack with the resource in it.
    pub fn body(&self, attributes: Option<&str>) -> String {
        self.body_of(attributes, "", "")
    }

    /// The same with another name, with other meta keys, and with more blocks at the end.
    pub fn body_of(&self, attributes: Option<&str>, meta: &str, more: &str) -> String {
        let own = attributes.map(|attributes| self.own(attributes, meta)).unwrap_or_default();
        format!("{}\n{own}\n{more}", self.scaffold)
    }

    /// The block of the resource alone.
    pub fn own(&self, attributes: &str, meta: &str) -> String {
        match self.type_name {
            Some(type_name) => format!("[resource.{type_name}.x]\n{meta}{HASTE}{attributes}\n"),
            None => attributes.to_owned(),
        }
    }

    /// The resource as somebody makes it by hand: with the data sources it reads, and nothing it waits for.
    pub fn alone(&self, attributes: &str) -> String {
        let waits_for_none = attributes.lines().filter(|line| !line.starts_with("depends_on"));
        let attributes: String = waits_for_none.map(|line| format!("{line}\n")).collect();
        let blocks = self.scaffold.split("\n[").filter(|block| block.starts_with("data."));
        let data: String = blocks.map(|block| format!("[{block}\n")).collect();
        format!("{data}{}", self.own(&attributes, ""))
    }

    /// The stack with the resource renamed in it.
    pub fn body_renamed(&self, attributes: Option<&str>) -> String {
        let mut body = self.body(attributes);
        for (from, to) in &self.renamed {
            body = body.replace(from.as_str(), to);
        }
        for (from, to) in &self.renamed {
            body.push_str(&format!("[[moved]]\nfrom = \"{from}\"\nto = \"{to}\"\n"));
        }
        body
    }
}

/// A subject for every case, on the first emulator that does it right, of those that are installed.
pub fn all() -> Vec<Subject> {
    let installed = [Emulator::Fakecloud, Emulator::MiniStack].into_iter().filter(|emulator| emulator.is_installed());
    let installed: Vec<Emulator> = installed.collect();
    cases::all().enumerate().filter_map(|(number, case)| of(number, case, &installed)).collect()
}

fn of(number: usize, case: &'static Case, installed: &[Emulator]) -> Option<Subject> {
    // What forgets its tags forgets whose it is.
    let needed = ["", case.needs, case.least, "tags = {}"];
    let whole = |emulator: &Emulator| needed.iter().all(|lines| !is_gap(*emulator, case, lines));
    let emulator = *installed.iter().find(|emulator| whole(emulator))?;
    let name: String = format!("p{number}-{}", case.type_name.replace('_', "-")).chars().take(20).collect();
    let fill = |text: &str| text.replace("NAME", &name).replace("\"KEY\"", &format!("{KEY:?}"));
    let least = fill(case.least);
    let mut others: Vec<(String, String)> = Vec::new();
    others.extend(
        case.optional.iter().filter(|line| !is_gap(emulator, case, line)).map(|line| (fill(line), format!("{least}\n{}", fill(line)))),
    );
    let changed = case.changed.iter().filter(|(_, to)| !is_gap(emulator, case, to));
    others.extend(changed.map(|(from, to)| (fill(to), least.replacen(&fill(from), &fill(to), 1))));
    let edited = others.first().map_or_else(|| least.clone(), |(_, body)| body.clone());
    let mut phases = vec![Phase { label: "create".to_owned(), from: None, to: Some(least.clone()), edited: edited.clone() }];
    phases.extend(others.iter().map(|(line, body)| Phase {
        label: format!("set {}", line.lines().next().unwrap_or_default().chars().take(60).collect::<String>()),
        from: Some(least.clone()),
        to: Some(body.clone()),
        edited: if *body == edited { least.clone() } else { edited.clone() },
    }));
    phases.push(Phase { label: "delete".to_owned(), from: Some(least), to: None, edited });
    let scaffold = fill(&scaffold(case.needs)).replace(".n]\n", &format!(".n]\n{HASTE}"));
    let movable = case.needs.is_empty();
    Some(Subject {
        label: format!("{} {number}", case.type_name),
        type_name: Some(case.type_name),
        renamed: vec![(format!("{}.x", case.type_name), format!("{}.y", case.type_name))],
        emulator,
        scaffold,
        movable,
        phases,
    })
}

fn is_gap(emulator: Emulator, case: &Case, lines: &str) -> bool {
    gaps::all().any(|gap| {
        let meets = if lines.is_empty() { gap.attribute.is_empty() } else { !gap.attribute.is_empty() && lines.contains(gap.attribute) };
        gap.emulator == emulator && gap.type_name == case.type_name && meets
    })
}
