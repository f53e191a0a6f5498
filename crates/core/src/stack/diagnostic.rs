//! Mistakes in a stack file, as data: what is wrong, where, and what to do about it.

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

/// The candidate that is probably meant.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
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
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one that has not been said yet, whatever it was said about.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_it = |said: &Diagnostic| {
            said.span == diagnostic.span
                && said.code == diagnostic.code
                && said.message == diagnostic.message
                && said.help == diagnostic.help
        };
        if !self.0.iter().any(is_it) {
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
        Self(diagnostics)
    }
}
