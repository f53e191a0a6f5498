//! How much evaluating may cost: counted in steps, not in time, so that the same stack file always ends the same way.
//!
//! A step is one node of an expression, one element that is looked at, or 32 bytes of text. One expression has a limit,
//! and so have all expressions of a stack together: nothing that is written in a stack file can keep a plan from ending.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::model::value::Value;

/// The steps one expression may take.
const EXPRESSION: u64 = 2_000_000;
/// The steps all expressions of a stack may take, those that are cheap aside.
const STACK: u64 = 200_000_000;
/// What an expression may cost without counting for the stack: evaluating one over a thousand resources, for each of a
/// thousand resources, several times in a plan and an apply, is ordinary.
const CHEAP: u64 = 100_000;
/// The longest text an expression may make, in bytes.
pub const LONGEST: usize = 4 << 20;
/// The largest value one attribute, local or output may have, as [`weight`] counts.
pub const HEAVIEST: u64 = 1_000_000;
/// How many locals may stand inside each other: each is evaluated while the one that names it is.
const DEEPEST: u32 = 64;

/// Why evaluating was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// One expression takes too many steps.
    Expression,
    /// The stack's expressions together do.
    Stack,
    /// A text grew too long.
    Text,
    /// A value grew too large.
    Value,
    /// Locals name each other too deeply.
    Depth,
}

impl Exhausted {
    /// What is wrong, about an expression or a value.
    pub fn message(self) -> &'static str {
        match self {
            Self::Expression => "it takes more than 2 million steps",
            Self::Stack => "with it, the expressions of this stack take more than 200 million steps",
            Self::Text => "it makes a text of more than 4 MB",
            Self::Value => "it makes a value of more than a million elements or 32 MB",
            Self::Depth => "it needs more than 64 locals that are made from each other",
        }
    }

    /// What to do.
    pub fn help(self) -> &'static str {
        match self {
            Self::Expression | Self::Stack => "a list that is gone through inside another one multiplies: make the lists shorter",
            Self::Text | Self::Value => "what is joined to itself doubles each time: look at the locals that it is made from",
            Self::Depth => "write some of them as one expression",
        }
    }
}

/// What evaluating a stack has cost so far; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    steps: Arc<AtomicU64>,
    depth: Arc<AtomicU32>,
}

/// One expression being evaluated inside others, until it is dropped.
pub struct Level<'a>(&'a Spent);

impl Spent {
    /// One of which but little is left.
    #[cfg(test)]
    pub fn nearly_used_up() -> Self {
        let spent = Self::default();
        spent.steps.store(STACK - 2_000_000, Ordering::Relaxed);
        spent
    }

    /// Enters an expression.
    ///
    /// # Errors
    /// When too many are being evaluated inside each other.
    pub fn enter(&self) -> Result<Level<'_>, Exhausted> {
        let level = Level(self);
        if self.depth.fetch_add(1, Ordering::Relaxed) >= DEEPEST { Err(Exhausted::Depth) } else { Ok(level) }
    }

    fn add(&self, steps: u64) -> Result<(), Exhausted> {
        let before = self.steps.fetch_add(steps, Ordering::Relaxed);
        if before.saturating_add(steps) > STACK { Err(Exhausted::Stack) } else { Ok(()) }
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one expression may still cost.
pub struct Budget<'a> {
    steps: Cell<u64>,
    stack: Option<&'a Spent>,
}

impl<'a> Budget<'a> {
    /// The budget of one expression of a stack.
    pub fn new(stack: Option<&'a Spent>) -> Self {
        Self { steps: Cell::new(0), stack }
    }

    /// What the stack's expressions have cost so far, where that is counted.
    pub fn stack(&self) -> Option<&'a Spent> {
        self.stack
    }

    /// Counts steps.
    ///
    /// # Errors
    /// When there are too many.
    pub fn spend(&self, steps: u64) -> Result<(), Exhausted> {
        let before = self.steps.get();
        let now = before.saturating_add(steps);
        self.steps.set(now);
        if now > EXPRESSION {
            return Err(Exhausted::Expression);
        }
        match self.stack {
            Some(stack) if now > CHEAP => stack.add(now - before.max(CHEAP)),
            _ => Ok(()),
        }
    }

    /// Counts the elements of a list or table that is gone through.
    ///
    /// # Errors
    /// When there are too many.
    pub fn elements(&self, count: usize) -> Result<(), Exhausted> {
        self.spend(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Counts a text that is read or made.
    ///
    /// # Errors
    /// When it is too long.
    pub fn text(&self, bytes: usize) -> Result<(), Exhausted> {
        if bytes > LONGEST { Err(Exhausted::Text) } else { self.elements(bytes / 32 + 1) }
    }

    /// Counts a value that is gone through as a whole.
    ///
    /// # Errors
    /// When it is too large.
    pub fn value(&self, value: &Value) -> Result<(), Exhausted> {
        self.spend(weight(value))
    }
}

/// How large a value is: its elements, and one more for every 32 bytes of text.
pub fn weight(value: &Value) -> u64 {
    let text = |text: &str| u64::try_from(text.len() / 32).unwrap_or(u64::MAX);
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Unknown => 1,
        Value::String(content) => 1 + text(content),
        Value::List(items) => items.iter().fold(1, |sum, item| sum.saturating_add(weight(item))),
        Value::Map(map) => map.iter().fold(1, |sum, (key, item)| sum.saturating_add(text(key)).saturating_add(weight(item))),
        Value::Secret(inner) => weight(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_expressions_never_use_up_the_stack() {
        let spent = Spent::default();
        for _ in 0..10_000 {
            Budget::new(Some(&spent)).spend(CHEAP).unwrap();
        }
        assert_eq!(spent.steps.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn dear_expressions_use_it_up_together() {
        let spent = Spent::default();
        let one = || Budget::new(Some(&spent)).spend(1_500_000);
        let ended = (0..200).map(|_| one()).find_map(Result::err);
        assert_eq!(ended, Some(Exhausted::Stack));
    }
}
