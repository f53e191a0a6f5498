//! What may be written at a place.

use std::ops::Range;
use std::path::Path;

use leoctl_core::model::module::MODULE;
use leoctl_core::model::schema::{Catalog, Type};
use leoctl_core::stack::files::normalize;
use leoctl_core::stack::keys;

use super::analysis::InFile;
use super::cursor::{Writing, writing};
use super::reference::{Asked, references};
use super::shape::{self, Want};
use super::{Project, expression};

/// What kind of thing is offered, as editors tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A section or a type.
    Type,
    /// A key.
    Key,
    /// A value.
    Value,
    /// A name that the stack declares.
    Name,
    /// A function.
    Function,
    /// A word of the language.
    Root,
    /// A file.
    File,
}

/// What may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called.
    pub label: String,
    /// What kind of thing it is.
    pub sort: Sort,
    /// In a few words, what it is.
    pub detail: String,
    /// What it is, in Markdown.
    pub doc: String,
    /// What is written for it.
    pub insert: String,
    /// How far behind the others it is listed.
    pub rank: u8,
}

impl Item {
    /// Something that is written as it is called.
    pub fn new(label: impl Into<String>, sort: Sort) -> Self {
        let label = label.into();
        Self { insert: label.clone(), label, sort, detail: String::new(), doc: String::new(), rank: 1 }
    }

    /// The same with what it is.
    #[must_use]
    pub fn about(self, detail: impl Into<String>, doc: impl Into<String>) -> Self {
        Self { detail: detail.into(), doc: doc.into(), ..self }
    }
}

/// What may be written in place of a part of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// What is replaced.
    pub range: Range<usize>,
    /// What may stand there.
    pub items: Vec<Item>,
    /// Whether there is more that what is typed next may bring up.
    pub is_partial: bool,
}

/// What may be written at a place.
pub fn complete(file: InFile<'_>, at: usize, catalog: &Catalog, project: &dyn Project) -> Offer {
    match writing(file, at) {
        Writing::Header { before, range } => header(file, catalog, project, &before, range),
        Writing::Key { area, path, range, has_value } => keys_of(file, catalog, area, &path, (range, has_value)),
        Writing::Value { path, range, is_quoted } => value(file, catalog, project, &path, (range, is_quoted)),
        Writing::Expression(inside) => expression::complete(file, &inside, at),
        Writing::Nothing => Offer::default(),
    }
}

fn header(file: InFile<'_>, catalog: &Catalog, project: &dyn Project, before: &[String], range: Range<usize>) -> Offer {
    let path: Vec<&str> = before.iter().map(String::as_str).collect();
    let typed = file.text.get(range.clone()).unwrap_or_default();
    let mut is_partial = false;
    let items = match path.as_slice() {
        [] => sections(file),
        ["resource"] => {
            // There are more than a thousand of them: those that what is typed may mean.
            is_partial = true;
            let own = catalog.resources.keys().map(|name| of_type(name, doc_of(catalog, &["resource", name, "x"]), 1));
            let asked = typed.len() >= 2;
            let further = project.further_types().iter().filter(|name| asked && is_like(name, typed));
            own.chain(further.map(|name| of_type(name, String::new(), 2))).collect()
        }
        ["data"] => catalog.data.keys().map(|name| of_type(name, doc_of(catalog, &["data", name, "x"]), 1)).collect(),
        ["resource", _, _, ..] => {
            let whole = path.len() == 3;
            let meta = plain(keys::META.iter().filter(|key| whole && ["timeouts", "lifecycle"].contains(&key.name)), 2);
            let tables = shape::tables(catalog, &path).into_iter();
            tables.map(|known| Item { rank: 1, ..Item::new(&known.name, Sort::Type).about(known.detail, known.doc) }).chain(meta).collect()
        }
        [MODULE, _] => plain(keys::A_USE.iter().filter(|key| key.name == "inputs"), 1),
        ["stack"] => plain(keys::STACK.iter().filter(|key| ["backend", "encryption", "tags"].contains(&key.name)), 1),
        ["stack", "backend"] => plain(keys::BACKEND.iter(), 1),
        ["stack", "encryption"] => plain(keys::ENCRYPTION.iter().filter(|key| key.name != "required"), 1),
        ["stack", "encryption", "previous"] => plain(keys::PREVIOUS.iter(), 1),
        // Each condition is one of several tables.
        ["vars", _] => {
            let wanted = if is_one_of_several(file, range.start) { "validate" } else { "default" };
            plain(keys::A_VARIABLE.iter().filter(|key| key.name == wanted), 1)
        }
        _ => Vec::new(),
    };
    Offer { range, items, is_partial }
}

/// Whether a name has everything that is typed, in its order, whatever the case.
fn is_like(name: &str, typed: &str) -> bool {
    let mut letters = name.chars();
    typed.chars().all(|wanted| letters.any(|letter| letter.eq_ignore_ascii_case(&wanted)))
}

/// Whether the header in which a place is begins with two brackets.
fn is_one_of_several(file: InFile<'_>, at: usize) -> bool {
    let line = file.text.get(..at).and_then(|before| before.rsplit('\n').next());
    line.is_some_and(|line| line.trim_start().starts_with("[["))
}

fn sections(file: InFile<'_>) -> Vec<Item> {
    let is_module = !file.analysis.unit(file.path).iter().any(|one| one.path == file.analysis.root) || file.analysis.is_module;
    let fits = |key: &&keys::Key| !is_module || keys::OF_A_MODULE.iter().any(|own| own.name == key.name);
    plain(keys::SECTIONS.iter().filter(fits), 1)
}

fn plain<'a>(keys: impl Iterator<Item = &'a keys::Key>, rank: u8) -> Vec<Item> {
    keys.map(|key| Item { rank, ..Item::new(key.name, Sort::Type).about("", key.doc) }).collect()
}

fn doc_of(catalog: &Catalog, path: &[&str]) -> String {
    shape::schema(catalog, path).map(|(schema, _)| schema.doc.clone()).unwrap_or_default()
}

fn of_type(name: &str, doc: String, rank: u8) -> Item {
    let summary = doc.lines().next().unwrap_or_default().to_owned();
    Item { rank, ..Item::new(name, Sort::Type).about(summary, doc) }
}

/// The keys that a table may have and has not.
fn keys_of(file: InFile<'_>, catalog: &Catalog, area: usize, path: &[String], (range, has_value): (Range<usize>, bool)) -> Offer {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let here = |one: &leoctl_core::stack::outline::Name| one.range.start <= range.end && range.start <= one.range.end;
    let written: Vec<&str> = file.outline.keys_in(area).filter(|name| !here(name)).map(|name| name.text.as_str()).collect();
    // Tables of a block have headers of their own.
    let below = file.outline.headers.iter().filter(|header| header.names.len() > names.len());
    let below = below.filter(|header| header.names.iter().zip(&names).all(|(name, other)| name.text == *other));
    let below: Vec<&str> = below.filter_map(|header| header.names.get(names.len())).map(|name| name.text.as_str()).collect();
    let is_new = |known: &shape::Known| !written.contains(&known.name.as_str()) && !below.contains(&known.name.as_str());
    let items = shape::keys(file, catalog, &names).into_iter().filter(is_new).map(|known| {
        let shape::Known { name, doc, detail, required } = known;
        let is_meta = keys::META.iter().any(|key| key.name == name);
        let rank = if required {
            0
        } else if is_meta {
            2
        } else {
            1
        };
        let insert = if has_value { name.clone() } else { format!("{name} = ") };
        let detail = match (required, detail.is_empty()) {
            (true, true) => "required".to_owned(),
            (true, false) => format!("{detail}, required"),
            (false, _) => detail,
        };
        Item { insert, rank, ..Item::new(name, Sort::Key).about(detail, doc) }
    });
    Offer { range, items: items.collect(), is_partial: false }
}

fn value(file: InFile<'_>, catalog: &Catalog, project: &dyn Project, path: &[String], (range, is_quoted): (Range<usize>, bool)) -> Offer {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let text = |text: &str, sort| {
        let insert = if is_quoted { text.to_owned() } else { format!("\"{text}\"") };
        Item { insert, ..Item::new(text, sort) }
    };
    let flags = || ["true", "false"].map(|flag| Item::new(flag, Sort::Value)).to_vec();
    let typed = file.text.get(range.clone()).unwrap_or_default();
    let items: Vec<Item> = match shape::want(catalog, &names) {
        Some(Want::Flag) if !is_quoted => flags(),
        Some(Want::OneOf(all)) => all.iter().map(|one| text(one, Sort::Value)).collect(),
        Some(Want::Type(ty)) => {
            let own = match shape::element(&ty) {
                Type::Bool if !is_quoted => flags(),
                Type::String(rule) => rule.one_of.iter().map(|one| text(one, Sort::Value)).collect(),
                Type::Int { one_of, .. } if !is_quoted => one_of.iter().map(|one| Item::new(one.to_string(), Sort::Value)).collect(),
                _ => Vec::new(),
            };
            let named = references(file, catalog, &Asked::of(&names, &ty), is_element(file, &range));
            let written = |item: Item| {
                let whole = format!("${{{}}}", item.insert);
                Item { insert: if is_quoted { whole } else { format!("\"{whole}\"") }, ..item }
            };
            // In a text that has more than a name, an expression begins with `${`.
            let may_name = typed.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            own.into_iter().chain(named.into_iter().filter(|_| may_name).map(written)).collect()
        }
        Some(Want::File) => files(file.path, typed, project).iter().map(|name| text(name, Sort::File)).collect(),
        Some(Want::Address) => addresses(file).iter().map(|address| text(address, Sort::Name)).collect(),
        Some(Want::Account) => {
            let stack = file.analysis.names();
            stack.iter().flat_map(|stack| stack.config.accounts.keys()).map(|name| text(name, Sort::Name)).collect()
        }
        _ => Vec::new(),
    };
    Offer { range, items, is_partial: false }
}

/// Whether a value stands in a list.
fn is_element(file: InFile<'_>, range: &Range<usize>) -> bool {
    let holds = |value: &Range<usize>| value.start < range.start && range.end <= value.end;
    let mut values = file.outline.pairs.iter().filter_map(|pair| pair.value.as_ref());
    let innermost = values.rfind(|value| holds(value));
    innermost.and_then(|value| file.text.get(value.clone())).is_some_and(|text| text.starts_with('['))
}

/// The addresses of the resources and modules that a file can name.
fn addresses(file: InFile<'_>) -> Vec<String> {
    let Some(stack) = file.analysis.names() else { return Vec::new() };
    let home = file.analysis.home(file.path);
    let blocks = stack.config.resources.keys().filter(|block| block.module == home);
    let blocks = blocks.map(|block| format!("{}.{}", block.type_name, block.name));
    blocks.chain(stack.config.modules.used_in(&home).map(|name| format!("{MODULE}.{name}"))).collect()
}

/// The TOML files and the folders where a path leads that is being written, by their paths from the file on.
fn files(from: &Path, typed: &str, project: &dyn Project) -> Vec<String> {
    let folder = typed.rfind('/').and_then(|end| typed.get(..=end)).unwrap_or_default();
    let base = from.parent().unwrap_or(Path::new(""));
    let mut found: Vec<String> = Vec::new();
    if folder.is_empty() {
        found.push("../".to_owned());
    }
    found.extend(project.entries(&normalize(&base.join(folder))).into_iter().map(|name| format!("{folder}{name}")));
    let own = from.file_name().map(|name| format!("{folder}{}", name.to_string_lossy()));
    found.retain(|name| Some(name) != own.as_ref());
    found
}
