//! Mistakes in a stack file, as data: what is wrong, where, and what to do about it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::PathBuf;

pub use super::code::Code;

/// The text of one file of a stack.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was read from, as the user would write it.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// Whether its lines are not shown, as they may hold secrets.
    pub private: bool,
}

/// A place in one of the stack's files: bytes `range` of file number `file`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The index of the file among the stack's sources.
    pub file: usize,
    /// The bytes in it.
    pub range: Range<usize>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing will be done.
    Error,
    /// Worth knowing.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, when it is anywhere in particular.
    pub span: Option<Span>,
    /// What to say at the place itself.
    pub label: String,
    /// Another place that it is about, and what to say there.
    pub also: Option<(Span, &'static str)>,
    /// What to do, one line each.
    pub help: Vec<String>,
    /// The block or the resource that it is about, where it is about one.
    pub address: Option<String>,
    /// The name that is wrong at the place, and the one that is probably meant.
    pub meant: Option<Meant>,
}

/// A name that does not exist, and the one that is probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// What is written.
    pub given: String,
    /// What is meant.
    pub name: String,
}

impl Meant {
    /// The nearest of `candidates` to `given`.
    pub fn among<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        Some(Self { given: given.to_owned(), name: nearest(given, candidates)?.to_owned() })
    }
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: Some(span.clone()),
            label: String::new(),
            also: None,
            help: Vec::new(),
            address: None,
            meant: None,
        }
    }

    /// An error at a place, where there is one.
    pub fn at(code: Code, span: Option<&Span>, message: impl Into<String>) -> Self {
        match span {
            Some(span) => Self::error(code, span, message),
            None => Self::general(code, message),
        }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// An error of a whole file or command.
    pub fn general(code: Code, message: impl Into<String>) -> Self {
        Self { span: None, ..Self::error(code, &Span::default(), message) }
    }

    /// Whether another says the same of the same place.
    fn says_the_same(&self, other: &Self) -> bool {
        self.span == other.span && self.code == other.code && self.message == other.message && self.help == other.help
    }

    fn hashed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let place = self.span.as_ref().map(|span| (span.file, span.range.start, span.range.end));
        (place, &self.message, &self.help).hash(&mut hasher);
        hasher.finish()
    }

    /// This diagnostic, about a block or a resource.
    pub fn about(mut self, address: impl ToString) -> Self {
        self.address = Some(address.to_string());
        self
    }

    /// This diagnostic with words at the place itself.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// This diagnostic, about another place as well.
    pub fn also(mut self, span: Span, said: &'static str) -> Self {
        self.also = Some((span, said));
        self
    }

    /// This diagnostic with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// This diagnostic with the nearest of `candidates` to `given` suggested, or all of them listed when they are few.
    pub fn suggest<'a>(self, given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let meant = Meant::among(given, candidates.iter().copied());
        match suggestion(given, candidates) {
            Some(help) => self.help(help).meaning(meant),
            None => self,
        }
    }

    /// This diagnostic with the name that is probably meant.
    pub fn meaning(self, meant: Option<Meant>) -> Self {
        Self { meant, ..self }
    }
}

/// No name is longer, in bytes: what is longer is no name with a typing error.
const LONGEST_NAME: usize = 200;

/// The candidate that is probably meant.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > LONGEST_NAME {
        return None;
    }
    let length = given.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // As many letters as one has more, they are at least apart.
        let least = candidate.chars().count().abs_diff(length);
        if best.is_some_and(|(distance, _)| distance <= least) {
            continue;
        }
        let distance = strsim::damerau_levenshtein(given, candidate);
        if best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, candidate));
        }
    }
    let (distance, candidate) = best?;
    // Of a short name most letters have to be there.
    let most = if given.len() < 4 { 1 } else { 2.max(given.len() / 3) };
    (distance <= most || candidate.contains(given) && given.len() > 2).then_some(candidate)
}

/// Advice on a name that does not exist: the nearest one, or the list when it is short.
pub fn suggestion<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(given, candidates.iter().copied()) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
        None if candidates.is_empty() => None,
        None if candidates.len() <= 12 => Some(format!("expected one of: {}", candidates.join(", "))),
        None => None,
    }
}

/// A list of mistakes being collected.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>, Index);

/// Where in the list what has been said is: a file may have more mistakes than can be compared with each other.
#[derive(Clone, Debug, Default)]
struct Index {
    /// The places in the list, by a hash of what is said there.
    places: HashMap<u64, Vec<usize>>,
    /// How much of the list is in it.
    until: usize,
}

impl Index {
    /// Takes up what has come to the list, or all of it where it has become shorter.
    fn follow(&mut self, list: &[Diagnostic]) {
        if self.until > list.len() {
            *self = Self::default();
        }
        for (at, one) in list.iter().enumerate().skip(self.until) {
            self.places.entry(one.hashed()).or_default().push(at);
        }
        self.until = list.len();
    }
}

impl Diagnostics {
    /// Adds one that has not been said yet, whatever it was said about.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.1.follow(&self.0);
        let mut alike = self.1.places.get(&diagnostic.hashed()).into_iter().flatten();
        if !alike.any(|at| self.0.get(*at).is_some_and(|said| said.says_the_same(&diagnostic))) {
            self.0.push(diagnostic);
        }
    }

    /// Says of those from number `from` on that are about nothing in particular that they are about this.
    pub fn are_about(&mut self, from: usize, address: &impl ToString) {
        for one in self.0.iter_mut().skip(from).filter(|one| one.address.is_none()) {
            one.address = Some(address.to_string());
        }
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self(diagnostics, Index::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_been_said_is_not_said_again_however_much_there_is() {
        let one = |at: usize| Diagnostic::error(Code::BadName, &Span { file: 0, range: at..at + 1 }, "no name");
        let mut said = Diagnostics::default();
        for _ in 0..2 {
            (0..20_000).for_each(|at| said.push(one(at)));
        }
        said.push(one(0).help("another help is something else"));
        assert_eq!(said.0.len(), 20_001);
        said.0.truncate(1);
        said.push(one(0));
        said.push(one(1));
        assert_eq!(said.0.len(), 2);
    }

    #[test]
    fn the_nearest_name_is_found_and_what_is_no_name_has_none() {
        let names = ["cidr_block", "tags", "hosted_zone_id", "name"];
        assert_eq!(nearest("cidr_blok", names), Some("cidr_block"));
        assert_eq!(nearest("hosted_zone", names), Some("hosted_zone_id"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("xyz", names), None);
        let long = "cidr_block".repeat(100_000);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }
}
