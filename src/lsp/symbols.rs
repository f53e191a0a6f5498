//! What a file declares, as editors list it.

use std::ops::Range;

use super::analysis::InFile;

/// Something that a file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where all of it stands.
    pub range: Range<usize>,
    /// Where its name stands.
    pub own: Range<usize>,
}

/// What kind of thing a file declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A resource.
    Resource,
    /// A data source.
    Data,
    /// A module.
    Module,
    /// A variable.
    Variable,
    /// A local.
    Local,
    /// An output.
    Output,
    /// Anything else.
    Section,
}

/// What a file declares, in order.
pub fn symbols(file: InFile<'_>) -> Vec<Declared> {
    let mut found = Vec::new();
    for header in &file.outline.headers {
        let path: Vec<&str> = header.names.iter().map(|name| name.text.as_str()).collect();
        let kind = match path.as_slice() {
            ["resource", _, _] => Kind::Resource,
            ["data", _, _] => Kind::Data,
            ["module", _] => Kind::Module,
            ["vars", _] => Kind::Variable,
            ["locals" | "outputs"] => continue,
            [_] | [_, _] => Kind::Section,
            _ => continue,
        };
        let name = match (path.as_slice(), header.is_list) {
            (["resource", rest @ ..], _) => rest.join("."),
            (all, true) => format!("[[{}]]", all.join(".")),
            (all, false) => all.join("."),
        };
        found.push(Declared { name, kind, range: whole(file.text, &header.body), own: header.range.clone() });
    }
    for pair in &file.outline.pairs {
        let kind = match pair.path.first().map(|name| name.text.as_str()) {
            Some("locals") => Kind::Local,
            Some("outputs") => Kind::Output,
            _ => continue,
        };
        let is_own = pair.path.len() == 2 && file.outline.areas.get(pair.area).is_some_and(|area| !area.is_inline);
        if let Some(name) = pair.path.get(1).filter(|_| is_own) {
            let section = if kind == Kind::Local { "locals" } else { "outputs" };
            let end = pair.value.as_ref().map_or(pair.key.end, |value| value.end);
            found.push(Declared { name: format!("{section}.{}", name.text), kind, range: pair.key.start..end, own: pair.key.clone() });
        }
    }
    found.sort_by_key(|one| one.range.start);
    found
}

/// A block without the blank lines behind it.
fn whole(text: &str, body: &Range<usize>) -> Range<usize> {
    let length = text.get(body.clone()).map_or(0, |text| text.trim_end().len());
    body.start..body.start + length
}
