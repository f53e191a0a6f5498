//! What the parts of an expression are while it is evaluated.

use std::rc::Rc;

use crate::model::value::Value;

/// The value of a part of an expression.
#[derive(Clone, Debug)]
pub enum Term {
    /// A value; shared, so that a large one is not copied for each look at it.
    Plain(Rc<Value>),
    /// A value that may be absent: what `.?name`, `[?key]` and `optional.of(…)` give.
    Optional {
        /// The value, when there is one.
        value: Option<Rc<Value>>,
        /// Whether a secret decided that there is none.
        secret: bool,
    },
}

impl From<Value> for Term {
    fn from(value: Value) -> Self {
        Self::Plain(Rc::new(value))
    }
}

impl Term {
    /// An optional value: null is none, as what is null was left out.
    pub fn optional(value: Option<Value>, secret: bool) -> Self {
        Self::Optional { value: value.filter(|value| !value.is_null()).map(Rc::new), secret }
    }

    /// Whether it is not known as a whole.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Plain(value) if matches!(value.revealed(), Value::Unknown))
    }

    /// Whether anything in it is unknown.
    pub fn has_unknown(&self) -> bool {
        self.inside().is_some_and(Value::has_unknown)
    }

    /// Whether it is secret as a whole.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Plain(value) => matches!(**value, Value::Secret(_)),
            Self::Optional { value, secret } => *secret || value.as_deref().is_some_and(|value| matches!(value, Value::Secret(_))),
        }
    }

    /// Whether anything in it is secret.
    pub fn has_secret(&self) -> bool {
        self.is_secret() || self.inside().is_some_and(Value::has_secret)
    }

    /// The value inside, of an optional too.
    pub fn inside(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Optional { value, .. } => value.as_deref(),
        }
    }

    /// It as a secret, when `secret`.
    pub fn hidden(self, secret: bool) -> Self {
        match self {
            Self::Plain(value) if secret && !matches!(*value, Value::Secret(_)) => Rc::unwrap_or_clone(value).into_secret().into(),
            Self::Optional { value, secret: already } => Self::Optional { value, secret: already || secret },
            other => other,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Plain(value) => value.kind(),
            Self::Optional { .. } => "an optional value",
        }
    }
}
