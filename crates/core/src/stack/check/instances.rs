//! What is wrong with the instances of a block, which mostly is one mistake: it is said of the first that has it.

use std::collections::BTreeSet;

use crate::model::address::Block;
use crate::stack::diagnostic::{Diagnostic, Diagnostics};

/// What is wrong with the instances of a block.
#[derive(Default)]
pub(super) struct Once {
    /// Each mistake, and of how many further instances it says something else.
    said: Vec<(Diagnostic, usize)>,
}

impl Once {
    /// Adds what is wrong with one more instance. At a place, the first of a kind is the first of another instance there.
    pub(super) fn add(&mut self, found: Diagnostics) {
        let before = self.said.len();
        let mut taken = BTreeSet::new();
        for one in found.0 {
            let is_it = |said: &Diagnostic| said.code == one.code && said.span == one.span && said.severity == one.severity;
            let mut known = self.said.iter_mut().take(before).enumerate();
            match known.find(|(number, (said, _))| !taken.contains(number) && is_it(said)) {
                Some((number, (said, more))) => {
                    *more += usize::from(said.message != one.message);
                    taken.insert(number);
                }
                None => self.said.push((one, 0)),
            }
        }
    }

    /// Every mistake, once.
    pub(super) fn all(self, block: &Block) -> impl Iterator<Item = Diagnostic> {
        self.said.into_iter().map(move |(one, more)| match more {
            0 => one,
            1 => one.help(format!("one more instance of {block} is refused here")),
            more => one.help(format!("{more} more instances of {block} are refused here")),
        })
    }
}
