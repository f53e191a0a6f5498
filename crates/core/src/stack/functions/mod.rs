//! The functions of the stack language: CEL's own, those of its string, list, math, encoder and optional extensions
//! under their own names, and leoctl's. Each file is one subject and lists its functions; [`find`] is what calls go
//! through.

mod arguments;
mod convert;
pub mod files;
mod format;
mod lists;
mod math;
mod network;
mod optional;
mod tables;
mod text;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use arguments::Arguments;
pub use convert::{has_long_integer, not_json};

use super::complaint::Complaint;
use super::diagnostic::{Code, suggestion};
use super::eval::Term;
use super::expr::EvalError;

/// What a function gives.
pub type Answer = Result<Term, Complaint>;

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `name(x)`.
    Function,
    /// `x.name()`.
    Method,
    /// Either.
    Both,
}

/// A function of the stack language.
pub struct Function {
    /// Its name, with its namespace.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// Whether it is a method.
    pub style: Style,
    /// The least and the most arguments, what a method is called on among them.
    pub arity: (usize, usize),
    /// Whether what it gives keeps what is unknown and what is secret apart, element by element. Otherwise all of it is
    /// unknown when anything in an argument is, and secret likewise.
    pub by_element: bool,
    /// Whether an argument may be null.
    pub nulls: bool,
    /// What it does.
    pub call: fn(&Arguments<'_>) -> Answer,
}

impl Function {
    const fn either(self) -> Self {
        Self { style: Style::Both, ..self }
    }

    const fn by_element(self) -> Self {
        Self { by_element: true, ..self }
    }

    const fn nulls(self) -> Self {
        Self { nulls: true, ..self }
    }
}

const fn function(name: &'static str, usage: &'static str, arity: (usize, usize), call: fn(&Arguments<'_>) -> Answer) -> Function {
    Function { name, usage, style: Style::Function, arity, by_element: false, nulls: false, call }
}

const fn method(name: &'static str, usage: &'static str, arity: (usize, usize), call: fn(&Arguments<'_>) -> Answer) -> Function {
    Function { style: Style::Method, ..function(name, usage, arity, call) }
}

static ALL: LazyLock<BTreeMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let files = [
        text::FUNCTIONS,
        format::FUNCTIONS,
        lists::FUNCTIONS,
        tables::FUNCTIONS,
        math::FUNCTIONS,
        convert::FUNCTIONS,
        network::FUNCTIONS,
        optional::FUNCTIONS,
        files::FUNCTIONS,
    ];
    files.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// CEL's macros: what the parser takes apart, so that they are no functions here.
const MACROS: &[(&str, &str)] = &[
    ("has", "has(x.name)"),
    ("all", "list.all(x, x > 0)"),
    ("exists", "list.exists(x, x > 0)"),
    ("exists_one", "list.exists_one(x, x > 0)"),
    ("map", "list.map(x, x + 1)"),
    ("filter", "list.filter(x, x > 0)"),
    ("sortBy", "list.sortBy(x, x.name)"),
    ("cel.bind", "cel.bind(x, value, x + x)"),
    ("optMap", "x.optMap(v, v.name)"),
    ("try", "try(x.name, 'default')"),
];

/// What people who come from elsewhere look for, and what there is instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("uuid", "leave it out: a plan that depends on chance is never empty"),
    ("timestamp", "leave it out: a plan that depends on the time is never empty"),
    ("includes", "write `x in list`, or `text.contains('a')`"),
    ("toLowerCase", "write `text.lowerAscii()`"),
    ("toUpperCase", "write `text.upperAscii()`"),
    ("trimsuffix", "write `regex_replace(text, 'suffix$', '')`"),
    ("trimprefix", "write `regex_replace(text, '^prefix', '')`"),
    ("alltrue", "write `list.all(x, x)`"),
    ("anytrue", "write `list.exists(x, x)`"),
    ("not", "write `!x`"),
    ("strlen", "write `size(text)`"),
    ("can", "write `try(x, false)`"),
    ("basename", "write `path.split('/')[size(path.split('/')) - 1]`"),
    ("abs", "write `math.abs(x)`"),
    ("base64decode", "write `base64.decode(text)`"),
    ("base64encode", "write `base64.encode(text)`"),
    ("ceil", "write `math.ceil(x)`"),
    ("compact", "write `list.filter(x, x != null && x != '')`"),
    ("concat", "write `a + b`"),
    ("element", "write `list[0]`, or `subnet.a['key']` of a resource with `for_each`"),
    ("fileexists", "write `size(fileset('path')) > 0`"),
    ("filemd5", "write `md5(file('path'))`"),
    ("filesha1", "write `sha1(file('path'))`"),
    ("filesha256", "write `sha256(file('path'))`"),
    ("filesha512", "write `sha512(file('path'))`"),
    ("floor", "write `math.floor(x)`"),
    ("formatlist", "write `list.map(x, '%s'.format([x]))`"),
    ("index", "there is no search for a place: `x in list` says whether it is there, `list[0]` takes one out"),
    ("length", "write `size(x)`"),
    ("len", "write `size(x)`"),
    ("lookup", "write `table[?'key'].orValue('default')`"),
    ("lower", "write `text.lowerAscii()`"),
    ("max", "write `math.greatest(a, b)`"),
    ("min", "write `math.least(a, b)`"),
    ("nonsensitive", "leave it out: what is made of a sensitive value stays sensitive"),
    ("one", "write `list[0]`"),
    ("regex", "write `regex_find(text, 'pattern')`"),
    ("regexall", "write `regex_find_all(text, 'pattern')`"),
    ("round", "write `math.round(x)`"),
    ("setunion", "write `(a + b).distinct()`"),
    ("substr", "write `text.substring(0, 5)`"),
    ("tobool", "write `bool(x)`"),
    ("tolist", "leave it out: a list is a list already"),
    ("tomap", "leave it out: a table is a table already"),
    ("tonumber", "write `int(x)` or `double(x)`"),
    ("toset", "leave it out: a list goes wherever a set is wanted; `list.distinct()` takes out what is there twice"),
    ("tostring", "write `string(x)`"),
    ("templatefile", "write `template('path', table)`"),
    ("trimspace", "write `text.trim()`"),
    ("upper", "write `text.upperAscii()`"),
    ("yamlencode", "write `jsonencode(value)`: JSON is YAML, too"),
];

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Function> {
    ALL.get(name).copied()
}

/// Whether there are functions `namespace.…`.
pub fn is_namespace(namespace: &str) -> bool {
    namespace == "cel" || ALL.keys().any(|name| name.strip_prefix(namespace).is_some_and(|rest| rest.starts_with('.')))
}

/// Every function and macro and how it is written, for documentation.
pub fn usages() -> Vec<(&'static str, &'static str)> {
    let functions = ALL.values().filter(|function| !function.name.starts_with('@')).map(|function| (function.name, function.usage));
    let mut all: Vec<_> = functions.chain(MACROS.iter().copied()).collect();
    all.sort_unstable();
    all
}

/// The error for a name that is no function.
pub fn unknown(name: &str) -> EvalError {
    let mut error = EvalError { code: Code::UnknownFunction, ..EvalError::new(format!("there is no function `{name}`")) };
    let known = || usages().into_iter().map(|(name, _)| name);
    let written = |name: &str| usages().into_iter().find(|(known, _)| *known == name).map(|(_, usage)| format!("write `{usage}`"));
    let elsewhere = ELSEWHERE.iter().find(|(known, _)| *known == name).map(|(_, help)| (*help).to_owned());
    let inside = known().find(|known| known.rsplit_once('.').is_some_and(|(_, last)| last == name));
    error.help = elsewhere.or_else(|| written(name)).or_else(|| inside.and_then(written)).or_else(|| suggestion(name, known()));
    error
}

/// The error for a function that is written as a method, or the other way round; nothing when it is written well.
pub fn misplaced(function: &Function, as_method: bool) -> Option<EvalError> {
    let problem = match (function.style, as_method) {
        (Style::Function, true) => "takes what it works on between its brackets",
        (Style::Method, false) => "is written behind what it works on",
        _ => return None,
    };
    Some(EvalError::new(format!("`{}` {problem}", function.name)).advice(format!("write `{}`", function.usage)))
}

/// The error for a wrong number of arguments; nothing when it is right.
pub fn miscounted(function: &Function, given: usize, as_method: bool) -> Option<EvalError> {
    let (least, most) = function.arity;
    if (least..=most).contains(&given) {
        return None;
    }
    let own = usize::from(as_method);
    let (least, most, given) = (least.saturating_sub(own), most.saturating_sub(own), given.saturating_sub(own));
    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let noun = if most == 1 { "argument" } else { "arguments" };
    let error = EvalError::new(format!("`{}` takes {wanted} {noun} between its brackets, not {given}", function.name));
    Some(error.advice(format!("write `{}`", function.usage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_names_every_function_and_how_it_is_written() {
        let page = include_str!("../../../../../docs/stack-language.md");
        let absent: Vec<&str> = usages().into_iter().map(|(name, _)| name).filter(|name| !page.contains(&format!("{name}("))).collect();
        assert!(absent.is_empty(), "docs/stack-language.md lacks {absent:?}");
    }

    #[test]
    fn what_is_not_here_leads_to_what_is() {
        for (name, help) in ELSEWHERE {
            assert!(find(name).is_none(), "{name} is here");
            assert_eq!(unknown(name).help.as_deref(), Some(*help));
        }
    }
}
