//! Evaluating the syntax tree of an expression, node by node, over the stack language's own values.
//!
//! CEL knows neither what is unknown nor what is secret, nor a limit on what it does. Here every node says how much of
//! each goes through it: what is unknown makes unknown what needs it and no more, what a secret touches is secret, and
//! every node counts against a [`Budget`].

mod comprehension;
mod habit;
mod operators;
mod select;
mod term;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

use cel::common::ast::{CallExpr, EntryExpr, Expr as Ast, IdedExpr, ListExpr, LiteralValue, MapExpr, operators as cel_operators};

use super::budget::Budget;
use super::complaint::{Complaint, complaint};
use super::contents::Reader;
use super::expr::{EvalError, Scope};
use super::functions::{self, Arguments, Function, Style};
use super::reference::{Placeholder, Reference, Step};
use crate::model::value::Value;
pub use operators::order;
use operators::{Binary, binary};
pub use term::Term;

/// What an expression is made of, as the evaluator needs it.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// What `@0` and so on stand for.
    pub references: &'a [Reference],
    /// What `@part0` and so on stand for.
    pub parts: &'a [IdedExpr],
}

/// What an evaluation may cost.
enum Account<'a> {
    /// By itself.
    Own(Budget<'a>),
    /// As a part of another expression.
    Shared(&'a Budget<'a>),
}

impl<'a> std::ops::Deref for Account<'a> {
    type Target = Budget<'a>;

    fn deref(&self) -> &Budget<'a> {
        match self {
            Self::Own(budget) => budget,
            Self::Shared(budget) => budget,
        }
    }
}

/// An evaluation under way.
pub struct Evaluator<'a> {
    of: Parts<'a>,
    scope: &'a dyn Scope,
    budget: Account<'a>,
    reader: Option<Reader<'a>>,
    /// What references and parts have been found to be.
    references: BTreeMap<usize, Term>,
    parts: BTreeMap<usize, Term>,
    /// What macros bind, the innermost last.
    bound: Vec<(&'a str, Term)>,
    /// Whether anything secret has been come upon; nothing where nobody asks.
    secret: Option<bool>,
}

type Evaluated = Result<Term, EvalError>;

impl<'a> Evaluator<'a> {
    /// An evaluator of one expression.
    pub fn new(of: Parts<'a>, scope: &'a dyn Scope, reader: Option<Reader<'a>>) -> Self {
        let budget = scope.budget().map_or_else(|| Account::Own(Budget::new(scope.spent())), Account::Shared);
        Self { of, scope, budget, reader, references: BTreeMap::new(), parts: BTreeMap::new(), bound: Vec::new(), secret: None }
    }

    /// The value of a whole expression.
    ///
    /// # Errors
    /// Why it has none.
    pub fn value(&mut self, node: &'a IdedExpr) -> Result<Value, EvalError> {
        match self.eval(node)? {
            Term::Plain(value) => Ok(Rc::unwrap_or_clone(value)),
            Term::Optional { .. } => {
                Err(EvalError::new("the result is a value that may be absent").advice("take the value out of it with `.orValue(…)`"))
            }
        }
    }

    fn arguments<'b>(&'b self, terms: &'b [Term], method: bool) -> Arguments<'b> {
        Arguments { terms, method, budget: &self.budget, reader: self.reader }
    }

    fn spend(&self, steps: u64) -> Result<(), EvalError> {
        self.budget.spend(steps).map_err(EvalError::exhausted)
    }

    fn eval(&mut self, node: &'a IdedExpr) -> Evaluated {
        self.spend(1)?;
        let found = self.eval_node(node);
        if let Some(secret) = self.secret.as_mut().filter(|secret| !**secret) {
            *secret = found.as_ref().map_or_else(|error| error.hidden, Term::has_secret);
        }
        found
    }

    fn eval_node(&mut self, node: &'a IdedExpr) -> Evaluated {
        match &node.expr {
            Ast::Ident(name) => self.name(name),
            Ast::Literal(literal) => Ok(constant(literal)?.into()),
            Ast::List(list) => self.list(list),
            Ast::Map(map) => self.map(map),
            Ast::Select(select) => self.select(select),
            Ast::Call(call) => self.call(call),
            Ast::Comprehension(comprehension) => self.comprehension(comprehension),
            Ast::Struct(_) | Ast::Unspecified => {
                Err(EvalError::new("there are no typed objects in the stack language").advice("write a table: `{'key': value}`"))
            }
        }
    }

    /// What an unknown ends that more would be evaluated for: that depends on all that the expression names.
    fn cut_short(&self) -> Term {
        self.scope.cut_short(self.of.references);
        Value::Unknown.into()
    }

    fn name(&mut self, name: &str) -> Evaluated {
        if let Some((_, term)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(term.clone());
        }
        match Placeholder::of(name) {
            Some(Placeholder::Reference(number)) => self.reference(number),
            Some(Placeholder::Part(number)) => self.part(number),
            None => Err(EvalError::unknown(format!("there is no name `{name}`"))),
        }
    }

    fn reference(&mut self, number: usize) -> Evaluated {
        if let Some(known) = self.references.get(&number) {
            return Ok(known.clone());
        }
        let Some(reference) = self.of.references.get(number) else { return Ok(Value::Unknown.into()) };
        let value = self.scope.lookup(reference)?;
        self.budget.value(&value).map_err(EvalError::exhausted)?;
        let term = Term::from(value);
        self.references.insert(number, term.clone());
        Ok(term)
    }

    /// What is taken from a reference by computed indices, or the keys of one.
    fn part(&mut self, number: usize) -> Evaluated {
        if let Some(known) = self.parts.get(&number) {
            return Ok(known.clone());
        }
        let Some(part) = self.of.parts.get(number) else { return Ok(Value::Unknown.into()) };
        let mut secret = false;
        let term = match self.path(part, &mut secret)? {
            Some(reference) => {
                let found = self.scope.lookup(&reference);
                Term::from(found.map_err(|error| if secret { error.withheld() } else { error })?).hidden(secret)
            }
            None => self.eval(part)?,
        };
        self.parts.insert(number, term.clone());
        Ok(term)
    }

    /// The reference a part is once its indices are known; nothing when one is not, or cannot be an index.
    fn path(&mut self, part: &'a IdedExpr, secret: &mut bool) -> Result<Option<Reference>, EvalError> {
        let (operand, step) = match &part.expr {
            Ast::Ident(name) => {
                let reference = match Placeholder::of(name) {
                    Some(Placeholder::Reference(number)) => self.of.references.get(number),
                    _ => None,
                };
                return Ok(reference.cloned());
            }
            Ast::Select(select) => (select.operand.as_ref(), Step::Key(select.field.clone())),
            Ast::Call(CallExpr { func_name, args, .. }) if func_name == cel_operators::INDEX => {
                let [operand, index] = args.as_slice() else { return Ok(None) };
                let index = self.eval(index)?;
                *secret |= index.has_secret();
                let step = match index.inside().map(Value::revealed) {
                    Some(Value::String(key)) => Step::Key(key.clone()),
                    Some(Value::Int(index)) => match usize::try_from(*index) {
                        Ok(index) => Step::Index(index),
                        Err(_) => return Ok(None),
                    },
                    _ => return Ok(None),
                };
                (operand, step)
            }
            _ => return Ok(None),
        };
        Ok(self.path(operand, secret)?.map(|mut reference| {
            reference.path.push(step);
            reference
        }))
    }

    fn list(&mut self, list: &'a ListExpr) -> Evaluated {
        let mut items = Vec::with_capacity(list.elements.len());
        for (index, element) in list.elements.iter().enumerate() {
            let term = self.eval(element)?;
            if list.optional_indices.contains(&index) {
                items.extend(self.arguments(&[term], false).optional(0).0.map(Rc::unwrap_or_clone));
            } else {
                items.push(self.element(term)?);
            }
        }
        Ok(Value::List(items).into())
    }

    /// A term as an element of a list or table.
    fn element(&self, term: Term) -> Result<Value, EvalError> {
        match term {
            Term::Plain(value) => {
                self.budget.value(&value).map_err(EvalError::exhausted)?;
                Ok(Rc::unwrap_or_clone(value))
            }
            Term::Optional { .. } => {
                let error = EvalError::new("a value that may be absent cannot stand in a list or table");
                Err(error.advice("write `[?x]` or `{?'key': x}`, or take the value out of it with `.orValue(…)`"))
            }
        }
    }

    fn map(&mut self, map: &'a MapExpr) -> Evaluated {
        let mut entries = BTreeMap::new();
        let mut secret = false;
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
            let key = self.eval(&entry.key)?;
            if key.has_unknown() {
                return Ok(self.cut_short());
            }
            // Keys cannot be hidden one by one.
            secret |= key.has_secret();
            let name = match key.inside().map(Value::revealed) {
                Some(Value::String(name)) => name.clone(),
                Some(Value::Int(number)) => number.to_string(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => return Err(EvalError::new(format!("a key of a table is a string, not {}", key.kind()))),
            };
            let value = self.eval(&entry.value)?;
            let value = match entry.optional {
                true => match self.arguments(&[value], false).optional(0).0 {
                    Some(value) => Rc::unwrap_or_clone(value),
                    None => continue,
                },
                false => self.element(value)?,
            };
            entries.insert(name, value);
        }
        Ok(Term::from(Value::Map(entries)).hidden(secret))
    }

    fn call(&mut self, call: &'a CallExpr) -> Evaluated {
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (cel_operators::CONDITIONAL, None, [condition, yes, no]) => self.conditional(condition, yes, no),
            (cel_operators::LOGICAL_AND, None, [left, right]) => self.logical(left, right, false),
            (cel_operators::LOGICAL_OR, None, [left, right]) => self.logical(left, right, true),
            (cel_operators::NOT_STRICTLY_FALSE, None, [condition]) => {
                let holds = self.eval(condition)?;
                Ok(Value::Bool(!matches!(holds.inside().map(Value::revealed), Some(Value::Bool(false)))).into())
            }
            (cel_operators::LOGICAL_NOT | cel_operators::NEGATE, None, [operand]) => self.unary(&call.func_name, operand),
            (cel_operators::INDEX, None, [operand, index]) => self.index(operand, index),
            (cel_operators::OPT_SELECT | cel_operators::OPT_INDEX, None, [operand, key]) => self.maybe(operand, key),
            (name, None, [left, right]) if let Some(operator) = Binary::of(name) => self.operate(operator, left, right),
            ("try", None, attempts @ [_, ..]) => self.first_that_works(attempts),
            (name, target, arguments) => self.function(name, target, arguments),
        }
    }

    /// The first that can be evaluated. That one before it could not says something of all that it came upon.
    fn first_that_works(&mut self, attempts: &'a [IdedExpr]) -> Evaluated {
        let before = self.secret.replace(false);
        let mut last = Err(EvalError::new("`try` needs something to try"));
        for attempt in attempts {
            last = match self.eval(attempt) {
                Ok(term) => Ok(term.hidden(self.secret == Some(true))),
                Err(error) if error.fatal => Err(error),
                Err(error) => {
                    let help = "the last argument of `try` is what is taken when nothing before it works";
                    last = Err(error.advice(help));
                    continue;
                }
            };
            break;
        }
        self.secret = before.map(|secret| secret || self.secret == Some(true));
        last
    }

    /// Only the branch taken is evaluated, and only it has to be known.
    fn conditional(&mut self, condition: &'a IdedExpr, yes: &'a IdedExpr, no: &'a IdedExpr) -> Evaluated {
        let decision = self.eval(condition)?;
        let secret = decision.is_secret();
        let taken = match decision.inside().map(Value::revealed) {
            Some(Value::Unknown) => {
                // The files that either of them names are read with the stack.
                if self.reader.is_some_and(|reader| reader.contents.is_open()) {
                    [yes, no].into_iter().for_each(|branch| drop(self.eval(branch)));
                }
                return Ok(self.cut_short());
            }
            Some(Value::Bool(true)) => self.eval(yes)?,
            Some(Value::Bool(false)) => self.eval(no)?,
            _ => return Err(self.no_boolean("the condition before `?`", condition, &decision)),
        };
        Ok(taken.hidden(secret))
    }

    /// `&&` is decided by a false side, `||` by a true one, whatever the other is.
    fn logical(&mut self, left: &'a IdedExpr, right: &'a IdedExpr, decisive: bool) -> Evaluated {
        let decides = |term: &Term| matches!(term.inside().map(Value::revealed), Some(Value::Bool(value)) if *value == decisive);
        let first = self.eval(left);
        if let Ok(first) = &first
            && decides(first)
        {
            return Ok(first.clone());
        }
        let second = self.eval(right);
        if let Ok(second) = &second
            && decides(second)
        {
            return Ok(second.clone());
        }
        let (first, second) = (first?, second?);
        for (node, term) in [(left, &first), (right, &second)] {
            if !matches!(term.inside().map(Value::revealed), Some(Value::Bool(_) | Value::Unknown)) {
                let side = if decisive { "a side of `||`" } else { "a side of `&&`" };
                return Err(self.no_boolean(side, node, term));
            }
        }
        if first.is_unknown() || second.is_unknown() {
            return Ok(Value::Unknown.into());
        }
        Ok(Term::from(Value::Bool(!decisive)).hidden(first.is_secret() || second.is_secret()))
    }

    fn no_boolean(&self, what: &str, node: &IdedExpr, term: &Term) -> EvalError {
        match term {
            Term::Plain(value) if value.is_null() => self.null(node, what),
            other => EvalError::new(format!("{what} is {}, not a boolean", other.kind())),
        }
    }

    fn unary(&mut self, operator: &str, operand: &'a IdedExpr) -> Evaluated {
        let term = self.eval(operand)?;
        let Some(value) = term.inside().map(Value::revealed) else {
            return Err(EvalError::new(format!("`{}` cannot be used on {}", operator.trim_end_matches('_'), term.kind())));
        };
        let sign = operator.trim_end_matches('_');
        let result = match (sign, value) {
            (_, Value::Unknown) => Value::Unknown,
            (_, Value::Null) => return Err(self.null(operand, &format!("what `{sign}` stands before"))),
            ("!", Value::Bool(flag)) => Value::Bool(!flag),
            ("-", Value::Int(number)) => match number.checked_neg() {
                Some(number) => Value::Int(number),
                None => return Err(complaint("its negative does not fit in 64 bits", []).into_error("", false)),
            },
            ("-", Value::Float(number)) => Value::Float(-number),
            ("!", _) => return Err(self.no_boolean("what `!` stands before", operand, &term)),
            _ => return Err(EvalError::new(format!("`{sign}` cannot be used on {}", term.kind()))),
        };
        Ok(Term::from(result).hidden(term.is_secret()))
    }

    fn operate(&mut self, operator: Binary, left: &'a IdedExpr, right: &'a IdedExpr) -> Evaluated {
        let (first, second) = (self.eval(left)?, self.eval(right)?);
        for (node, term) in [(left, &first), (right, &second)] {
            match term {
                Term::Plain(value) if value.is_null() && !operator.takes_null() => {
                    return Err(self.null(node, &format!("a side of `{}`", operator.sign())));
                }
                Term::Optional { .. } => {
                    let error = EvalError::new(format!("a side of `{}` is a value that may be absent", operator.sign()));
                    return Err(error.advice("take the value out of it with `.orValue(…)`"));
                }
                Term::Plain(_) => {}
            }
        }
        let (Some(one), Some(other)) = (first.inside(), second.inside()) else { return Ok(Value::Unknown.into()) };
        // Lists are put together element by element; a key is in a table whatever its value is.
        let lists = operator == Binary::Add && one.as_list().is_some() && other.as_list().is_some();
        let key_of_table = operator == Binary::In && other.as_map().is_some() && !one.has_unknown();
        if one.has_unknown() || other.has_unknown() {
            let decided = (lists || key_of_table) && !first.is_unknown() && !second.is_unknown();
            if !decided {
                return Ok(Value::Unknown.into());
            }
        }
        let secret = if lists { first.is_secret() || second.is_secret() } else { one.has_secret() || other.has_secret() };
        let result = binary(operator, one.revealed(), other.revealed(), &self.budget);
        let result = result.map_err(|complaint| complaint.into_error("", one.has_secret() || other.has_secret()))?;
        Ok(Term::from(result).hidden(secret))
    }

    fn function(&mut self, name: &str, target: Option<&'a IdedExpr>, arguments: &'a [IdedExpr]) -> Evaluated {
        let as_method = target.is_some();
        let Some(function) = functions::find(name) else { return Err(functions::unknown(name)) };
        if let Some(error) = functions::misplaced(function, as_method) {
            return Err(error);
        }
        if let Some(error) = functions::miscounted(function, arguments.len() + usize::from(as_method), as_method) {
            return Err(error);
        }
        let nodes: Vec<&IdedExpr> = target.into_iter().chain(arguments).collect();
        let terms: Vec<Term> = nodes.iter().map(|node| self.eval(node)).collect::<Result<_, _>>()?;
        self.answer(function, &nodes, &terms, as_method)
    }

    fn answer(&self, function: &'static Function, nodes: &[&IdedExpr], terms: &[Term], method: bool) -> Evaluated {
        let unknown = |term: &Term| if function.by_element { term.is_unknown() } else { term.has_unknown() };
        if terms.iter().any(unknown) {
            return Ok(Value::Unknown.into());
        }
        let null = terms.iter().position(|term| matches!(term, Term::Plain(value) if value.is_null()));
        if let Some((index, node)) = null.filter(|_| !function.nulls).and_then(|index| Some((index, nodes.get(index)?))) {
            let what = if method && index == 0 { "what `{}` is called on" } else { "an argument of `{}`" };
            return Err(self.null(node, &what.replace("{}", function.name)));
        }
        if !function.by_element {
            terms.iter().filter_map(Term::inside).try_for_each(|value| self.budget.value(value)).map_err(EvalError::exhausted)?;
        }
        let hidden = terms.iter().any(Term::has_secret);
        let secret = if function.by_element { terms.iter().any(Term::is_secret) } else { hidden };
        let method = method && function.style != Style::Function;
        let answer = (function.call)(&self.arguments(terms, method));
        let shown = function.name.trim_start_matches('@');
        let answer = answer.map_err(|complaint| complaint.into_error(&format!("{shown}: "), hidden));
        let answer = answer.map_err(|error| self.instead(function.name, nodes, terms, error))?;
        if let Some(value) = answer.inside() {
            self.budget.value(value).map_err(EvalError::exhausted)?;
        }
        Ok(answer.hidden(secret))
    }

    fn complain(&self, complaint: Complaint, hidden: bool) -> EvalError {
        complaint.into_error("", hidden)
    }

    /// The error for something that has no value where one is needed.
    fn null(&self, node: &IdedExpr, what: &str) -> EvalError {
        let reference = match &node.expr {
            Ast::Ident(name) => match Placeholder::of(name) {
                Some(Placeholder::Reference(number)) => self.of.references.get(number),
                _ => None,
            },
            _ => None,
        };
        match reference {
            Some(reference) => EvalError::new(format!("`{reference}` has no value: it was left out"))
                .advice(format!("write `{reference} == null ? … : {reference}` to say what to take instead")),
            None => EvalError::new(format!("{what} has no value: it is null"))
                .advice("write `x == null ? … : x`, or `x.?name.orValue(…)`, to say what to take instead"),
        }
    }
}

fn constant(literal: &LiteralValue) -> Result<Value, EvalError> {
    Ok(match literal {
        LiteralValue::Null => Value::Null,
        LiteralValue::Boolean(flag) => Value::Bool(*flag.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Double(number) => Value::Float(*number.inner()),
        LiteralValue::String(text) => Value::string(text.inner()),
        LiteralValue::UInt(number) => {
            Value::Int(i64::try_from(*number.inner()).map_err(|_| EvalError::new("this number does not fit in 64 bits"))?)
        }
        LiteralValue::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes.inner());
            Value::string(text.map_err(|_| EvalError::new("these bytes are no text in UTF-8").advice("write text, or base64"))?)
        }
    })
}
