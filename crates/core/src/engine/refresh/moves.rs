//! `[[moved]]`: what is remembered under the old address is from now on under the new one.

use std::collections::{BTreeMap, BTreeSet};

use super::Planner;
use crate::engine::EngineError;
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::selector::Selector;
use crate::model::state::{Intent, State};
use crate::stack::config::Moved;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};

impl Planner<'_> {
    /// Moves what is remembered, along chains of blocks to their end. `absent` are the tokens of creations whose resource
    /// was looked for and is not there: such an intent is in nobody's way, and goes along where nothing is in its own.
    pub(super) fn moves(&self, ledger: &mut Ledger, absent: &BTreeSet<String>) -> Result<(), EngineError> {
        let moved = &self.stack.config.moved;
        let mut sources: BTreeMap<Address, (Address, &Moved)> = BTreeMap::new();
        let mut diagnostics = Diagnostics::default();
        for from in present(ledger.state(), absent) {
            let Some((to, last)) = destination(moved, &from) else {
                let unfit = moved.iter().find(|block| block.from.covers(&from) && !is_end(block, &from) && step(block, &from).is_none());
                diagnostics.0.extend(unfit.map(|block| one_for_all(block, &from)));
                continue;
            };
            if !self.options.destroy {
                diagnostics.0.extend(both_remembered(ledger.state(), &from, &to, last));
            }
            if let Some((other, _)) = sources.insert(to.clone(), (from.clone(), last)) {
                let error = format!("{other} and {from} would both become {to}, and one of the two would be lost");
                diagnostics.push(
                    Diagnostic::error(Code::Moves, &last.from_span, error)
                        .help("let one of them become another address, or forget it with `leoctl state rm`"),
                );
            }
        }
        if diagnostics.has_errors() {
            return Err(diagnostics.into());
        }
        let intended = ledger.state().open.iter().map(|intent| intent.address.clone()).collect::<BTreeSet<_>>();
        let intended = intended.into_iter().filter_map(|from| Some((destination(moved, &from)?.0, from)));
        let moves: Vec<_> = sources.into_iter().map(|(to, (from, _))| (to, from)).chain(intended).collect();
        for (to, from) in moves {
            // Only an open intent, or a plan that deletes both, comes here with something under the new address.
            if !present(ledger.state(), absent).contains(&to) {
                ledger.record(Record::Moved { from, to });
            }
        }
        Ok(())
    }
}

/// Every address of which something is remembered, or may exist.
fn present(state: &State, absent: &BTreeSet<String>) -> BTreeSet<Address> {
    let may_exist = |intent: &&Intent| !absent.contains(&intent.token);
    state.resources.keys().chain(state.open.iter().filter(may_exist).map(|intent| &intent.address)).cloned().collect()
}

/// Where an address ends along the blocks, and the last block of the way; none when no block speaks of it.
fn destination<'a>(moved: &'a [Moved], from: &Address) -> Option<(Address, &'a Moved)> {
    let mut here = from.clone();
    let mut last = None;
    // A way longer than there are blocks goes round.
    for _ in 0..=moved.len() {
        // A block about one instance counts before one about all of them, and that before one about a module.
        let steps = moved.iter().filter_map(|block| Some((step(block, &here)?, block)));
        let next = steps.min_by_key(|(_, block)| match &block.from {
            Selector::Resource(from) => (usize::from(*from != here), usize::MAX - keys(from)),
            Selector::Module(path) => (2, usize::MAX - path.depth()),
        });
        let Some((to, block)) = next else { break };
        here = to;
        last = Some(block);
    }
    last.filter(|_| here != *from).map(|block| (here, block))
}

/// How many keys an address has: the more, the less it is about.
fn keys(address: &Address) -> usize {
    let of_modules = address.block.module.iter().filter(|used| used.key.is_some()).count();
    of_modules + usize::from(address.key.is_some())
}

/// Where one block moves an address. A block with `for_each` moves with all its instances, a module with all in it, and a block
/// in a module with `for_each` in every instance of that.
fn step(moved: &Moved, address: &Address) -> Option<Address> {
    match (&moved.from, &moved.to) {
        (Selector::Resource(from), Selector::Resource(to)) if moved.from.names(&address.block) => {
            let module = address.block.module.moved(&from.block.module, &to.block.module)?;
            let key = match (&from.key, &to.key) {
                (None, None) => address.key.clone(),
                (from, to) if *from == address.key => to.clone(),
                _ => return None,
            };
            Some(Address { block: to.block.clone().within(&module), key })
        }
        (Selector::Module(from), Selector::Module(to)) => {
            let module = address.block.module.moved(from, to)?;
            Some(Address { block: address.block.clone().within(&module), key: address.key.clone() })
        }
        _ => None,
    }
}

/// Whether an address is where a block leads, or beside it: a block that gets `for_each` is the same before and after.
fn is_end(moved: &Moved, address: &Address) -> bool {
    match (&moved.from, &moved.to) {
        (Selector::Resource(from), Selector::Resource(to)) => from.block == to.block && address.key.is_some(),
        (Selector::Module(from), Selector::Module(to)) => from.used() == to.used() && !address.block.module.is_in(from),
        _ => false,
    }
}

/// A resource that would be deleted though it is said to have moved: something else is remembered where it would go.
fn both_remembered(state: &State, from: &Address, to: &Address, moved: &Moved) -> Option<Diagnostic> {
    let id = |address| state.all().find(|(known, _)| *known == address).map(|(_, known)| &known.place.id);
    let (old, new) = (id(from)?, id(to)?);
    let error = format!("{from} ({old}) cannot become {to}, which is remembered already ({new})");
    let error =
        Diagnostic::error(Code::Moves, &moved.from_span, error).help(format!("to keep {to} and delete {from}, remove this [[moved]]"));
    Some(error.help(format!("to keep {from} as {to}, forget the other first: `leoctl state rm '{to}'`")))
}

/// A block without a key that is said to become one instance, though several are remembered of it.
fn one_for_all(moved: &Moved, from: &Address) -> Diagnostic {
    let error = format!("{} cannot become {}: {from} is an instance of it", moved.from, moved.to);
    Diagnostic::error(Code::Moves, &moved.from_span, error).help(format!("say which instance moves: from = '{from}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::diagnostic::Span;

    fn moved(from: &str, to: &str) -> Moved {
        Moved { from: from.parse().unwrap(), from_span: Span::default(), to: to.parse().unwrap(), to_span: Span::default() }
    }

    fn end(blocks: &[Moved], from: &str) -> Option<String> {
        destination(blocks, &from.parse().unwrap()).map(|(to, _)| to.to_string())
    }

    #[test]
    fn a_chain_is_followed_from_wherever_it_is_entered() {
        let blocks = [moved("vpc.b", "vpc.c"), moved("vpc.a", "vpc.b")];
        assert_eq!(end(&blocks, "vpc.a").as_deref(), Some("vpc.c"));
        assert_eq!(end(&blocks, "vpc.b").as_deref(), Some("vpc.c"));
        assert_eq!(end(&blocks, "vpc.c"), None);
    }

    #[test]
    fn a_block_moves_with_its_instances_and_one_instance_by_itself() {
        let blocks = [moved("subnet.old", "subnet.new"), moved("subnet.new[\"a\"]", "subnet.first")];
        assert_eq!(end(&blocks, "subnet.old[\"b\"]").as_deref(), Some("subnet.new[\"b\"]"));
        assert_eq!(end(&blocks, "subnet.old[\"a\"]").as_deref(), Some("subnet.first"));
        let blocks = [moved("subnet.old", "subnet.new"), moved("subnet.old[\"a\"]", "subnet.first")];
        assert_eq!(end(&blocks, "subnet.old[\"a\"]").as_deref(), Some("subnet.first"), "wherever it stands");
        assert_eq!(end(&blocks, "subnet.old[\"b\"]").as_deref(), Some("subnet.new[\"b\"]"));
    }

    #[test]
    fn a_module_moves_with_all_in_it_and_single_resources_go_in_and_out() {
        let blocks = [
            moved("module.a", "module.b"),
            moved("module.a.vpc.main", "vpc.main"),
            moved("group.g", "module.b[\"x\"].group.g"),
            moved("module.one", "module.many[\"x\"]"),
        ];
        assert_eq!(end(&blocks, "module.a.subnet.s[\"1\"]").as_deref(), Some("module.b.subnet.s[\"1\"]"));
        assert_eq!(end(&blocks, "module.a[\"eu\"].module.c.vpc.main").as_deref(), Some("module.b[\"eu\"].module.c.vpc.main"));
        assert_eq!(end(&blocks, "module.a.vpc.main").as_deref(), Some("vpc.main"), "before the block about the module");
        assert_eq!(end(&blocks, "group.g").as_deref(), Some("module.b[\"x\"].group.g"));
        assert_eq!(end(&blocks, "module.one.vpc.main").as_deref(), Some("module.many[\"x\"].vpc.main"));
        assert_eq!(end(&blocks, "module.many[\"x\"].vpc.main"), None);
    }

    #[test]
    fn a_block_in_a_module_moves_in_every_instance_of_it() {
        let blocks = [
            moved("module.a.subnet.s", "module.a.subnet.t"),
            moved("module.a[\"x\"].subnet.s", "module.a[\"x\"].subnet.own"),
            moved("module.a.module.b.vpc.v", "module.a.module.c.vpc.w"),
            moved("module.a.vpc.main", "vpc.main"),
        ];
        assert_eq!(end(&blocks, "module.a[\"y\"].subnet.s[\"1\"]").as_deref(), Some("module.a[\"y\"].subnet.t[\"1\"]"));
        assert_eq!(end(&blocks, "module.a[\"x\"].subnet.s[\"1\"]").as_deref(), Some("module.a[\"x\"].subnet.own[\"1\"]"));
        let nested = end(&blocks, "module.a[\"y\"].module.b[\"z\"].vpc.v");
        assert_eq!(nested.as_deref(), Some("module.a[\"y\"].module.c[\"z\"].vpc.w"));
        assert_eq!(end(&blocks, "module.a[\"y\"].vpc.main"), None, "several would become one");
    }

    #[test]
    fn what_gets_for_each_is_moved_once_and_other_instances_are_let_alone() {
        let blocks = [moved("module.a", "module.a[\"x\"]"), moved("vpc.v", "vpc.v[\"x\"]")];
        assert_eq!(end(&blocks, "module.a.vpc.main").as_deref(), Some("module.a[\"x\"].vpc.main"));
        for there in ["module.a[\"x\"].vpc.main", "module.a[\"y\"].vpc.main", "vpc.v[\"x\"]"] {
            assert_eq!(end(&blocks, there), None);
            assert!(blocks.iter().all(|block| !block.from.covers(&there.parse().unwrap()) || is_end(block, &there.parse().unwrap())));
        }
    }

    #[test]
    fn blocks_that_go_round_end() {
        let blocks = [moved("vpc.a", "vpc.b"), moved("vpc.b", "vpc.a")];
        assert!(end(&blocks, "vpc.a").is_none_or(|to| to == "vpc.b"));
    }
}
