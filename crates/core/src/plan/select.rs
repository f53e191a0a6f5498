//! Which resources a plan is about: `--target`, `--exclude`, `--replace`, `--destroy`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Block};
use crate::model::path::Path;
use crate::model::pin::Pins;
use crate::model::selector::Selector;
use crate::model::state::State;

/// What the user asked of the plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Delete everything.
    pub destroy: bool,
    /// Only these and what they depend on.
    pub targets: Vec<Selector>,
    /// Everything but these and what depends on them.
    pub excludes: Vec<Selector>,
    /// Replace these even when nothing forces it.
    pub replace: Vec<Selector>,
    /// Release what was scaled by hand.
    pub scale_up: bool,
    /// What a command sets of single resources, and nothing else.
    pub only: Option<Only>,
}

/// What a command sets: of these resources these attributes, and nothing else of the stack.
#[derive(Clone, Debug, Default)]
pub struct Only {
    /// The attributes that may change.
    pub attributes: BTreeMap<Address, Vec<Path>>,
    /// What they are set to, where that is not what the stack file says.
    pub to: BTreeMap<Address, Pins>,
    /// The resources' pins from now on.
    pub pins: BTreeMap<Address, Pins>,
}

impl Options {
    /// The attributes of a resource that may change; all when nothing is said.
    pub fn only(&self, address: &Address) -> Option<&[Path]> {
        Some(self.only.as_ref()?.attributes.get(address).map_or(&[], Vec::as_slice))
    }

    /// What overrides the stack file, for this plan or for longer.
    pub fn pins(&self, state: &State, address: &Address) -> Pins {
        let mut pins = state.pins.get(address).cloned().unwrap_or_default();
        pins.extend(self.only.iter().filter_map(|only| only.to.get(address)).flatten().map(|(path, pin)| (path.clone(), pin.clone())));
        pins
    }

    /// Whether an address is among the targets and not among the excludes, by itself.
    pub fn selects(&self, address: &Address) -> bool {
        let named = |list: &[Selector]| list.iter().any(|wanted| wanted.covers(address));
        (self.targets.is_empty() || named(&self.targets)) && !named(&self.excludes)
    }
}

impl Options {
    /// What a destroy deletes: what was asked for, and what was made from it.
    ///
    /// What an excluded resource was made from stays with it.
    pub fn destroyed(&self, state: &State) -> BTreeSet<Address> {
        let mut kept = BTreeSet::new();
        let mut open: Vec<&Address> =
            state.resources.keys().filter(|address| self.excludes.iter().any(|out| out.covers(address))).collect();
        while let Some(address) = open.pop() {
            if kept.insert(address.clone()) {
                open.extend(made_from(state, address));
            }
        }
        let asked = state.resources.keys().filter(|address| self.selects(address)).cloned().collect();
        let mut destroyed = with_dependents(state, asked, |_| true);
        destroyed.retain(|address| !kept.contains(address));
        destroyed
    }
}

/// What an address and its predecessors were made from.
fn made_from<'a>(state: &'a State, address: &'a Address) -> impl Iterator<Item = &'a Address> {
    let known = state.resources.get(address).into_iter();
    known.flat_map(|known| known.current.iter().chain(&known.deposed)).flat_map(|remembered| &remembered.depends_on)
}

/// Some remembered addresses, and those `allowed` that were made from them, directly or not.
pub fn with_dependents(state: &State, some: BTreeSet<Address>, allowed: impl Fn(&Address) -> bool) -> BTreeSet<Address> {
    let mut dependents: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (address, remembered) in state.all().filter(|(address, _)| allowed(address)) {
        for on in &remembered.depends_on {
            dependents.entry(on).or_default().push(address);
        }
    }
    let mut found = some.clone();
    let mut open: Vec<&Address> = some.iter().collect();
    while let Some(address) = open.pop() {
        for dependent in dependents.get(address).into_iter().flatten() {
            if found.insert((*dependent).clone()) {
                open.push(dependent);
            }
        }
    }
    found
}

/// The addresses a plan is about.
#[derive(Clone, Debug, Default)]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// Some.
    Some {
        /// Blocks that are in because a target depends on them.
        needed: BTreeSet<Block>,
        /// Blocks that are out because they depend on something excluded.
        barred: BTreeSet<Block>,
        /// What was asked for.
        options: Box<Options>,
    },
}

impl Selection {
    /// Works out what is in, from what each block depends on; and the names asked for that do not exist.
    pub fn new(options: &Options, blocks: &BTreeMap<Block, BTreeSet<Block>>, state: &State) -> (Self, Vec<String>) {
        let mut needed = BTreeSet::new();
        let named =
            |list: &[Selector]| -> BTreeSet<&Block> { blocks.keys().filter(|block| list.iter().any(|one| one.names(block))).collect() };
        let mut open: Vec<&Block> = named(&options.targets).into_iter().collect();
        while let Some(block) = open.pop() {
            for on in blocks.get(block).into_iter().flatten() {
                if needed.insert(on.clone()) {
                    open.push(on);
                }
            }
        }
        let mut barred: BTreeSet<Block> = BTreeSet::new();
        let excluded = named(&options.excludes);
        loop {
            let more: Vec<Block> = blocks
                .iter()
                .filter(|(block, on)| !barred.contains(*block) && on.iter().any(|on| excluded.contains(on) || barred.contains(on)))
                .map(|(block, _)| block.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            barred.extend(more);
        }
        let exists = |one: &Selector| blocks.keys().any(|block| one.names(block)) || state.resources.keys().any(|known| one.covers(known));
        let asked = options.targets.iter().chain(&options.excludes).chain(&options.replace);
        let unknown = asked.filter(|one| !exists(one)).map(ToString::to_string).collect();
        (Self::Some { needed, barred, options: Box::new(options.clone()) }, unknown)
    }

    /// Whether a desired resource is in.
    pub fn includes(&self, address: &Address) -> bool {
        match self {
            Self::All => true,
            Self::Some { needed, barred, options } => {
                let wanted = options.selects(address) || needed.contains(&address.block) && !options.targets.is_empty();
                wanted && !barred.contains(&address.block) && !options.excludes.iter().any(|out| out.covers(address))
            }
        }
    }

    /// Whether a desired resource is out for what it depends on, and for nothing that was said of itself.
    pub fn bars(&self, address: &Address) -> bool {
        match self {
            Self::All => false,
            Self::Some { barred, options, .. } => options.selects(address) && barred.contains(&address.block),
        }
    }

    /// Whether a remembered resource that is not desired any more is in: only when named itself.
    pub fn includes_leftover(&self, address: &Address) -> bool {
        match self {
            Self::All => true,
            Self::Some { options, .. } => options.selects(address),
        }
    }
}
