//! Templates: the right-hand sides of a stack file, with their expressions parsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::budget::{Exhausted, HEAVIEST, LONGEST, weight};
use super::diagnostic::{Code, Diagnostic, Diagnostics, Source, Span};
use super::expr::{EvalError, Expr, ParseError, Scope};
use super::node::{Node, NodeKind};
use super::reference::{Home, Reference};
use crate::model::value::Value;

/// A value that may contain expressions.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it is.
    pub kind: TemplateKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of template.
#[derive(Clone, Debug)]
pub enum TemplateKind {
    /// A constant.
    Literal(Value),
    /// A string that is one `${…}`: the expression's own type.
    Expr(Arc<Expr>),
    /// A longer text with `${…}` in it.
    Text(Vec<Part>),
    /// An array.
    List(Vec<Template>),
    /// A table.
    Table(IndexMap<String, Field>),
}

/// A key of a table and its value.
#[derive(Clone, Debug)]
pub struct Field {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: Template,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// The value of an expression.
    Expr(Arc<Expr>, Span),
}

impl Field {
    /// This field where its names mean what they do at `home`.
    #[must_use]
    pub fn at(&self, home: &Home) -> Self {
        Self { key: self.key.clone(), value: self.value.at(home) }
    }
}

impl Part {
    fn at(&self, home: &Home) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.clone()),
            Self::Expr(expr, span) => Self::Expr(Arc::new(expr.at(home)), span.clone()),
        }
    }
}

/// An expression failed: why, and where it stands.
pub type Failure = (EvalError, Span);

impl Template {
    /// A constant that stands in no file.
    pub fn literal(value: Value) -> Self {
        Self { kind: TemplateKind::Literal(value), span: Span::default() }
    }

    /// Parses every expression in a node.
    pub fn parse(node: &Node, sources: &[Source], diagnostics: &mut Diagnostics) -> Self {
        let kind = match &node.kind {
            NodeKind::Bool(flag) => TemplateKind::Literal(Value::Bool(*flag)),
            NodeKind::Int(number) => TemplateKind::Literal(Value::Int(*number)),
            NodeKind::Float(number) => TemplateKind::Literal(Value::Float(*number)),
            NodeKind::Unreadable => TemplateKind::Literal(Value::Unknown),
            NodeKind::String(text) => parse_text(text, &node.span, sources, diagnostics),
            NodeKind::List(items) => TemplateKind::List(items.iter().map(|item| Self::parse(item, sources, diagnostics)).collect()),
            NodeKind::Table(table) => TemplateKind::Table(
                table
                    .iter()
                    .map(|(key, entry)| {
                        let value = Self::parse(&entry.node, sources, diagnostics);
                        (key.clone(), Field { key: entry.key.clone(), value })
                    })
                    .collect(),
            ),
        };
        Self { kind, span: node.span.clone() }
    }

    /// Parses an expression that stands at a place by itself, without `${` and `}`.
    pub fn expression(source: &str, span: &Span, diagnostics: &mut Diagnostics) -> Self {
        let kind = match Expr::parse(source) {
            Ok(expr) => TemplateKind::Expr(Arc::new(expr.in_source(span.file))),
            Err(error) => {
                let start = span.range.start;
                diagnostics.push(misread(error, source, |from, to| Span { file: span.file, range: start + from..start + to }));
                TemplateKind::Literal(Value::Unknown)
            }
        };
        Self { kind, span: span.clone() }
    }

    /// The value in `scope`.
    ///
    /// # Errors
    /// The first expression that fails, and where it stands.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, Failure> {
        self.eval_within(scope, &mut 0)
    }

    /// The value, with its size added to `size`.
    fn eval_within(&self, scope: &dyn Scope, size: &mut u64) -> Result<Value, Failure> {
        Ok(match &self.kind {
            TemplateKind::Literal(value) => value.clone(),
            TemplateKind::Expr(expr) => {
                let value = expr.eval(scope).map_err(|error| (error, self.span.clone()))?;
                *size = size.saturating_add(weight(&value));
                if *size > HEAVIEST {
                    return Err((EvalError::exhausted(Exhausted::Value).naming(&expr.source), self.span.clone()));
                }
                value
            }
            TemplateKind::Text(parts) => text(parts, scope)?,
            TemplateKind::List(items) => Value::List(items.iter().map(|item| item.eval_within(scope, size)).collect::<Result<_, _>>()?),
            TemplateKind::Table(table) => {
                let mut map = BTreeMap::new();
                for (key, field) in table {
                    map.insert(key.clone(), field.value.eval_within(scope, size)?);
                }
                Value::Map(map)
            }
        })
    }

    /// This template where its names mean what they do at `home`.
    #[must_use]
    pub fn at(&self, home: &Home) -> Self {
        let kind = match &self.kind {
            TemplateKind::Literal(value) => TemplateKind::Literal(value.clone()),
            TemplateKind::Expr(expr) => TemplateKind::Expr(Arc::new(expr.at(home))),
            TemplateKind::Text(parts) => TemplateKind::Text(parts.iter().map(|part| part.at(home)).collect()),
            TemplateKind::List(items) => TemplateKind::List(items.iter().map(|item| item.at(home)).collect()),
            TemplateKind::Table(fields) => TemplateKind::Table(fields.iter().map(|(name, field)| (name.clone(), field.at(home))).collect()),
        };
        Self { kind, span: self.span.clone() }
    }

    /// Calls `visit` with every expression and where it stands.
    pub fn for_each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr, &'a Span)) {
        match &self.kind {
            TemplateKind::Literal(_) => {}
            TemplateKind::Expr(expr) => visit(expr, &self.span),
            TemplateKind::Text(parts) => {
                for part in parts {
                    if let Part::Expr(expr, span) = part {
                        visit(expr, span);
                    }
                }
            }
            TemplateKind::List(items) => items.iter().for_each(|item| item.for_each_expr(visit)),
            TemplateKind::Table(table) => table.values().for_each(|field| field.value.for_each_expr(visit)),
        }
    }

    /// Everything this template refers to, and where.
    pub fn references(&self) -> Vec<(&Reference, &Span)> {
        let mut found = Vec::new();
        self.for_each_expr(&mut |expr, span| found.extend(expr.references.iter().map(|reference| (reference, span))));
        found
    }

    /// The fields, if this is a table.
    pub fn as_table(&self) -> Option<&IndexMap<String, Field>> {
        match &self.kind {
            TemplateKind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if this is a constant text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            TemplateKind::Literal(value) => value.as_str(),
            _ => None,
        }
    }
}

/// The text of a file with expressions in it, whatever names they have.
pub struct Document {
    text: String,
    parts: Vec<Part>,
}

/// What is wrong in such a text.
pub struct Problem {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Reads the text of a file with expressions in it.
///
/// # Errors
/// The first mistake.
pub fn of_text(text: &str) -> Result<Document, Problem> {
    let source = Source { path: std::path::PathBuf::new(), text: text.to_owned(), private: false };
    let span = Span { file: 0, range: 0..text.len() };
    let mut diagnostics = Diagnostics::default();
    let kind = parse_text(text, &span, &[source], &mut diagnostics);
    if let Some(first) = diagnostics.0.into_iter().next() {
        let at = first.span.map_or(0, |span| span.range.start);
        return Err(Problem { line: line(text, at), message: first.message, help: first.help.into_iter().next() });
    }
    let parts = match kind {
        TemplateKind::Expr(expr) => vec![Part::Expr(expr, span)],
        TemplateKind::Text(parts) => parts,
        TemplateKind::Literal(Value::String(text)) => vec![Part::Text(text)],
        _ => Vec::new(),
    };
    Ok(Document { text: text.to_owned(), parts })
}

impl Document {
    /// The text with the values of its expressions.
    ///
    /// # Errors
    /// The first expression that fails, and the line it is on.
    pub fn value(&self, scope: &dyn Scope) -> Result<Value, (EvalError, usize)> {
        self::text(&self.parts, scope).map_err(|(error, span)| (error, line(&self.text, span.range.start)))
    }
}

/// The line of a byte, from 1 on.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The text that pieces make together.
fn text(parts: &[Part], scope: &dyn Scope) -> Result<Value, Failure> {
    let mut text = String::new();
    let (mut unknown, mut secret) = (false, false);
    for part in parts {
        let (expr, span) = match part {
            Part::Text(piece) => {
                text.push_str(piece);
                continue;
            }
            Part::Expr(expr, span) => (expr, span),
        };
        let value = expr.eval(scope).map_err(|error| (error, span.clone()))?;
        secret |= value.has_secret();
        match interpolated(&value, expr) {
            Ok(Some(piece)) => text.push_str(&piece),
            Ok(None) => unknown = true,
            Err(error) => return Err((error, span.clone())),
        }
        if text.len() > LONGEST {
            return Err((EvalError::exhausted(Exhausted::Text).naming(&expr.source), span.clone()));
        }
    }
    Ok(match (unknown, secret) {
        (true, _) => Value::Unknown,
        (false, true) => Value::String(text).into_secret(),
        (false, false) => Value::String(text),
    })
}

/// The text a value becomes inside a longer one; none when it is unknown.
fn interpolated(value: &Value, expr: &Expr) -> Result<Option<String>, EvalError> {
    Ok(Some(match value.revealed() {
        Value::Unknown => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => {
            let shown: String = expr.source.trim().chars().take(60).collect();
            let error = EvalError::new(format!("`{shown}` has no value, so it cannot stand inside a text: it was left out"));
            return Err(match shown.as_str() {
                "null" => error.advice("leave the `${null}` out"),
                _ => error.advice(format!("write `{shown} == null ? … : {shown}` to say what to take instead")),
            });
        }
        other => {
            let error = EvalError::new(format!("{} cannot stand inside a text", other.kind()));
            return Err(error.advice("use `.join(',')` for a list, or `jsonencode(…)`"));
        }
    }))
}

fn parse_text(text: &str, span: &Span, sources: &[Source], diagnostics: &mut Diagnostics) -> TemplateKind {
    if !text.contains("${") {
        return TemplateKind::Literal(Value::string(text));
    }
    let locate = Locator::new(text, span, sources);
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = 0;
    // What is wrong has been said: nothing more is to be said of this value.
    let mut wrong = false;
    while let Some(tail) = text.get(rest..).filter(|tail| !tail.is_empty()) {
        let Some(at) = tail.find("${") else {
            literal.push_str(tail);
            break;
        };
        let before = tail.get(..at).unwrap_or_default();
        if let Some(escaped) = before.strip_suffix('$') {
            literal.push_str(escaped);
            literal.push_str("${");
            rest += at + 2;
            continue;
        }
        literal.push_str(before);
        let start = rest + at + 2;
        let inner = text.get(start..).unwrap_or_default();
        let Some(length) = expression_length(inner) else {
            diagnostics.push(match open_quote(inner).filter(|_| inner.contains('}')) {
                Some(quote) => Diagnostic::error(
                    Code::BadExpression,
                    &locate.span(start + quote, start + quote + 1),
                    "the text that begins here is never closed, and so `${` is not",
                )
                .help("write the same quote where it ends"),
                None => Diagnostic::error(Code::BadExpression, &locate.span(start - 2, start), "this `${` is never closed")
                    .help("close it with `}`, or write `$${` for a literal `${`"),
            });
            wrong = true;
            break;
        };
        let source = inner.get(..length).unwrap_or_default();
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        match Expr::parse(source) {
            Ok(expr) => parts.push(Part::Expr(Arc::new(expr.in_source(span.file)), locate.span(start, start + length))),
            Err(error) => {
                wrong = true;
                diagnostics.push(misread(error, source, |from, to| locate.span(start + from, start + to)));
            }
        }
        rest = start + length + 1;
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    match parts.as_slice() {
        _ if wrong => TemplateKind::Literal(Value::Unknown),
        [Part::Expr(only, _)] => TemplateKind::Expr(Arc::clone(only)),
        [Part::Text(only)] => TemplateKind::Literal(Value::string(only.as_str())),
        _ => TemplateKind::Text(parts),
    }
}

/// What is wrong with the syntax of an expression, at its place.
fn misread(error: ParseError, source: &str, place: impl Fn(usize, usize) -> Span) -> Diagnostic {
    let from = error.offset.min(source.len());
    let to = (from + error.length.max(1)).min(source.len()).max(from);
    let column = source.get(..error.offset).map_or(error.offset, |before| before.chars().count()) + 1;
    let diagnostic = Diagnostic::error(Code::BadExpression, &place(from, to), format!("invalid expression: {}", error.message))
        .label(format!("column {column} of the expression"));
    error.help.into_iter().fold(diagnostic, Diagnostic::help)
}

/// How long the expression at the start of `text` is: up to the `}` that closes it, quotes and braces minded.
pub(super) fn expression_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' => quote = Some(c),
                '{' => depth += 1,
                '}' if depth == 0 => return Some(at),
                '}' => depth -= 1,
                _ => {}
            },
        }
    }
    None
}

/// Where the text begins in which an expression that is never closed ends.
fn open_quote(text: &str) -> Option<usize> {
    let (mut open, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match open {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some((_, quote)) if c == quote => open = None,
            None if matches!(c, '\'' | '"') => open = Some((at, c)),
            _ => {}
        }
    }
    open.map(|(at, _)| at)
}

/// Maps places in a string's value to places in the file.
struct Locator<'a> {
    whole: &'a Span,
    /// Where the value's first byte stands, when the value stands in the file letter by letter.
    content: Option<usize>,
}

impl<'a> Locator<'a> {
    fn new(text: &str, whole: &'a Span, sources: &[Source]) -> Self {
        let raw = sources.get(whole.file).and_then(|source| source.text.get(whole.range.clone()));
        // An escape before the text makes the letters differ: then the whole string is pointed at.
        let content = raw.and_then(|raw| raw.find(text)).map(|at| whole.range.start + at);
        Self { whole, content }
    }

    fn span(&self, from: usize, to: usize) -> Span {
        match self.content {
            Some(start) => Span { file: self.whole.file, range: start + from..start + to },
            None => self.whole.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (TemplateKind, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        (parse_text(text, &Span::default(), &[], &mut diagnostics), diagnostics)
    }

    #[test]
    fn one_expression_keeps_its_type_and_more_make_text() {
        assert!(matches!(parse("${1 + 1}").0, TemplateKind::Expr(_)));
        assert!(matches!(parse("a-${1}").0, TemplateKind::Text(parts) if parts.len() == 2));
    }

    #[test]
    fn a_doubled_dollar_is_literal() {
        assert!(matches!(parse("a $${b} c").0, TemplateKind::Literal(Value::String(text)) if text == "a ${b} c"));
    }

    #[test]
    fn braces_and_quotes_inside_an_expression_do_not_end_it() {
        let (kind, diagnostics) = parse("${{'a}': 1}['a}']}");
        assert!(matches!(kind, TemplateKind::Expr(_)), "{diagnostics:?}");
    }

    #[test]
    fn nothing_more_is_said_of_a_value_with_a_mistake_in_it() {
        for text in ["${1 +}", "a ${1 +} b", "${vpc.main"] {
            let (kind, diagnostics) = parse(text);
            assert!(matches!(kind, TemplateKind::Literal(Value::Unknown)) && diagnostics.has_errors(), "{text}");
        }
    }

    #[test]
    fn values_that_double_are_an_error_and_not_an_end_of_memory() {
        let scope = Doubling;
        let mut diagnostics = Diagnostics::default();
        for text in ["x = ['${locals.big}', '${locals.big}', '${locals.big}']", "x = '${locals.text}${locals.text}${locals.text}'"] {
            let table = super::super::node::parse(0, text, &mut diagnostics);
            let template = Template::parse(&table["x"].node, &[], &mut diagnostics);
            let (error, _) = template.eval(&scope).unwrap_err();
            assert!(error.message.contains("it makes a"), "{error}");
        }
    }

    struct Doubling;

    impl Scope for Doubling {
        fn lookup(&self, reference: &Reference) -> Result<Value, EvalError> {
            Ok(match reference.key(1) {
                Some("big") => Value::List(vec![Value::Null; 400_000]),
                _ => Value::String("x".repeat(2 << 20)),
            })
        }
    }

    #[test]
    fn an_open_expression_is_an_error() {
        assert!(parse("${vpc.main").1.has_errors());
    }
}
