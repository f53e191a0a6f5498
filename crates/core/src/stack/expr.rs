//! CEL expressions: parsed once into a syntax tree and the references in it, evaluated against a scope.
//!
//! References (`vpc.main.id`) are taken out of the tree and replaced by placeholders, so that evaluation touches only
//! what an expression names.

use std::sync::Arc;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue};

use super::budget::{Budget, Exhausted, Spent};
use super::contents::{Contents, Reader};
use super::diagnostic::{Code, Meant, Span};
use super::eval::{Evaluator, Parts};
use super::functions::files::NAMING;
use super::reference::{Found, Home, Placeholder, Reference, calls, extract, plain_reference};
use super::rewrite::rewrite;
use super::syntax;
use crate::model::address::is_name;
use crate::model::value::Value;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its text, without `${` and `}`.
    pub source: String,
    /// Everything it refers to, in order of appearance.
    pub references: Vec<Reference>,
    program: Arc<Program>,
    /// The number of the source it stands in.
    file: usize,
    /// The files that its text names.
    named: Arc<[String]>,
}

#[derive(Debug)]
enum Program {
    /// Nothing but a reference.
    Reference,
    /// Anything else, with placeholders for references and parts.
    Cel {
        /// The expression.
        ast: IdedExpr,
        /// Its parts.
        parts: Vec<IdedExpr>,
    },
}

/// A syntax error inside an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The byte of the expression's text it is at.
    pub offset: usize,
    /// How many bytes of it are wrong.
    pub length: usize,
}

/// Why an expression has no value. Nothing in it is a value that is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What kind of mistake it is.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where the cause is, when it is in another expression than the one evaluated.
    pub span: Option<Span>,
    /// What it cost too much of; none once the message says which expression it was.
    pub exhausted: Option<Exhausted>,
    /// Whether that there is an error at all says something of a sensitive value.
    pub hidden: bool,
    /// Whether it ends the whole evaluation, whatever is there to be taken instead.
    pub fatal: bool,
    /// The name in it that does not exist, and the one that is probably meant.
    pub meant: Option<Meant>,
}

impl EvalError {
    /// An error without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            code: Code::NoValue,
            message: message.into(),
            help: None,
            span: None,
            exhausted: None,
            hidden: false,
            fatal: false,
            meant: None,
        }
    }

    /// The error of a name that is not there.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self { code: Code::UnknownName, ..Self::new(message) }
    }

    /// This error with advice.
    pub fn advice(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The error of what cost too much.
    pub fn exhausted(exhausted: Exhausted) -> Self {
        Self { exhausted: Some(exhausted), fatal: true, ..Self::new(exhausted.message()) }.advice(exhausted.help())
    }

    /// This error without what it says, as that is about a sensitive value.
    pub fn withheld(self) -> Self {
        match self.exhausted {
            Some(_) => self,
            None => Self {
                span: self.span,
                hidden: true,
                fatal: self.fatal,
                ..Self::new("this has no value; why is not shown, as it is about a sensitive value")
            },
        }
    }

    /// This error with the expression that cost too much in its message.
    pub(super) fn naming(self, source: &str) -> Self {
        match self.exhausted {
            Some(exhausted) => {
                let message = format!("`{}` is too much to evaluate: {}", shortened(source), exhausted.message());
                Self { message, exhausted: None, ..self }
            }
            None => self,
        }
    }
}

/// Whether a call of a method binds this name, as `map` would: it is the whole of the first of several arguments.
fn binds(node: &IdedExpr, number: usize) -> bool {
    let is_it = |node: &IdedExpr| matches!(&node.expr, Ast::Ident(name) if Placeholder::of(name) == Some(Placeholder::Reference(number)));
    let mut found = false;
    super::kind::visit(node, &mut |node| {
        if let Ast::Call(call) = &node.expr
            && call.target.is_some()
            && let [first, _, ..] = call.args.as_slice()
        {
            found |= is_it(first);
        }
    });
    found
}

/// Where references get their values from.
pub trait Scope {
    /// The value a reference names; [`Value::Unknown`] when it is known only later.
    ///
    /// # Errors
    /// When there is no such thing.
    fn lookup(&self, reference: &Reference) -> Result<Value, EvalError>;

    /// An unknown value ended the evaluation of an expression before all of these were looked up: they count as
    /// looked up, since a later evaluation may need them.
    fn cut_short(&self, _references: &[Reference]) {}

    /// What evaluating has cost so far, where that is counted over several expressions.
    fn spent(&self) -> Option<&Spent> {
        None
    }

    /// What the expression that this one is a part of may still cost; none where it stands by itself.
    fn budget(&self) -> Option<&Budget<'_>> {
        None
    }

    /// The files that expressions may name.
    fn contents(&self) -> Option<&Contents> {
        None
    }
}

/// Whether expressions can name what has this name: it is of a name's form, and no word of CEL's own such as `in` or `true`.
pub fn can_be_said(name: &str) -> bool {
    is_name(name) && Expr::parse(&format!("vars.{name}")).is_ok()
}

impl Expr {
    /// Parses an expression.
    ///
    /// # Errors
    /// The first syntax error in it: what follows one is seldom another.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        if let Some(reference) = plain_reference(source) {
            let (references, program) = (vec![reference], Arc::new(Program::Reference));
            return Ok(Self { source: source.to_owned(), references, program, file: 0, named: Arc::default() });
        }
        let parsed = rewrite(syntax::parse(source)?, &mut Vec::new());
        let mut found = Found::default();
        let ast = extract(&parsed, &mut Vec::new(), &mut found);
        let Found { references, parts } = found;
        let named = named_files(&parsed).into();
        Ok(Self { source: source.to_owned(), references, program: Arc::new(Program::Cel { ast, parts }), file: 0, named })
    }

    /// This expression in the source of this number.
    #[must_use]
    pub fn in_source(self, file: usize) -> Self {
        Self { file, ..self }
    }

    /// This expression where its names mean what they do at `home`.
    #[must_use]
    pub fn at(&self, home: &Home) -> Self {
        let mut expr = self.clone();
        expr.references.iter_mut().for_each(|reference| reference.home.clone_from(home));
        expr
    }

    /// The syntax tree, references and parts in it replaced by placeholders, and the parts; none when the expression is
    /// a reference and nothing else.
    pub fn tree(&self) -> Option<(&IdedExpr, &[IdedExpr])> {
        match &*self.program {
            Program::Reference => None,
            Program::Cel { ast, parts } => Some((ast, parts)),
        }
    }

    /// Whether a name is what a method that there is not would bind, as `map` binds the name of each element.
    pub fn would_bind(&self, name: &str) -> bool {
        let Some((node, parts)) = self.tree() else { return false };
        let alone = |reference: &Reference| reference.path.len() == 1 && reference.root() == name;
        let mut numbers = self.references.iter().enumerate().filter(|&(_, reference)| alone(reference)).map(|(number, _)| number);
        numbers.any(|number| std::iter::once(node).chain(parts).any(|node| binds(node, number)))
    }

    /// The value of the expression: unknown when anything it needs is, secret when anything it used is.
    ///
    /// # Errors
    /// When a reference leads nowhere, an operator or function does not fit what it is used on, or it costs too much.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let _level =
            scope.spent().map(Spent::enter).transpose().map_err(EvalError::exhausted).map_err(|error| error.naming(&self.source))?;
        let value = match &*self.program {
            Program::Reference => self.references.first().map_or(Ok(Value::Null), |only| scope.lookup(only)),
            Program::Cel { ast, parts } => {
                let reader = scope.contents().map(|contents| Reader { contents, source: self.file });
                // What an unknown keeps from being evaluated now is evaluated when nothing is read any more.
                reader.iter().for_each(|reader| self.named.iter().for_each(|name| reader.foresee(name)));
                Evaluator::new(Parts { references: &self.references, parts }, scope, reader)
                    .value(ast)
                    .and_then(|value| finite(value, &self.source))
            }
        };
        value.map_err(|error| error.naming(&self.source))
    }
}

/// The files that the text of an expression names.
fn named_files(node: &IdedExpr) -> Vec<String> {
    let mut named = Vec::new();
    calls(node, &mut |name, arguments| {
        if let (true, Some(Ast::Literal(LiteralValue::String(path)))) = (NAMING.contains(&name), arguments.first().map(|first| &first.expr))
        {
            named.push(path.inner().to_owned());
        }
    });
    named
}

/// A value, unless a number in it is infinite or none at all: neither AWS nor the state can hold such a one.
fn finite(value: Value, source: &str) -> Result<Value, EvalError> {
    if value.is_finite() {
        return Ok(value);
    }
    let error = EvalError::new(format!("`{}` gives a number that is infinite, or is not a number at all", shortened(source)));
    let error = error.advice("look at what is divided by and how large numbers get; `math.isFinite(x)` tells inside an expression");
    Err(if value.has_secret() { error.withheld() } else { error })
}

/// As much of an expression as an error shows.
fn shortened(source: &str) -> String {
    let shown: String = source.chars().take(60).collect();
    let more = if shown.len() < source.len() { "…" } else { "" };
    format!("{shown}{more}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Fixed(BTreeMap<&'static str, Value>);

    impl Scope for Fixed {
        fn lookup(&self, reference: &Reference) -> Result<Value, EvalError> {
            let name = reference.to_string();
            let instance = |key: &str| if key == "a" { Value::string("n-1") } else { Value::Unknown };
            match name.strip_prefix("net.some") {
                Some("") => {
                    let one = |key: &str| (key.to_owned(), Value::Map([("id".to_owned(), instance(key))].into()));
                    Ok(Value::Map([one("a"), one("b")].into()))
                }
                Some(rest) => Ok(instance(rest.trim_start_matches('.').trim_end_matches(".id"))),
                None => self.0.get(name.as_str()).cloned().ok_or_else(|| EvalError::new(format!("no {reference}"))),
            }
        }
    }

    fn eval(source: &str) -> Result<Value, String> {
        let scope = Fixed(
            [
                ("vars.n", Value::Int(2)),
                ("vars.https", Value::Bool(false)),
                ("lb.main.dns_name", Value::Unknown),
                ("vars.token", Value::string("abc").into_secret()),
                ("subnet.public", Value::from(serde_json::json!({"b": {"id": "s-2"}, "a": {"id": "s-1"}}))),
            ]
            .into(),
        );
        let expr = Expr::parse(source).map_err(|error| error.message)?;
        expr.eval(&scope).map_err(|error| error.message)
    }

    #[test]
    fn references_are_found_whatever_surrounds_them() {
        let expr = Expr::parse("[1, 2].map(x, x + vars.n) + [subnet.public['a'].id.size()] + [vars.n]").unwrap();
        let names: Vec<String> = expr.references.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["vars.n", "subnet.public.a.id"]);
    }

    #[test]
    fn unknown_propagates_but_only_from_the_branch_taken() {
        assert!(matches!(eval("'http://' + lb.main.dns_name"), Ok(Value::Unknown)));
        assert!(matches!(eval("lb.main.dns_name == lb.main.dns_name"), Ok(Value::Unknown)));
        assert_eq!(eval("vars.https ? lb.main.dns_name : 'none'").unwrap(), Value::string("none"));
        assert_eq!(eval("vars.https && lb.main.dns_name == 'x'").unwrap(), Value::Bool(false));
        assert!(matches!(eval("!vars.https && lb.main.dns_name == 'x'"), Ok(Value::Unknown)));
    }

    #[test]
    fn what_a_secret_touches_is_secret() {
        assert!(matches!(eval("'x' + vars.token"), Ok(Value::Secret(_))));
        assert!(matches!(eval("vars.token == 'abc' ? 'y' : 'n'"), Ok(Value::Secret(_))));
    }

    #[test]
    fn functions_answer() {
        assert_eq!(eval("pluck(subnet.public, 'id').join(',')").unwrap(), Value::string("s-1,s-2"));
        assert_eq!(eval("cidrsubnet('10.0.0.0/16', 1, 1)").unwrap(), Value::string("10.0.128.0/17"));
        assert_eq!(eval("['a', 'b', 'c'].slice(0, vars.n).size()").unwrap(), Value::Int(2));
    }

    #[test]
    fn what_is_known_of_one_instance_does_not_wait_for_the_others() {
        assert_eq!(eval("'x-' + net.some['a' + ''].id").unwrap(), Value::string("x-n-1"));
        assert!(matches!(eval("'x-' + net.some['b' + ''].id"), Ok(Value::Unknown)));
        assert_eq!(eval("keys(net.some)").unwrap(), Value::from(serde_json::json!(["a", "b"])));
        assert_eq!(eval("keys(net.some).map(k, k + '!')").unwrap(), Value::from(serde_json::json!(["a!", "b!"])));
    }

    #[test]
    fn a_number_that_is_infinite_or_none_is_no_value() {
        for source in
            ["1.0 / 0.0", "-1.0 / 0.0", "0.0 / 0.0", "double('NaN')", "math.sqrt(-1.0)", "[1.5, 1.0 / 0.0]", "{'a': [1e300 * 1e300]}"]
        {
            let refused = eval(source).unwrap_err();
            assert_eq!(refused, format!("`{source}` gives a number that is infinite, or is not a number at all"));
        }
        assert_eq!(eval("jsonencode([1.0 / 0.0])").unwrap_err(), "jsonencode: JSON has no number that is infinite or not a number at all");
        assert_eq!(eval("math.isFinite(1.0 / 0.0) || math.isNaN(0.0 / 0.0) ? 1.5 : 2.5").unwrap(), Value::Float(1.5));
        let hidden = eval("double(vars.token == 'abc' ? 'inf' : '1')").unwrap_err();
        assert_eq!(hidden, "this has no value; why is not shown, as it is about a sensitive value");
    }

    #[test]
    fn a_doubled_dollar_is_literal_in_a_text_of_an_expression_as_well() {
        assert_eq!(eval("'x-$${aws:username}' + '$${}'").unwrap(), Value::string("x-${aws:username}${}"));
        assert!(eval("'x-${aws:username}'").unwrap_err().contains("not evaluated inside of a text"));
    }

    #[test]
    fn a_syntax_error_says_where() {
        let error = Expr::parse("1 +").unwrap_err();
        assert_eq!(error.offset, 3, "{error:?}");
    }
}
