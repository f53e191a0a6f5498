//! Functions of files: those of the project, which have been read with the stack.

use std::collections::BTreeMap;

use super::arguments::Arguments;
use super::{Answer, Function, function};
use crate::model::base64;
use crate::model::value::Value;
use crate::stack::budget::{Budget, Spent};
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::contents::{Content, Reader};
use crate::stack::diagnostic::suggestion;
use crate::stack::eval::Term;
use crate::stack::expr::{EvalError, Scope};
use crate::stack::reference::Reference;
use crate::stack::scope::walk;
use crate::stack::template;

/// The functions.
pub const FUNCTIONS: &[Function] = &[
    function("file", "file('path')", (1, 1), file),
    function("filebase64", "filebase64('path')", (1, 1), filebase64),
    function("template", "template('path', table)", (2, 2), template).by_element(),
    function("fileset", "fileset('folder/*.json')", (1, 1), fileset),
];

/// Those whose first argument names a file.
pub const NAMING: &[&str] = &["file", "filebase64", "template"];

fn reader<'a>(a: &Arguments<'a>) -> Result<Reader<'a>, Complaint> {
    a.reader.ok_or_else(|| complaint("files can be read by the expressions of a stack file only", []))
}

/// What the first argument names; nothing before it has been read.
fn content<'a>(a: &Arguments<'a>) -> Result<Option<&'a Content>, Complaint> {
    let found = reader(a)?.file(a.text(0)?)?;
    if let Some(content) = found {
        a.budget.text(content.bytes.len())?;
    }
    Ok(found)
}

fn text<'a>(a: &Arguments<'a>, content: &'a Content) -> Result<&'a str, Complaint> {
    std::str::from_utf8(&content.bytes).map_err(|error| {
        let before = content.bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let wrong = complaint("{} is not UTF-8 text: line {}", [a.text(0).unwrap_or_default().to_owned().into(), line.into()]);
        wrong.help("`filebase64` reads any file", [])
    })
}

fn file(a: &Arguments<'_>) -> Answer {
    let Some(content) = content(a)? else { return Ok(Value::Unknown.into()) };
    Ok(Term::from(Value::string(text(a, content)?)).hidden(content.secret))
}

fn filebase64(a: &Arguments<'_>) -> Answer {
    let Some(content) = content(a)? else { return Ok(Value::Unknown.into()) };
    Ok(Term::from(Value::String(base64::encode(&content.bytes))).hidden(content.secret))
}

/// The text of a file with the values of a table in place of its `${name}`.
fn template(a: &Arguments<'_>) -> Answer {
    let name = a.text(0)?;
    let names = a.table(1)?;
    let Some(content) = content(a)? else { return Ok(Value::Unknown.into()) };
    let wrong = |line: usize, message: String, help: Option<String>| {
        if content.secret {
            return complaint(
                "{} line {} has a mistake, which is not shown, as the file is sensitive",
                [name.to_owned().into(), line.into()],
            );
        }
        let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
        complaint("{} line {}: {}", [name.to_owned().into(), line.into(), format!("{message}{help}").into()])
    };
    let parsed = template::of_text(text(a, content)?).map_err(|problem| wrong(problem.line, problem.message, problem.help))?;
    let scope = Names { names, budget: a.budget };
    let value = parsed.value(&scope).map_err(|(error, line)| wrong(line, error.message, error.help))?;
    Ok(Term::from(value).hidden(content.secret))
}

/// What a template's expressions may name: the entries of its table.
struct Names<'a> {
    names: &'a BTreeMap<String, Value>,
    budget: &'a Budget<'a>,
}

impl Scope for Names<'_> {
    fn lookup(&self, reference: &Reference) -> Result<Value, EvalError> {
        let name = reference.root();
        let Some(value) = self.names.get(name) else {
            let mut error = EvalError::new(format!("the table that the template is given has no `{name}`"));
            error.help = suggestion(name, self.names.keys().map(String::as_str));
            return Err(error);
        };
        walk(value, reference.path.get(1..).unwrap_or_default(), None)
    }

    fn spent(&self) -> Option<&Spent> {
        self.budget.stack()
    }

    fn budget(&self) -> Option<&Budget<'_>> {
        Some(self.budget)
    }
}

/// The paths of the files that a pattern fits, sorted, as `file` takes them.
fn fileset(a: &Arguments<'_>) -> Answer {
    let pattern = a.text(0)?;
    let closed = |open: char, close: char| pattern.matches(open).count() == pattern.matches(close).count();
    if !closed('[', ']') || !closed('{', '}') {
        let wrong = complaint("`{}` is no pattern: a bracket in it is not closed", [pattern.to_owned().into()]);
        return Err(wrong.help("write such as `files/*.json`, `files/**/*.{json,yaml}` or `files/[a-c]*`", []));
    }
    let literal = pattern.find(['*', '?', '[', '{']).map_or(pattern, |at| pattern.get(..at).unwrap_or_default());
    let (folder, rest) = match literal.rfind('/') {
        Some(0) => ("/", pattern),
        Some(at) => (pattern.get(..at).unwrap_or_default(), pattern.get(at + 1..).unwrap_or_default()),
        None => ("", pattern),
    };
    let Some(names) = reader(a)?.folder(folder)? else { return Ok(Value::Unknown.into()) };
    a.budget.elements(names.len())?;
    let fit = names.iter().filter(|name| fast_glob::glob_match(rest, name.as_bytes()));
    let path = |name: &String| if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
    Ok(Value::List(fit.map(|name| Value::String(path(name))).collect()).into())
}
