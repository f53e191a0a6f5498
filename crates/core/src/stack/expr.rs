//! CEL expressions: parsed once into a program and the references in it, evaluated against a scope.
//!
//! References (`vpc.main.id`) are taken out of the program and replaced by placeholders, so that evaluation
//! touches only what an expression names, and so that unknown and secret values are seen before CEL runs:
//! CEL itself knows neither.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr, operators};
use cel::{Context, Env, ExecutionError, Value as Cel};

use super::cel_value::{from_cel, to_cel};
use super::diagnostic::Span;
use super::functions;
use super::reference::{Found, Placeholder, Reference, Step, extract, placeholders, plain_reference};
use crate::model::value::Value;

/// A parsed expression.
#[derive(Debug)]
pub struct Expr {
    /// Its text, without `${` and `}`.
    pub source: String,
    /// Everything it refers to, in order of appearance.
    pub references: Vec<Reference>,
    program: Program,
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
    /// The byte of the expression's text it is at.
    pub offset: usize,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where the cause is, when it is in another expression than the one evaluated.
    pub span: Option<Span>,
}

impl EvalError {
    /// An error without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span: None }
    }
}

/// Where references get their values from.
pub trait Scope {
    /// The value a reference names; [`Value::Unknown`] when it is known only later.
    ///
    /// # Errors
    /// When there is no such thing.
    fn lookup(&self, reference: &Reference) -> Result<Value, EvalError>;
}

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    for extension in [cel::extensions::strings, cel::extensions::lists, cel::extensions::math] {
        // A conflict would mean that two of the library's own extensions declare one overload.
        if let Err(conflict) = env.add_extension(extension) {
            tracing::error!(?conflict, "a CEL extension could not be added");
        }
    }
    Arc::new(env)
});

impl Expr {
    /// Parses an expression.
    ///
    /// # Errors
    /// Every syntax error in it.
    pub fn parse(source: &str) -> Result<Self, Vec<ParseError>> {
        if let Some(reference) = plain_reference(source) {
            return Ok(Self { source: source.to_owned(), references: vec![reference], program: Program::Reference });
        }
        too_deep(source)?;
        let parsed = ENV.compile(source).map_err(|errors| {
            let one = |error: &cel::ParseError| {
                // The parser lists everything that could have come instead: nobody reads that.
                let message = error.msg.split(" expecting ").next().unwrap_or_default().replace("'<EOF>'", "the end");
                ParseError { message, offset: offset(source, error.pos) }
            };
            errors.errors.iter().map(one).collect::<Vec<_>>()
        })?;
        let mut found = Found::default();
        let ast = extract(parsed.expression(), &mut Vec::new(), &mut found);
        let Found { references, parts } = found;
        Ok(Self { source: source.to_owned(), references, program: Program::Cel { ast, parts } })
    }

    /// The value of the expression: unknown when anything it needs is, secret when anything it used is.
    ///
    /// # Errors
    /// When a reference leads nowhere or CEL refuses.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        match &self.program {
            Program::Reference => self.references.first().map_or(Ok(Value::Null), |only| scope.lookup(only)),
            Program::Cel { ast, .. } => self.eval_node(ast, scope),
        }
    }

    /// The value a placeholder stands for.
    fn stands_for(&self, placeholder: Placeholder, scope: &dyn Scope) -> Result<Value, EvalError> {
        let part = match (placeholder, &self.program) {
            (Placeholder::Reference(number), _) => {
                return self.references.get(number).map_or(Ok(Value::Unknown), |reference| scope.lookup(reference));
            }
            (Placeholder::Part(number), Program::Cel { parts, .. }) => parts.get(number),
            (Placeholder::Part(_), Program::Reference) => None,
        };
        match part {
            Some(part) => self.eval_part(part, scope),
            None => Ok(Value::Unknown),
        }
    }

    /// What is taken from a reference by computed indices, or the keys of one.
    fn eval_part(&self, part: &IdedExpr, scope: &dyn Scope) -> Result<Value, EvalError> {
        if let Ast::Call(CallExpr { func_name, args, .. }) = &part.expr
            && let ("keys", [Ast::Ident(name)]) =
                (func_name.as_str(), args.iter().map(|one| one.expr.clone()).collect::<Vec<_>>().as_slice())
            && let Some(placeholder) = Placeholder::of(name)
            && let Value::Map(map) = self.stands_for(placeholder, scope)?
        {
            return Ok(Value::List(map.into_keys().map(Value::String).collect()));
        }
        let mut secret = false;
        match self.path(part, scope, &mut secret)? {
            Some(path) => {
                let value = scope.lookup(&Reference { path })?;
                Ok(if secret { value.into_secret() } else { value })
            }
            None => self.eval_whole(part, scope),
        }
    }

    /// The reference a part is once its indices are known; nothing when one is not, or cannot be an index.
    fn path(&self, part: &IdedExpr, scope: &dyn Scope, secret: &mut bool) -> Result<Option<Vec<Step>>, EvalError> {
        let (operand, step) = match &part.expr {
            Ast::Ident(name) => {
                let reference = match Placeholder::of(name) {
                    Some(Placeholder::Reference(number)) => self.references.get(number),
                    _ => None,
                };
                return Ok(reference.map(|reference| reference.path.clone()));
            }
            Ast::Select(select) => (select.operand.as_ref(), Step::Key(select.field.clone())),
            Ast::Call(CallExpr { args, .. }) => {
                let [operand, index] = args.as_slice() else { return Ok(None) };
                let index = self.eval_node(index, scope)?;
                *secret |= index.has_secret();
                let step = match index.revealed() {
                    Value::String(key) => Step::Key(key.clone()),
                    Value::Int(index) => match usize::try_from(*index) {
                        Ok(index) => Step::Index(index),
                        Err(_) => return Ok(None),
                    },
                    _ => return Ok(None),
                };
                (operand, step)
            }
            _ => return Ok(None),
        };
        Ok(self.path(operand, scope, secret)?.map(|mut path| {
            path.push(step);
            path
        }))
    }

    /// Evaluates conditions first, so that only the branch taken has to be known.
    fn eval_node(&self, node: &IdedExpr, scope: &dyn Scope) -> Result<Value, EvalError> {
        if let Ast::Ident(name) = &node.expr
            && let Some(placeholder) = Placeholder::of(name)
        {
            return self.stands_for(placeholder, scope);
        }
        if let Ast::Call(CallExpr { func_name, args, target: None }) = &node.expr {
            match (func_name.as_str(), args.as_slice()) {
                (operators::CONDITIONAL, [condition, yes, no]) => {
                    let condition = self.eval_node(condition, scope)?;
                    let secret = matches!(condition, Value::Secret(_));
                    let value = match condition.revealed() {
                        Value::Unknown => return Ok(Value::Unknown),
                        Value::Bool(true) => self.eval_node(yes, scope)?,
                        Value::Bool(false) => self.eval_node(no, scope)?,
                        other => {
                            return Err(EvalError::new(format!("the condition before `?` is {}, not a boolean", other.kind())));
                        }
                    };
                    return Ok(if secret { value.into_secret() } else { value });
                }
                (operators::LOGICAL_AND, [left, right]) => {
                    if let Some(decided) = self.eval_logical(left, right, false, scope)? {
                        return Ok(decided);
                    }
                }
                (operators::LOGICAL_OR, [left, right]) => {
                    if let Some(decided) = self.eval_logical(left, right, true, scope)? {
                        return Ok(decided);
                    }
                }
                _ => {}
            }
        }
        self.eval_whole(node, scope)
    }

    /// `&&` is decided by a false side, `||` by a true one, whatever the other is.
    fn eval_logical(&self, left: &IdedExpr, right: &IdedExpr, decisive: bool, scope: &dyn Scope) -> Result<Option<Value>, EvalError> {
        let left = self.eval_node(left, scope)?;
        if matches!(left.revealed(), Value::Bool(value) if *value == decisive) {
            return Ok(Some(left));
        }
        let right = self.eval_node(right, scope)?;
        if matches!(right.revealed(), Value::Bool(value) if *value == decisive) {
            return Ok(Some(right));
        }
        Ok((left.has_unknown() || right.has_unknown()).then_some(Value::Unknown))
    }

    fn eval_whole(&self, node: &IdedExpr, scope: &dyn Scope) -> Result<Value, EvalError> {
        let mut needed = Vec::new();
        placeholders(node, &mut needed);
        let mut context = Context::with_env(Arc::clone(&ENV));
        functions::register(&mut context);
        let mut secret = false;
        for placeholder in needed {
            let value = self.stands_for(placeholder, scope)?;
            if value.has_unknown() {
                return Ok(Value::Unknown);
            }
            secret |= value.has_secret();
            let name = match placeholder {
                Placeholder::Reference(number) => format!("@{number}"),
                Placeholder::Part(number) => format!("@part{number}"),
            };
            context.add_variable_from_value(name, to_cel(&value));
        }
        let value = Cel::resolve(node, &context).map_err(|error| explain(&error, secret))?;
        let value = from_cel(&value)?;
        Ok(if secret { value.into_secret() } else { value })
    }
}

/// Most brackets inside each other, and most operators, in one expression: what is deeper is a mistake, and CEL's
/// parser would run out of stack on it.
const MAX_DEPTH: usize = 32;
const MAX_OPERATORS: usize = 128;

fn too_deep(source: &str) -> Result<(), Vec<ParseError>> {
    let (mut depth, mut operators, mut quote) = (0_usize, 0_usize, None);
    for (at, c) in source.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => continue,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '+' | '-' | '*' | '/' | '%' | '?' | '&' | '|' | '!' | '<' | '>' | '=') => operators += 1,
            (None, _) => {}
        }
        if depth > MAX_DEPTH || operators > MAX_OPERATORS {
            let message =
                format!("more than {MAX_DEPTH} brackets inside each other, or {MAX_OPERATORS} operators: compute parts of it in [locals]");
            return Err(vec![ParseError { message, offset: at }]);
        }
    }
    Ok(())
}

/// The byte offset of a line and column, both from 1, as CEL reports them.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let lines_before = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(lines_before).map(str::len).sum();
    (before + usize::try_from(column - 1).unwrap_or(0)).min(source.len())
}

/// CEL's error in words; those that quote values say nothing of them when one is secret.
fn explain(error: &ExecutionError, secret: bool) -> EvalError {
    match error {
        ExecutionError::NoSuchKey(key) => EvalError::new(format!("there is no key `{key}` here")),
        ExecutionError::UndeclaredReference(name) => {
            let mut error = EvalError::new(format!("there is no function or name `{name}`"));
            error.help = super::diagnostic::suggestion(name, functions::NAMES.iter().copied());
            error
        }
        ExecutionError::NoSuchOverload(overload) => EvalError::new(overload.to_string()),
        ExecutionError::FunctionError { function, message } => EvalError::new(format!("{function}: {message}")),
        _ if secret => EvalError::new("the expression cannot be evaluated (details withheld: it uses a sensitive value)"),
        other => EvalError::new(other.to_string()),
    }
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
        let expr = Expr::parse(source).map_err(|errors| format!("{errors:?}"))?;
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
    fn a_syntax_error_says_where() {
        let errors = Expr::parse("1 +").unwrap_err();
        assert_eq!(errors[0].offset, 3, "{errors:?}");
    }
}
