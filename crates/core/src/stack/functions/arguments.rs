//! What a function is called with.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::value::Value;
use crate::stack::budget::Budget;
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::contents::Reader;
use crate::stack::eval::Term;

/// The arguments of a call, what a method is called on first.
pub struct Arguments<'a> {
    /// The arguments.
    pub terms: &'a [Term],
    /// Whether the first is what a method is called on.
    pub method: bool,
    /// What may still be spent.
    pub budget: &'a Budget<'a>,
    /// The files that may be named.
    pub reader: Option<Reader<'a>>,
}

const NULL: &Value = &Value::Null;

impl<'a> Arguments<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.terms.len()
    }

    /// Argument `index` with its secrecy.
    ///
    /// # Errors
    /// When it is an optional value.
    pub fn value(&self, index: usize) -> Result<&'a Value, Complaint> {
        match self.terms.get(index) {
            Some(Term::Plain(value)) => Ok(value),
            None => Ok(NULL),
            Some(Term::Optional { .. }) => Err(self.wrong(index, "a value")),
        }
    }

    /// Argument `index`, revealed.
    ///
    /// # Errors
    /// When it is an optional value.
    pub fn revealed(&self, index: usize) -> Result<&'a Value, Complaint> {
        Ok(self.value(index)?.revealed())
    }

    /// Argument `index` as text, counted.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&self, index: usize) -> Result<&'a str, Complaint> {
        match self.revealed(index)? {
            Value::String(text) => {
                self.budget.text(text.len())?;
                Ok(text)
            }
            _ => Err(self.wrong(index, "a string")),
        }
    }

    /// Argument `index` as a whole number.
    ///
    /// # Errors
    /// When it is none.
    pub fn int(&self, index: usize) -> Result<i64, Complaint> {
        match self.revealed(index)? {
            Value::Int(number) => Ok(*number),
            _ => Err(self.wrong(index, "an integer")),
        }
    }

    /// Argument `index` as any number.
    ///
    /// # Errors
    /// When it is none.
    pub fn float(&self, index: usize) -> Result<f64, Complaint> {
        match self.revealed(index)? {
            Value::Int(number) => Ok(*number as f64),
            Value::Float(number) => Ok(*number),
            _ => Err(self.wrong(index, "a number")),
        }
    }

    /// Argument `index` as a list, its elements counted.
    ///
    /// # Errors
    /// When it is none.
    pub fn list(&self, index: usize) -> Result<&'a [Value], Complaint> {
        match self.revealed(index)? {
            Value::List(items) => {
                self.budget.elements(items.len())?;
                Ok(items)
            }
            _ => Err(self.wrong(index, "a list")),
        }
    }

    /// Argument `index` as a table, its entries counted.
    ///
    /// # Errors
    /// When it is none.
    pub fn table(&self, index: usize) -> Result<&'a BTreeMap<String, Value>, Complaint> {
        match self.revealed(index)? {
            Value::Map(map) => {
                self.budget.elements(map.len())?;
                Ok(map)
            }
            _ => Err(self.wrong(index, "a table")),
        }
    }

    /// Argument `index` as an optional value: one that is not is there.
    pub fn optional(&self, index: usize) -> (Option<Rc<Value>>, bool) {
        match self.terms.get(index) {
            Some(Term::Optional { value, secret }) => (value.clone(), *secret),
            Some(Term::Plain(value)) => (Some(Rc::clone(value)).filter(|value| !value.is_null()), false),
            None => (None, false),
        }
    }

    /// The complaint that argument `index` is not what is expected.
    pub fn wrong(&self, index: usize, expected: &'static str) -> Complaint {
        let kind = self.terms.get(index).map_or("nothing", Term::kind);
        let wrong = match (self.method, index) {
            (true, 0) => complaint("it is called on {}, not on {}", [kind.into(), expected.into()]),
            (false, 0) if self.count() == 1 => complaint("its argument is {}, not {}", [kind.into(), expected.into()]),
            (method, _) => {
                const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];
                let ordinal = ORDINALS.get(index - usize::from(method)).copied().unwrap_or("last");
                complaint("its {} argument is {}, not {}", [ordinal.into(), kind.into(), expected.into()])
            }
        };
        match self.terms.get(index) {
            Some(Term::Optional { .. }) => wrong.help("take the value out of it with `.orValue(…)`", []),
            _ => wrong,
        }
    }
}
