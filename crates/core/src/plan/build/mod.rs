//! The one function that makes plans: stack, state and live resources in, [`Plan`] out.

mod change;
pub mod conclude;
mod unique;

use self::change::attributes_of;
pub use self::change::{owned_by, taken};
use super::desired;
use crate::model::address::{Address, Block};
use crate::model::pin::{self, Pins};
use crate::model::place::Place;
use crate::model::schema::Catalog;
use crate::model::secrecy::conceal;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::schedule;
use crate::plan::select::{Options, Selection, covers};
use crate::plan::types::{Action, Change, Drift, Pinned, Plan, Read};
use crate::stack::Stack;
use crate::stack::check::failed;
use crate::stack::config::ResourceBlock;
use crate::stack::deps::{self, Dependencies, Item};
use crate::stack::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::expand::{self, Instances};
use crate::stack::reference::Step;
use crate::stack::scope::{BlockValue, Each, Identity, StackScope};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known of the world.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Who we are.
    pub identity: &'a Identity,
    /// What is remembered.
    pub state: &'a State,
    /// What AWS says of the remembered resources; for one that is absent here, what is remembered stands.
    pub live: &'a BTreeMap<Place, Live>,
    /// What the data sources said that could be read.
    pub data: &'a BTreeMap<Block, Value>,
    /// Existing resources that desired ones without state would collide with or are.
    pub found: &'a BTreeMap<Address, Found>,
}

/// What AWS says of a remembered resource.
#[derive(Clone, Debug)]
pub enum Live {
    /// Its attributes.
    Present(Value),
    /// It does not exist.
    Gone,
}

/// An existing resource at the place of a desired one that is not in the state.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub place: Place,
    /// Its attributes.
    pub attributes: Value,
    /// Whether it may be taken: it carries our tags for this address, or the stack file imports it.
    pub ours: bool,
    /// The value of its stack and address tags, when it has them.
    pub owner: Option<(String, String)>,
}

/// Makes a plan.
///
/// # Errors
/// Every reason there can be none: expressions that fail, guarded resources to be deleted, foreign resources.
pub fn build(stack: &Arc<Stack>, catalog: &Catalog, world: World<'_>, options: &Options) -> Result<Plan, Diagnostics> {
    let dependencies = deps::dependencies(stack);
    let mut diagnostics = Diagnostics::default();
    let order = deps::order(&dependencies, &mut diagnostics);
    let mut builder = Builder {
        stack,
        catalog,
        world,
        options,
        dependencies,
        selection: Selection::default(),
        diagnostics,
        values: BTreeMap::new(),
        data: BTreeMap::new(),
        reads: Vec::new(),
        changes: Vec::new(),
        changed: BTreeSet::new(),
        instances: BTreeMap::new(),
        pinned: Vec::new(),
    };
    if !options.destroy {
        builder.selection = builder.select(&order);
        for item in &order {
            builder.item(item);
        }
    }
    if options.only.is_none() {
        builder.leftovers();
    }
    builder.named_instances();
    builder.settle_replacement_order();
    builder.finish()
}

struct Builder<'a> {
    stack: &'a Arc<Stack>,
    catalog: &'a Catalog,
    world: World<'a>,
    options: &'a Options,
    dependencies: Dependencies,
    selection: Selection,
    diagnostics: Diagnostics,
    /// The planned values of the blocks so far: what later expressions see.
    values: BTreeMap<Block, BlockValue>,
    data: BTreeMap<Block, Value>,
    reads: Vec<Read>,
    changes: Vec<Change>,
    /// The resources so far that will not be what they are.
    changed: BTreeSet<Address>,
    instances: BTreeMap<Block, Vec<Address>>,
    pinned: Vec<Pinned>,
}

/// One resource being planned.
struct Instance<'a> {
    block: &'a ResourceBlock,
    address: Address,
    each: Option<Each>,
    region: String,
    depends_on: Vec<Address>,
    reads: Vec<Block>,
}

impl<'a> Builder<'a> {
    fn scope(&self) -> StackScope<'_> {
        StackScope::new(self.stack, Some(self.world.identity), &self.data, &self.values)
    }

    /// Which addresses `--target` and `--exclude` leave in.
    fn select(&mut self, order: &[Item]) -> Selection {
        if self.options.targets.is_empty() && self.options.excludes.is_empty() {
            return Selection::All;
        }
        let blocks: BTreeMap<Block, BTreeSet<Block>> = order
            .iter()
            .filter_map(|item| match item {
                Item::Resource(block) => Some((block.clone(), self.block_dependencies(block))),
                _ => None,
            })
            .collect();
        let (selection, unknown) = Selection::new(self.options, &blocks, self.world.state);
        for address in unknown {
            let known: Vec<String> = blocks.keys().map(ToString::to_string).collect();
            self.diagnostics.push(
                Diagnostic::general(format!("`{address}` is neither in the stack nor in its state"))
                    .suggest(&address, known.iter().map(String::as_str)),
            );
        }
        selection
    }

    /// The resource blocks a block depends on directly, through locals and data sources.
    fn block_dependencies(&self, block: &Block) -> BTreeSet<Block> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![Item::Resource(block.clone())];
        while let Some(item) = open.pop() {
            for (next, _) in self.dependencies.get(&item).into_iter().flatten() {
                match next {
                    Item::Resource(block) => drop(found.insert(block.clone())),
                    other if seen.insert(other.clone()) => open.push(other.clone()),
                    _ => {}
                }
            }
        }
        found
    }

    /// The data sources a block depends on directly or through locals.
    fn block_reads(&self, item: &Item) -> Vec<Block> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![item.clone()];
        while let Some(item) = open.pop() {
            for (next, _) in self.dependencies.get(&item).into_iter().flatten() {
                match next {
                    Item::Data(block) if !found.contains(block) => found.push(block.clone()),
                    Item::Local(_) if seen.insert(next.clone()) => open.push(next.clone()),
                    _ => {}
                }
            }
        }
        found
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Data(block) => self.data_source(item, block),
            Item::Resource(block) => self.resource(block),
            Item::Local(_) => {}
        }
    }

    fn data_source(&mut self, item: &Item, block: &Block) {
        let depends_on: Vec<Address> =
            self.data_dependencies(item).iter().flat_map(|block| self.instances.get(block).into_iter().flatten().cloned()).collect();
        let reads = self.block_reads(item);
        let waits = depends_on.iter().any(|address| self.changed.contains(address))
            || reads.iter().any(|read| self.reads.iter().any(|known| known.block == *read));
        match self.world.data.get(block) {
            Some(value) if !waits => drop(self.data.insert(block.clone(), value.clone())),
            _ => self.reads.push(Read { block: block.clone(), depends_on, reads }),
        }
    }

    /// The resource blocks a data source needs directly or through locals.
    fn data_dependencies(&self, item: &Item) -> Vec<Block> {
        let mut found = Vec::new();
        let mut open = vec![item.clone()];
        while let Some(item) = open.pop() {
            for (next, _) in self.dependencies.get(&item).into_iter().flatten() {
                match next {
                    Item::Resource(block) if !found.contains(block) => found.push(block.clone()),
                    Item::Local(_) => open.push(next.clone()),
                    _ => {}
                }
            }
        }
        found
    }

    fn resource(&mut self, block: &Block) {
        let Some(resource) = self.stack.config.resources.get(block) else { return };
        let instances = match expand::block(block, resource, &self.scope()) {
            Ok(instances) => instances,
            Err(failure) => return self.diagnostics.push(failed(failure)),
        };
        let each: Vec<(Address, Option<Each>)> = match instances {
            Instances::Single => vec![(Address { block: block.clone(), key: None }, None)],
            Instances::Absent => Vec::new(),
            Instances::Each(all) => all
                .into_iter()
                .map(|each| (Address { block: block.clone(), key: each.key.as_str().map(str::to_owned) }, Some(each)))
                .collect(),
            Instances::Unknown => {
                let template = resource.for_each.as_ref().or(resource.when.as_ref());
                let span = template.map_or(&resource.span, |template| &template.span);
                return self.diagnostics.push(
                    Diagnostic::error(span, format!("how many {block} there are is known only after apply"))
                        .help("`for_each` and `when` need variables, locals, or data sources that can be read now"),
                );
            }
        };
        let keyed = resource.for_each.is_some();
        let absent = each.is_empty() && !keyed;
        self.instances.insert(block.clone(), each.iter().map(|(address, _)| address.clone()).collect());
        let mut values = BTreeMap::new();
        for (address, each) in each {
            let key = address.key.clone().unwrap_or_default();
            match self.instance(block, resource, address, each) {
                Ok(value) => drop(values.insert(key, value)),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
        let value = match (keyed, absent, values.pop_first()) {
            (true, _, first) => BlockValue::Each(first.into_iter().chain(values).collect()),
            (false, true, _) => BlockValue::Absent,
            (false, false, Some((_, value))) => BlockValue::Single(value),
            // It failed, and that has been said: what depends on it need not fail too.
            (false, false, None) => BlockValue::Single(Value::Unknown),
        };
        self.values.insert(block.clone(), value);
    }

    /// Plans one resource; what later expressions see of it.
    fn instance(&mut self, block: &Block, resource: &'a ResourceBlock, address: Address, each: Option<Each>) -> Result<Value, Diagnostic> {
        let depends_on = self.instance_dependencies(block, resource);
        let scope = self.scope().with_each(each.as_ref());
        let region = match &resource.region {
            None => self.world.identity.region.clone(),
            Some(template) => match template.eval(&scope).map_err(failed)?.as_str() {
                Some(region) => region.to_owned(),
                None => return Err(Diagnostic::error(&template.span, format!("the region of {address} is not known"))),
            },
        };
        let reads = self.block_reads(&Item::Resource(block.clone()));
        let reads = reads.into_iter().filter(|read| self.reads.iter().any(|known| known.block == *read)).collect();
        let says = desired::desired(resource, &address, &scope, &Pins::new()).map_err(failed)?;
        let pinned = self.pinned(&address, &says);
        let mut pins = self.options.pins(self.world.state, &address);
        pins.retain(|path, _| !pinned.iter().any(|pinned| pinned.path == *path && pinned.over));
        let desired = if pins.is_empty() { says } else { desired::desired(resource, &address, &scope, &pins).map_err(failed)? };
        drop(scope);
        self.pinned.extend(pinned);
        let instance = Instance { block: resource, address, each, region, depends_on, reads };
        let change = self.change(&instance, &desired)?;
        let value =
            if change.after.is_null() { Value::Unknown } else { conceal(attributes_of(resource), &change.after, &change.sensitive) };
        if !matches!(change.action, Action::NoOp | Action::Forget) {
            self.changed.insert(change.address.clone());
        }
        self.changes.push(change);
        Ok(value)
    }

    /// The attributes of a resource that are set otherwise than the stack file says.
    fn pinned(&self, address: &Address, says: &Value) -> Vec<Pinned> {
        let pins = self.world.state.pins.get(address).into_iter().flatten();
        let pinned = pins.map(|(path, pin)| {
            let (value, says) = (Value::from(&pin.value), pin::at(says, path));
            let (lasting, over) = (pin.instead_of.is_none(), pin.is_over(&says));
            Pinned { address: address.clone(), path: path.clone(), value, says, lasting, over }
        });
        pinned.collect()
    }

    /// The resources an instance depends on: one instance where its key is written, else all of the block.
    fn instance_dependencies(&self, block: &Block, resource: &ResourceBlock) -> Vec<Address> {
        let mut keys: BTreeMap<Block, Option<BTreeSet<String>>> = BTreeMap::new();
        let templates = [Some(&resource.attributes), resource.for_each.as_ref(), resource.when.as_ref()];
        for (reference, _) in templates.into_iter().flatten().flat_map(|template| template.references()) {
            let Some(Item::Resource(on)) = deps::target(reference) else { continue };
            let key = match reference.path.get(2) {
                Some(Step::Key(key)) => Some(key.clone()),
                _ => None,
            };
            let known = keys.entry(on).or_insert_with(|| Some(BTreeSet::new()));
            match (known.as_mut(), key) {
                (Some(set), Some(key)) => drop(set.insert(key)),
                _ => *known = None,
            }
        }
        let mut found = Vec::new();
        for on in self.block_dependencies(block) {
            let only = keys.get(&on).cloned().flatten();
            for address in self.instances.get(&on).into_iter().flatten() {
                let named = match (&only, &address.key) {
                    (Some(only), Some(key)) => only.contains(key),
                    _ => true,
                };
                if named {
                    found.push(address.clone());
                }
            }
        }
        found
    }

    /// `--target`, `--exclude` and `--replace` of an instance that is neither wanted nor remembered.
    fn named_instances(&mut self) {
        let asked = self.options.targets.iter().chain(&self.options.excludes).chain(&self.options.replace);
        let there = |address: &Address| {
            self.changes.iter().any(|change| change.address == *address) || self.world.state.resources.contains_key(address)
        };
        let absent: Vec<&Address> =
            asked.filter(|address| (address.key.is_some() || self.options.replace.contains(address)) && !there(address)).collect();
        let known: Vec<String> = self.changes.iter().map(|change| change.address.to_string()).collect();
        let absent = absent.into_iter().filter(|address| !self.changes.iter().any(|change| covers(address, &change.address)));
        let diagnostics: Vec<Diagnostic> = absent
            .map(|address| {
                let error = Diagnostic::general(format!("`{address}` is neither in the stack nor in its state"));
                error.suggest(&address.to_string(), known.iter().map(String::as_str))
            })
            .collect();
        diagnostics.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    /// A replacement made before its predecessor goes cannot wait for one that is made after.
    fn settle_replacement_order(&mut self) {
        loop {
            let after: BTreeSet<Address> = self
                .changes
                .iter()
                .filter(|change| change.action == Action::Replace && !change.create_before_destroy)
                .map(|change| change.address.clone())
                .collect();
            let demote = self.changes.iter().position(|change| {
                change.action == Action::Replace
                    && change.create_before_destroy
                    && change.prior_depends_on.iter().any(|on| after.contains(on))
            });
            match demote.and_then(|index| self.changes.get_mut(index)) {
                Some(change) => change.create_before_destroy = false,
                None => return,
            }
        }
    }

    /// A block that was renamed without saying so would be made and deleted under one name in AWS.
    fn renames(&mut self) {
        let name = |value: &Value| ["name", "bucket", "family"].iter().find_map(|key| value.get(key)?.as_str().map(str::to_owned));
        let created = self.changes.iter().filter(|change| change.action == Action::Create);
        let gone: BTreeMap<(&str, &str, String), &Address> = self
            .changes
            .iter()
            .filter(|change| change.action == Action::Delete)
            .filter_map(|change| Some(((change.address.type_name(), change.region.as_str(), name(&change.before)?), &change.address)))
            .collect();
        let mut renamed = Vec::new();
        for change in created {
            let Some(name) = name(&change.after) else { continue };
            if let Some(from) = gone.get(&(change.address.type_name(), change.region.as_str(), name.clone())) {
                renamed.push(
                    Diagnostic::general(format!(
                        "{} and {from} are both {name} in AWS: one would be created, the other deleted",
                        change.address
                    ))
                    .help(format!("if the block was renamed, add [[moved]] with from = '{from}', to = '{}'", change.address))
                    .help("if they are two resources, give one another name, or delete the old one in an apply of its own"),
                );
            }
        }
        renamed.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    /// What is deleted before its replacement exists, while something that stays uses it: AWS would refuse.
    fn held(&mut self) {
        let mut found = Vec::new();
        for change in self.changes.iter().filter(|change| change.action == Action::Replace && !change.create_before_destroy) {
            let Some(block) = self.stack.config.resources.get(&change.address.block).filter(|block| block.schema.held) else { continue };
            let user = self.changes.iter().find(|user| user.action == Action::Update && user.prior_depends_on.contains(&change.address));
            let Some(user) = user else { continue };
            let names: Vec<&str> = block.schema.unique.iter().filter_map(|group| group.last().copied()).collect();
            let error = format!("{} cannot be replaced: {} uses it, and AWS deletes only what nothing uses", change.address, user.address);
            found.push(
                Diagnostic::error(&block.span, error)
                    .label("its replacement has to exist first, and the two have a name or a network in common")
                    .help(format!("change its `{}` too: then the new one is made first", names.join("` and `"))),
            );
        }
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    /// What changed outside leoctl and is not changed back is remembered, so that it is drift once only.
    fn remember(&mut self, drift: &[Drift]) {
        for one in drift.iter().filter(|one| !one.gone) {
            if let Some(change) = self.changes.iter_mut().find(|change| change.address == one.address) {
                change.state_only = true;
            }
        }
    }

    fn finish(mut self) -> Result<Plan, Diagnostics> {
        self.renames();
        self.held();
        self.one_place_one_address();
        let drift = self.drift();
        self.remember(&drift);
        let outputs = self.outputs();
        let checks = if self.options.destroy { Vec::new() } else { self.checks() };
        let (steps, cyclic) = schedule::steps(&self.world.identity.account_id, &self.changes, &self.reads);
        let mut warnings = self.warnings();
        if !cyclic.is_empty() {
            let names: Vec<String> = cyclic.iter().map(ToString::to_string).collect();
            warnings.push(format!(
                "the state has a dependency cycle between {}: these are deleted without an order among them",
                names.join(", ")
            ));
        }
        if self.diagnostics.has_errors() {
            return Err(self.diagnostics);
        }
        Ok(Plan {
            stack: Arc::clone(self.stack),
            identity: self.world.identity.clone(),
            serial: self.world.state.serial,
            lineage: self.world.state.lineage.clone(),
            options: self.options.clone(),
            changes: self.changes,
            steps,
            reads: self.reads,
            data: self.data,
            drift,
            outputs,
            checks,
            pinned: self.pinned,
            warnings,
        })
    }
}
