//! What is named where: the things that a stack or module declares, and every place that names one.

use std::ops::Range;
use std::path::PathBuf;

use leoctl_core::model::address::{Address, Block};
use leoctl_core::model::module::{MODULE, ModulePath};
use leoctl_core::stack::mention::{Mention, mentions};
use leoctl_core::stack::outline::{Name, Pair, Scalar};

use super::analysis::InFile;
use super::uses;

/// Something that has a name in a stack or module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// `vars.NAME`.
    Variable(String),
    /// `locals.NAME`.
    Local(String),
    /// `TYPE.NAME`.
    Resource(String, String),
    /// `data.TYPE.NAME`.
    Data(String, String),
    /// `module.NAME`.
    Module(String),
    /// What a module tells.
    Output(String),
}

impl Symbol {
    /// Its own name.
    pub fn name(&self) -> &str {
        match self {
            Self::Variable(name) | Self::Local(name) | Self::Module(name) | Self::Output(name) => name,
            Self::Resource(_, name) | Self::Data(_, name) => name,
        }
    }

    /// What names lead to it in a file, and which of them is its own.
    fn of_path(path: &[&str]) -> Option<(Self, usize)> {
        let own = |name: &&str| (*name).to_owned();
        Some(match path {
            ["vars", name, ..] => (Self::Variable(own(name)), 1),
            ["locals", name, ..] => (Self::Local(own(name)), 1),
            ["outputs", name, ..] => (Self::Output(own(name)), 1),
            [MODULE, name, ..] => (Self::Module(own(name)), 1),
            ["resource" | "cost", kind, name, ..] => (Self::Resource(own(kind), own(name)), 2),
            ["data", kind, name, ..] => (Self::Data(own(kind), own(name)), 2),
            _ => return None,
        })
    }

    /// What an expression names, and which of its steps is the name.
    fn of_mention(mention: &Mention) -> Option<(Self, usize)> {
        let own = |step| mention.key(step).map(str::to_owned);
        Some(match mention.key(0)? {
            "vars" => (Self::Variable(own(1)?), 1),
            "locals" => (Self::Local(own(1)?), 1),
            MODULE => (Self::Module(own(1)?), 1),
            "data" => (Self::Data(own(1)?, own(2)?), 2),
            "each" | "stack" | "env" => return None,
            kind => (Self::Resource(kind.to_owned(), own(1)?), 1),
        })
    }
}

/// What an address names, as it stands in `depends_on` or `[[moved]]`: the modules on its way and the resource, each with the
/// modules it is in and where in the address its name stands.
fn of_address(text: &str) -> Vec<(Symbol, Vec<String>, Range<usize>)> {
    let Some((path, rest)) = ModulePath::parse(text) else { return Vec::new() };
    let (mut found, mut around) = (Vec::new(), Vec::new());
    for (number, used) in path.iter().enumerate() {
        // A key may have the same words in it.
        let is_step = |at: &usize| {
            let tail = text.get(*at..).and_then(ModulePath::parse);
            tail.is_some_and(|(tail, end)| tail.depth() + number == path.depth() && end == rest)
        };
        if let Some(at) = text.match_indices(MODULE).map(|(at, _)| at).find(is_step) {
            let start = at + MODULE.len() + 1;
            found.push((Symbol::Module(used.name.clone()), around.clone(), start..start + used.name.len()));
        }
        around.push(used.name.clone());
    }
    if let Ok(Address { block: Block { type_name, name, .. }, .. }) = rest.parse::<Address>() {
        let start = text.len() - rest.len() + type_name.len() + 1;
        let range = start..start + name.len();
        found.push((Symbol::Resource(type_name, name), around, range));
    }
    found
}

/// A place that names something.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The file.
    pub path: PathBuf,
    /// Where the name stands.
    pub range: Range<usize>,
    /// What it names.
    pub symbol: Symbol,
    /// Of which module it is, as seen from the file: a use there, or the file's own.
    pub of: Of,
    /// Whether it is what declares it.
    pub is_declaration: bool,
    /// From where on it counts as the name: with what stands before it.
    pub whole: Range<usize>,
}

/// Whose names one is among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The file's own.
    Own,
    /// Those of a module that the file uses: its name there, and those of the modules in it that lead on.
    Used(Vec<String>),
}

/// Every place of a file that names something.
pub fn occurrences(file: InFile<'_>) -> Vec<Occurrence> {
    let mut found = Vec::new();
    for header in &file.outline.headers {
        found.extend(of_names(file, &header.names, &header.range, true));
    }
    for pair in &file.outline.pairs {
        found.extend(of_pair(file, pair));
    }
    for scalar in &file.outline.scalars {
        found.extend(of_scalar(file, scalar));
    }
    for (_, inside) in file.outline.expressions(file.text) {
        for mention in mentions(&inside.source) {
            found.extend(of_mention(file, &mention, inside.range.start));
        }
    }
    found
}

/// What is named at a place of a file.
pub fn at(file: InFile<'_>, at: usize) -> Option<Occurrence> {
    let covers = |range: &Range<usize>| range.start <= at && at <= range.end;
    let mut found: Vec<Occurrence> = occurrences(file).into_iter().filter(|one| covers(&one.whole)).collect();
    // The narrowest is meant: an output, and not the module that it is of.
    found.sort_by_key(|one| (!covers(&one.range), one.whole.len()));
    found.into_iter().next()
}

fn of_names(file: InFile<'_>, names: &[Name], whole: &Range<usize>, is_header: bool) -> Option<Occurrence> {
    let path: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    let (symbol, own) = Symbol::of_path(&path)?;
    let range = bare(file.text, &names.get(own)?.range);
    let is_declaration = path.first() != Some(&"cost") && (!is_header || path.len() == own + 1 || !has_header(file, &path, own));
    let whole = if is_header { whole.clone() } else { range.clone() };
    Some(Occurrence { path: file.path.to_owned(), range, symbol, of: Of::Own, is_declaration, whole })
}

/// Whether a block has a header that is only its own.
fn has_header(file: InFile<'_>, path: &[&str], own: usize) -> bool {
    let is_own = |names: &[Name]| names.len() == own + 1 && names.iter().zip(path).all(|(name, other)| name.text == *other);
    file.outline.headers.iter().any(|header| is_own(&header.names))
}

/// A name without its quotes.
fn bare(text: &str, range: &Range<usize>) -> Range<usize> {
    let is_quoted = text.get(range.clone()).is_some_and(|name| name.len() > 1 && name.starts_with(['"', '\'']));
    if is_quoted { range.start + 1..range.end - 1 } else { range.clone() }
}

/// What the key of a pair names itself: nothing where what leads to it stands in a header.
fn of_pair(file: InFile<'_>, pair: &Pair) -> Vec<Occurrence> {
    let path: Vec<&str> = pair.path.iter().map(|name| name.text.as_str()).collect();
    let stands_here = |name: &Name| pair.key.start <= name.range.start && name.range.end <= pair.key.end;
    let mut found = Vec::new();
    if let Some((_, own)) = Symbol::of_path(&path)
        && pair.path.get(own).is_some_and(stands_here)
    {
        found.extend(of_names(file, &pair.path, &pair.key, false));
    }
    if let [MODULE, used, "inputs", input, ..] = path.as_slice()
        && let Some(name) = pair.path.get(3).filter(|name| stands_here(name))
    {
        let (symbol, of) = (Symbol::Variable((*input).to_owned()), Of::Used(vec![(*used).to_owned()]));
        let range = bare(file.text, &name.range);
        found.push(Occurrence { path: file.path.to_owned(), whole: range.clone(), range, symbol, of, is_declaration: false });
    }
    found
}

/// What an address in a text names.
fn of_scalar(file: InFile<'_>, scalar: &Scalar) -> Vec<Occurrence> {
    let Some(pair) = file.outline.pair_of(scalar) else { return Vec::new() };
    let path: Vec<&str> = pair.path.iter().map(|name| name.text.as_str()).collect();
    let is_address = matches!(
        path.as_slice(),
        ["resource", _, _, "depends_on"] | [MODULE, _, "depends_on"] | ["moved", "from" | "to"] | ["import", "to"] | ["removed", "from"]
    );
    let Some(content) = scalar.content.clone().filter(|_| is_address) else { return Vec::new() };
    let mut named = of_address(file.text.get(content.clone()).unwrap_or_default());
    let last = named.pop();
    let place = |range: &Range<usize>| content.start + range.start..content.start + range.end;
    let occurrence = |(symbol, around, range): (Symbol, Vec<String>, Range<usize>), whole: Range<usize>| {
        let of = if around.is_empty() { Of::Own } else { Of::Used(around) };
        Occurrence { path: file.path.to_owned(), range: place(&range), symbol, of, is_declaration: false, whole }
    };
    let mut found: Vec<Occurrence> = Vec::new();
    for one in named {
        let whole = place(&one.2);
        found.push(occurrence(one, whole));
    }
    found.extend(last.map(|one| occurrence(one, content.clone())));
    found
}

/// What an expression names, and of a module what it tells.
fn of_mention(file: InFile<'_>, mention: &Mention, start: usize) -> Vec<Occurrence> {
    let Some((symbol, own)) = Symbol::of_mention(mention) else { return Vec::new() };
    let place = |range: &Range<usize>| start + range.start..start + range.end;
    let named = |step: usize, whole: Option<Range<usize>>, symbol: Symbol, of: Of| {
        let range = place(&mention.steps.get(step)?.1);
        let whole = whole.unwrap_or_else(|| range.clone());
        Some(Occurrence { path: file.path.to_owned(), range, symbol, of, is_declaration: false, whole })
    };
    let mut found: Vec<Occurrence> = named(own, Some(place(&mention.range())), symbol.clone(), Of::Own).into_iter().collect();
    if let Symbol::Module(used) = symbol {
        // Of one with `for_each` the key comes first.
        let step = if uses::is_repeated(file, &used) { 3 } else { 2 };
        let output = mention.key(step).map(|name| Symbol::Output(name.to_owned()));
        found.extend(output.and_then(|output| named(step, None, output, Of::Used(vec![used]))));
    }
    found
}
