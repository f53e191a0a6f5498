//! The one function that makes plans: stack, state and live resources in, [`Plan`] out.

mod aliases;
mod change;
mod claims;
pub mod conclude;
mod edges;
mod exchange;
mod follow;
mod govern;
mod held;
mod inside;
mod left_out;
mod leftover;
mod named;
mod order;
#[cfg(test)]
mod order_tests;
mod refusals;
mod replacement;
mod site;
mod standing;
#[cfg(test)]
mod tests;
mod waits;
mod within;

pub use self::aliases::Alias;
use self::change::attributes_of;
use self::edges::Failed;
pub use self::exchange::takes;
pub use self::follow::unsettled;
use self::govern::Governing;
pub use self::refusals::{at_block, owned_by, taken};
use self::site::region;
use super::desired;
use crate::model::address::{Address, Block};
use crate::model::canonical::canonicalize;
use crate::model::pin::{self, Pins};
use crate::model::place::{Place, Site};
use crate::model::schema::Catalog;
use crate::model::secrecy::conceal;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::desired::{Governor, Owner};
use crate::plan::handover::Handovers;
use crate::plan::schedule;
use crate::plan::select::{Options, Selection};
use crate::plan::state_change::{Aspect, StateChange};
use crate::plan::types::{Action, Change, Drift, Pinned, Plan, Read};
use crate::stack::Stack;
use crate::stack::check::failed;
use crate::stack::config::ResourceBlock;
use crate::stack::deps::{self, Dependencies, Item};
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::stack::expand::{self, Instances};
use crate::stack::lookup::Lookups;
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
    /// Who chooses something of resources for the sake of what this state does not know.
    pub elsewhere: &'a BTreeMap<Place, Vec<Governor>>,
}

/// What AWS says of a remembered resource.
#[derive(Clone, Debug)]
pub enum Live {
    /// Its attributes.
    Present(Value),
    /// It does not exist.
    Gone,
    /// What is there belongs to another stack by its tags, and did not when it was remembered: it was made anew under the
    /// same name, or handed over.
    Foreign(Owner),
}

impl Live {
    /// Why what is remembered is not there any more; nothing, if it is there.
    pub fn loss(&self) -> Option<String> {
        match self {
            Self::Present(_) => None,
            Self::Gone => Some("was deleted outside leoctl".to_owned()),
            Self::Foreign(owner) => Some(format!("belongs to {owner} now")),
        }
    }
}

/// An existing resource at the place of a desired one that is not in the state.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub place: Place,
    /// Its attributes.
    pub attributes: Value,
    /// Whether it may be taken: it carries our tags for this address, it hangs on what does, or the stack file imports it.
    pub ours: bool,
    /// The value of its stack and address tags, when it has them.
    pub owner: Option<Owner>,
    /// The resource of ours that it hangs on, where it takes no tags and is ours because that is.
    pub hangs_on: Option<Address>,
}

/// A plan as far as the world is known.
pub struct Draft {
    /// What would be done.
    pub plan: Plan,
    /// Why it is not to be done; what is known of the world later may take back any of these.
    pub refusals: Diagnostics,
    /// The aliases of KMS keys that are written for keys that resources have.
    pub aliases: Vec<Alias>,
}

impl Draft {
    /// The plan, once everything is known that is asked for.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judged(self) -> Result<Plan, Diagnostics> {
        if self.refusals.has_errors() { Err(self.refusals) } else { Ok(self.plan) }
    }
}

/// Makes a plan.
///
/// # Errors
/// Every reason there can be none: expressions that fail, guarded resources to be deleted, foreign resources.
pub fn build(stack: &Arc<Stack>, catalog: &Catalog, world: World<'_>, options: &Options) -> Result<Plan, Diagnostics> {
    draft(stack, catalog, world, options)?.judged()
}

/// Makes a plan of a world that is still being looked at.
///
/// # Errors
/// What is wrong whatever else there is in AWS: expressions that fail, targets that nothing has.
pub fn draft(stack: &Arc<Stack>, catalog: &Catalog, world: World<'_>, options: &Options) -> Result<Draft, Diagnostics> {
    let mut builder = Builder::new(stack, catalog, world, options);
    if !options.destroy {
        builder.plan_desired();
    }
    if options.only.is_none() {
        builder.leftovers();
    }
    builder.releases();
    builder.named_instances();
    builder.exchanges();
    builder.settle_replacement_order();
    builder.finish()
}

/// The data sources that can be read now and that `world.data` does not have, with their arguments: nothing that
/// they are read for is going to change; with where each is read.
pub fn readable(stack: &Arc<Stack>, catalog: &Catalog, world: World<'_>, options: &Options) -> Vec<(Block, Site, Value)> {
    let mut builder = Builder::new(stack, catalog, world, options);
    if !options.destroy {
        builder.plan_desired();
    }
    builder.readable
}

struct Builder<'a> {
    stack: &'a Arc<Stack>,
    catalog: &'a Catalog,
    world: World<'a>,
    options: &'a Options,
    dependencies: Dependencies,
    selection: Selection,
    /// Mistakes, whatever else there is in AWS.
    mistakes: Diagnostics,
    /// Why the plan is refused as far as the world is known.
    diagnostics: Diagnostics,
    /// The planned values of the blocks so far: what later expressions see.
    values: BTreeMap<Block, BlockValue>,
    data: BTreeMap<Block, Value>,
    /// What was looked up for each data source.
    data_lookups: BTreeMap<Block, Lookups>,
    /// The data sources that nobody has read and that could be read now, with their arguments.
    readable: Vec<(Block, Site, Value)>,
    reads: Vec<Read>,
    changes: Vec<Change>,
    /// The resources so far that will not be what they are.
    changed: BTreeSet<Address>,
    instances: BTreeMap<Block, Vec<Address>>,
    /// What is not desired any more and goes.
    going: BTreeSet<Address>,
    failed: Failed,
    pinned: Vec<Pinned>,
    handovers: Handovers,
    governing: Governing,
    aliases: Vec<Alias>,
}

/// Why a resource cannot be planned.
enum Unplanned {
    /// Something that it needs has failed, which has been said.
    Said,
    /// Whatever else there is in AWS, it cannot.
    Mistake(Diagnostic),
    /// As far as the world is known, it is not to be.
    Refused(Diagnostic),
}

/// One resource being planned.
struct Instance<'a> {
    block: &'a ResourceBlock,
    address: Address,
    each: Option<Each>,
    site: Site,
    depends_on: Vec<Address>,
    reads: Vec<Block>,
}

impl<'a> Builder<'a> {
    fn new(stack: &'a Arc<Stack>, catalog: &'a Catalog, world: World<'a>, options: &'a Options) -> Self {
        Self {
            stack,
            catalog,
            world,
            options,
            dependencies: deps::dependencies(stack),
            selection: Selection::default(),
            mistakes: Diagnostics::default(),
            diagnostics: Diagnostics::default(),
            values: BTreeMap::new(),
            data: BTreeMap::new(),
            data_lookups: BTreeMap::new(),
            readable: Vec::new(),
            reads: Vec::new(),
            changes: Vec::new(),
            changed: BTreeSet::new(),
            instances: BTreeMap::new(),
            going: BTreeSet::new(),
            failed: Failed::default(),
            pinned: Vec::new(),
            handovers: Handovers::default(),
            governing: Governing::of(catalog, world),
            aliases: Vec::new(),
        }
    }

    /// Plans everything that the stack wants, each after what it names.
    fn plan_desired(&mut self) {
        let order = deps::order(&self.dependencies, &mut self.mistakes);
        self.selection = self.select(&order);
        for item in &order {
            match item {
                Item::Data(block) => self.data_source(block),
                Item::Resource(block) => self.resource(block),
                Item::Local(_) => {}
            }
        }
    }

    fn scope(&self) -> StackScope<'_> {
        StackScope::new(self.stack, Some(self.world.identity), &self.data, &self.values)
    }

    fn data_source(&mut self, block: &Block) {
        let Some(config) = self.stack.config.data.get(block) else { return };
        let scope = self.scope();
        let arguments = config.attributes.eval(&scope);
        let site = self.account(&deps::data_name(block), &block.module, config.account.as_ref(), &scope);
        let lookups = scope.take_lookups();
        drop(scope);
        let said = arguments.map_err(failed).and_then(|arguments| Ok((arguments, site?)));
        let (arguments, site) = match said {
            Ok(said) => said,
            Err(mistake) => {
                self.failed.data.insert(block.clone());
                return self.mistakes.push(mistake);
            }
        };
        if self.failed.affects(&lookups) {
            self.failed.data.insert(block.clone());
            return;
        }
        let depends_on = self.edges(&lookups);
        let reads = self.waited_for(&lookups);
        self.data_lookups.insert(block.clone(), lookups);
        let waits = !reads.is_empty() || depends_on.iter().any(|address| self.changed.contains(address));
        match self.world.data.get(block) {
            Some(value) if !waits => drop(self.data.insert(block.clone(), value.clone())),
            known => {
                if known.is_none() && !waits && !arguments.has_unknown() {
                    self.readable.push((block.clone(), site.clone(), canonicalize(&config.schema.attributes, &arguments)));
                }
                self.reads.push(Read { block: block.clone(), site, depends_on, reads });
            }
        }
    }

    /// The data sources that were looked up and can only be read during apply.
    fn waited_for(&self, lookups: &Lookups) -> Vec<Block> {
        lookups.data.iter().filter(|block| self.reads.iter().any(|read| read.block == **block)).cloned().collect()
    }

    fn resource(&mut self, block: &Block) {
        let Some(resource) = self.stack.config.resources.get(block) else { return };
        let scope = self.scope();
        let expanded = expand::block(block, resource, &scope);
        let lookups = scope.take_lookups();
        drop(scope);
        let each: Vec<(Address, Option<Each>)> = match expanded {
            Ok(Instances::Single) => vec![(Address { block: block.clone(), key: None }, None)],
            Ok(Instances::Absent) => Vec::new(),
            Ok(Instances::Each(all)) => all
                .into_iter()
                .map(|each| (Address { block: block.clone(), key: each.key.as_str().map(str::to_owned) }, Some(each)))
                .collect(),
            Ok(Instances::Unknown) => return self.uncountable(block, resource, &lookups),
            Err(failure) => {
                self.failed.blocks.insert(block.clone());
                return self.mistakes.push(failed(failure));
            }
        };
        let keyed = resource.for_each.is_some();
        let absent = each.is_empty() && !keyed;
        self.instances.insert(block.clone(), each.iter().map(|(address, _)| address.clone()).collect());
        let mut values = BTreeMap::new();
        for (address, each) in each {
            let key = address.key.clone().unwrap_or_default();
            let value = self.instance(resource, address.clone(), each, &lookups).unwrap_or_else(|unplanned| {
                match unplanned {
                    Unplanned::Said => {}
                    Unplanned::Mistake(mistake) => self.mistakes.push(mistake),
                    Unplanned::Refused(refusal) => self.diagnostics.push(refusal),
                }
                self.failed.instances.insert(address);
                Value::Unknown
            });
            values.insert(key, value);
        }
        let value = match (keyed, absent) {
            (true, _) => BlockValue::Each(values),
            (false, true) => BlockValue::Absent,
            (false, false) => BlockValue::Single(values.into_values().next().unwrap_or(Value::Unknown)),
        };
        self.values.insert(block.clone(), value);
    }

    /// Which instances a block has depends on what is known only after apply.
    fn uncountable(&mut self, block: &Block, resource: &ResourceBlock, lookups: &Lookups) {
        self.failed.blocks.insert(block.clone());
        if self.failed.affects(lookups) {
            return;
        }
        let template = resource.for_each.as_ref().or(resource.when.as_ref());
        let span = template.map_or(&resource.span, |template| &template.span);
        let error = Diagnostic::error(Code::KnownTooLate, span, format!("how many {block} there are is known only after apply"));
        self.diagnostics.push(error.help("`for_each` and `when` need variables, locals, or data sources that can be read now"));
    }

    /// Plans one resource; what later expressions see of it. `expanded` is what was looked up to know that it exists.
    ///
    /// # Errors
    /// Why it cannot be planned.
    fn instance(
        &mut self,
        resource: &'a ResourceBlock,
        address: Address,
        each: Option<Each>,
        expanded: &Lookups,
    ) -> Result<Value, Unplanned> {
        let failing = |failure| Unplanned::Mistake(failed(failure));
        let scope = self.scope().with_each(each.as_ref());
        let account =
            self.account(&address.to_string(), &address.block.module, resource.account.as_ref(), &scope).map_err(Unplanned::Mistake)?;
        let region = region(resource, &address, &account, &scope);
        let says = desired::desired(resource, &address, &scope, &Pins::new()).map_err(failing)?;
        let mut lookups = scope.take_lookups();
        lookups.depend_on(expanded);
        if self.failed.affects(&lookups) {
            return Err(Unplanned::Said);
        }
        let region = region?;
        let pinned = self.pinned(&address, &says);
        let mut pins = self.options.pins(self.world.state, &address);
        pins.retain(|path, _| !pinned.iter().any(|pinned| pinned.path == *path && pinned.over));
        let desired = if pins.is_empty() { says } else { desired::desired(resource, &address, &scope, &pins).map_err(failing)? };
        let attributes = attributes_of(resource);
        if let Some(mistake) = refusals::of_other_kind(resource, &address, &desired) {
            return Err(Unplanned::Mistake(mistake));
        }
        let depends_on = self.depends_on(resource, &address, &lookups);
        let region = resource.schema.scope.region(&region, &self.world.identity.region).to_owned();
        let site = Site { region, ..account };
        let instance = Instance { block: resource, address, each: each.clone(), site, depends_on, reads: self.waited_for(&lookups) };
        let mut change = self.change(&instance, &desired).map_err(Unplanned::Refused)?;
        // What is as it should be is left alone, whatever AWS does not say of what it refers to.
        let is_sent = !matches!(change.action, Action::NoOp | Action::Forget);
        if let Some(mistake) = refusals::without_a_value(resource, &instance.address, &desired).filter(|_| is_sent) {
            return Err(Unplanned::Mistake(mistake));
        }
        let aliases = aliases::aliases(&instance, &desired, &change);
        change.after = follow::unsettled(attributes, &change.after, &desired, &change.attributes);
        if change.action != Action::NoOp {
            change.waits_for = waits::waits_for(attributes, &resource.attributes, &change.after, &scope);
            change.waits_for.values_mut().for_each(|references| name_each(references, expanded));
        }
        drop(scope);
        self.aliases.extend(aliases);
        // The pins of what is left out are neither over nor spoken of as such.
        let left_out = self.leaves_out(&change.address);
        self.pinned.extend(pinned.into_iter().filter(|pinned| !(left_out && pinned.over)));
        let value = if change.after.is_null() { Value::Unknown } else { conceal(attributes, &change.after, &change.sensitive) };
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

    /// What changed outside leoctl and is not changed back is remembered, so that it is drift once only. What is left out
    /// stays drift.
    fn remember(&mut self, drift: &[Drift]) {
        let drifted: BTreeSet<&Address> =
            drift.iter().filter(|one| one.loss.is_none()).map(|one| &one.address).filter(|address| !self.leaves_out(address)).collect();
        for change in self.changes.iter_mut().filter(|change| drifted.contains(&change.address)) {
            change.state_only.insert(Aspect::Drift);
        }
    }

    fn finish(mut self) -> Result<Draft, Diagnostics> {
        self.claims();
        self.inside();
        self.settle_takeovers();
        self.held();
        self.handed_over();
        let drift = self.drift();
        self.remember(&drift);
        self.conditions();
        let outputs = self.outputs();
        let checks = if self.options.destroy { Vec::new() } else { self.checks() };
        let (steps, cyclic) = schedule::steps(&self.changes, &self.reads, &self.handovers);
        let state_changes = StateChange::of_resources(&self.changes);
        let mut warnings = self.warnings();
        if !cyclic.is_empty() {
            let names: Vec<String> = cyclic.iter().map(ToString::to_string).collect();
            warnings.push(format!(
                "the state has a dependency cycle between {}: these are deleted without an order among them",
                names.join(", ")
            ));
        }
        if self.mistakes.has_errors() {
            return Err(self.mistakes);
        }
        let plan = Plan {
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
            state_changes,
            checks,
            pinned: self.pinned,
            warnings,
        };
        Ok(Draft { plan, refusals: self.diagnostics, aliases: self.aliases })
    }
}

/// `each.value` in words that say more: what `for_each` itself waits for.
fn name_each(references: &mut Vec<String>, expanded: &Lookups) {
    let count = references.len();
    references.retain(|reference| !reference.starts_with("each."));
    if references.len() < count {
        references.extend(expanded.unknown.iter().cloned());
        references.sort();
        references.dedup();
    }
}
