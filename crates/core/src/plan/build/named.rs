//! The addresses that `--target`, `--exclude` and `--replace` name.

use std::collections::{BTreeMap, BTreeSet};

use super::Builder;
use crate::model::address::Block;
use crate::model::selector::Selector;
use crate::plan::select::Selection;
use crate::stack::deps::{self, Item};
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    /// Which addresses `--target` and `--exclude` leave in.
    pub(super) fn select(&mut self, order: &[Item]) -> Selection {
        if self.options.targets.is_empty() && self.options.excludes.is_empty() {
            return Selection::All;
        }
        let blocks: BTreeMap<Block, BTreeSet<Block>> = order
            .iter()
            .filter_map(|item| match item {
                Item::Resource(block) => Some((block.clone(), deps::direct(&self.dependencies, item))),
                _ => None,
            })
            .collect();
        let (selection, unknown) = Selection::new(self.options, &blocks, self.world.state);
        for address in unknown {
            let known: Vec<String> = blocks.keys().map(ToString::to_string).collect();
            self.mistakes.push(
                Diagnostic::general(Code::NotInStack, format!("`{address}` is neither in the stack nor in its state"))
                    .suggest(&address, known.iter().map(String::as_str)),
            );
        }
        selection
    }

    /// `--target`, `--exclude` and `--replace` of an instance that is neither wanted nor remembered.
    pub(super) fn named_instances(&mut self) {
        let asked = self.options.targets.iter().chain(&self.options.excludes).chain(&self.options.replace);
        let wanted = self.wanted();
        let there = |one: &Selector| {
            let remembered = self.world.state.resources.keys();
            wanted.iter().chain(remembered).any(|known| one.covers(known)) || self.failed.blocks.iter().any(|block| one.names(block))
        };
        let is_one = |one: &Selector| one.address().is_some_and(|address| address.key.is_some()) || self.options.replace.contains(one);
        let absent: Vec<&Selector> = asked.filter(|one| is_one(one) && !there(one)).collect();
        let known: Vec<String> = self.changes.iter().map(|change| change.address.to_string()).collect();
        let diagnostics: Vec<Diagnostic> = absent
            .into_iter()
            .map(|address| {
                let error = Diagnostic::general(Code::NotInStack, format!("`{address}` is neither in the stack nor in its state"));
                error.suggest(&address.to_string(), known.iter().map(String::as_str))
            })
            .collect();
        diagnostics.into_iter().for_each(|diagnostic| self.mistakes.push(diagnostic));
    }
}
