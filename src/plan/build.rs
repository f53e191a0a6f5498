//! The one function that makes plans: stack, state and live resources in, [`Plan`] out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::desired;
use super::diff::{complete, diff, ignore};
use super::select::{Options, Selection, covers};
use super::types::{Action, Change, CheckResult, Drift, OutputChange, Plan, Read};
use crate::model::address::{Address, Block};
use crate::model::canonical::{canonicalize, with_local};
use crate::model::path::Path;
use crate::model::schema::{Attribute, Catalog, ResourceSchema, Unset};
use crate::model::secrecy::{conceal, secret_paths};
use crate::model::state::{Guard, ResourceState, State};
use crate::model::value::Value;
use crate::stack::check::failed;
use crate::stack::config::ResourceBlock;
use crate::stack::deps::{self, Dependencies, Item};
use crate::stack::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::expand::{self, Instances};
use crate::stack::scope::{BlockValue, Each, Identity, StackScope};
use crate::stack::{Stack, expr::Step};

/// What is known of the world.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Who we are.
    pub identity: &'a Identity,
    /// What is remembered.
    pub state: &'a State,
    /// What AWS says of the remembered resources; for one that is absent here, what is remembered stands.
    pub live: &'a BTreeMap<Address, Live>,
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
    /// Its id.
    pub id: String,
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
    };
    if !options.destroy {
        builder.selection = builder.select(&order);
        for item in &order {
            builder.item(item);
        }
    }
    builder.leftovers();
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
        let desired = desired::desired(resource, &address, &scope).map_err(failed)?;
        drop(scope);
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

    fn change(&self, instance: &Instance<'_>, desired: &Value) -> Result<Change, Diagnostic> {
        let address = &instance.address;
        let saved = self.world.state.resources.get(address);
        let attributes = attributes_of(instance.block);
        if !self.selection.includes(address) {
            return Ok(self.untouched(instance, saved));
        }
        let (id, live, imported) = match (saved, self.world.found.get(address)) {
            (Some(saved), _) => (Some(saved.id.clone()), self.live(instance, saved), false),
            (None, Some(found)) if found.ours => {
                (Some(found.id.clone()), Some(with_local(attributes, &canonicalize(attributes, &found.attributes), desired)), true)
            }
            (None, Some(found)) => return Err(foreign(instance, found)),
            (None, None) => (None, None, false),
        };
        let mut change = blank(instance, saved, id);
        let Some(live) = live else {
            change.after = complete(attributes, desired, None);
            change.attributes = diff(attributes, &Value::Map(BTreeMap::new()), &change.after);
            change.action = Action::Create;
            if let Some(saved) = saved {
                change.reason = Some(format!("{} was deleted outside leoctl", saved.id));
            }
            change.id = None;
            change.sensitive = secret_paths(attributes, &change.after);
            return Ok(change);
        };
        let after = complete(attributes, desired, Some(&live));
        let after = ignore(&after, &live, &instance.block.lifecycle.ignore_changes);
        let sensitive = secret_paths(attributes, &after);
        let live = conceal(attributes, &live, &sensitive);
        let changes = diff(attributes, &live, &after);
        let forced = self.options.replace.iter().any(|wanted| covers(wanted, address));
        change.action = match () {
            () if forced || changes.iter().any(|change| change.forces_replacement) => Action::Replace,
            () if imported => Action::Import,
            () if !changes.is_empty() => Action::Update,
            () => Action::NoOp,
        };
        change.reason = self.reason(&change, saved, forced, imported);
        change.after = if change.action == Action::Replace { complete(attributes, desired, None) } else { after };
        change.before = live;
        change.attributes = changes;
        change.sensitive = sensitive;
        change.state_only = saved.is_some_and(|saved| {
            saved.guard != change.guard || saved.depends_on != change.depends_on || saved.incomplete || saved.authored != change.authored
        });
        change.risks = risks(&change, instance);
        if change.action == Action::Replace && change.guard.prevent_destroy {
            return Err(guarded_replacement(instance, &change));
        }
        Ok(change)
    }

    fn reason(&self, change: &Change, saved: Option<&ResourceState>, forced: bool, imported: bool) -> Option<String> {
        if forced {
            return Some("asked for with --replace".to_owned());
        }
        if imported {
            return Some(format!("{} exists and is taken over", change.id.as_deref().unwrap_or_default()));
        }
        (saved.is_some_and(|saved| saved.incomplete) && change.action == Action::Update)
            .then(|| "an earlier apply did not finish it".to_owned())
    }

    /// The attributes in AWS, or as remembered when AWS was not asked; none when it is gone.
    fn live(&self, instance: &Instance<'_>, saved: &ResourceState) -> Option<Value> {
        let attributes = attributes_of(instance.block);
        match self.world.live.get(&instance.address) {
            Some(Live::Present(value)) => Some(seen(attributes, value, saved)),
            Some(Live::Gone) => None,
            None => Some(remembered(attributes, saved)),
        }
    }

    /// A resource that `--target` or `--exclude` leaves out stays as it is.
    fn untouched(&self, instance: &Instance<'_>, saved: Option<&ResourceState>) -> Change {
        let live = saved.and_then(|saved| self.live(instance, saved)).unwrap_or(Value::Null);
        let mut change = blank(instance, saved, saved.map(|saved| saved.id.clone()));
        change.before = live.clone();
        change.after = live;
        change.deposed.clear();
        change
    }

    /// What is remembered and not desired.
    fn leftovers(&mut self) {
        let desired: BTreeSet<Address> = self.changes.iter().map(|change| change.address.clone()).collect();
        let state = self.world.state;
        let doomed = if self.options.destroy { self.options.doomed(state) } else { BTreeSet::new() };
        for (address, saved) in state.resources.iter().filter(|(address, _)| !desired.contains(*address)) {
            if !self.options.destroy && !self.selection.includes_leftover(address) {
                continue;
            }
            if self.options.destroy && !doomed.contains(address) {
                continue;
            }
            match self.leftover(address, saved) {
                Ok(change) => self.changes.push(change),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
    }

    fn leftover(&self, address: &Address, saved: &ResourceState) -> Result<Change, Diagnostic> {
        let configured = self.stack.config.resources.get(&address.block);
        let guard = match configured {
            Some(block) if self.options.destroy => guard(block),
            _ => saved.guard,
        };
        let gone = matches!(self.world.live.get(address), Some(Live::Gone));
        let removed = self.stack.config.removed.iter().any(|removed| covers(removed, address));
        if guard.prevent_destroy && !gone && !removed {
            return Err(Diagnostic::general(format!("{address} ({}) would be deleted, but `prevent_destroy` protects it", saved.id))
                .help("to delete it, set `prevent_destroy = false` and apply that first")
                .help(format!("to keep it and forget it here, add `[[removed]]` with `from = \"{address}\"`")));
        }
        let schema = self.catalog.resources.get(address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        let before = match self.world.live.get(address) {
            Some(Live::Present(value)) => seen(attributes, value, saved),
            Some(Live::Gone) => Value::Null,
            None => remembered(attributes, saved),
        };
        let forget = gone || guard.retain || removed;
        let mut change = Change {
            address: address.clone(),
            action: if forget { Action::Forget } else { Action::Delete },
            reason: match () {
                () if gone => Some("it was deleted outside leoctl".to_owned()),
                () if removed => Some("`[[removed]]` says to forget it".to_owned()),
                () if guard.retain => Some("its `deletion_policy` is \"retain\"; it stays in AWS".to_owned()),
                () if self.options.destroy => None,
                () => Some("it is not in the stack any more".to_owned()),
            },
            id: Some(saved.id.clone()),
            region: saved.region.clone(),
            attributes: diff(attributes, &before, &Value::Map(BTreeMap::new())),
            before,
            after: Value::Null,
            risks: Vec::new(),
            depends_on: Vec::new(),
            reads: Vec::new(),
            prior_depends_on: saved.depends_on.clone(),
            create_before_destroy: false,
            deposed: saved.deposed.iter().map(|deposed| deposed.id.clone()).collect(),
            guard,
            each: None,
            sensitive: saved.sensitive.clone(),
            authored: Vec::new(),
            state_only: false,
        };
        if change.action == Action::Delete
            && let Some(loss) = schema.and_then(|schema| schema.data_loss)
        {
            change.risks.push(format!("deletes {loss}"));
        }
        Ok(change)
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

    fn finish(mut self) -> Result<Plan, Diagnostics> {
        self.renames();
        let drift = self.drift();
        let outputs = self.outputs();
        let checks = if self.options.destroy { Vec::new() } else { self.checks() };
        let warnings = self.warnings();
        if self.diagnostics.has_errors() {
            return Err(self.diagnostics);
        }
        Ok(Plan {
            stack: Arc::clone(self.stack),
            identity: self.world.identity.clone(),
            serial: self.world.state.serial,
            lineage: self.world.state.lineage.clone(),
            destroy: self.options.destroy,
            changes: self.changes,
            reads: self.reads,
            data: self.data,
            drift,
            outputs,
            checks,
            warnings,
        })
    }

    fn drift(&self) -> Vec<Drift> {
        let mut drift = Vec::new();
        for (address, saved) in &self.world.state.resources {
            let Some(schema) = self.catalog.resources.get(address.type_name()) else { continue };
            let attributes = schema.schema.attributes.as_slice();
            let (gone, changes) = match self.world.live.get(address) {
                None => continue,
                Some(Live::Gone) => (true, Vec::new()),
                Some(Live::Present(_)) if saved.incomplete => continue,
                Some(Live::Present(live)) => {
                    let live = seen(attributes, live, saved);
                    // Secrets are compared by hash: what is remembered of them is one.
                    let hashed =
                        Value::from(conceal(attributes, &live, &saved.sensitive).to_public_json(&|secret| self.world.state.digest(secret)));
                    let before = remembered(attributes, saved);
                    let after = conceal(attributes, &hashed, &saved.sensitive);
                    (false, diff(attributes, &before, &after))
                }
            };
            if gone || !changes.is_empty() {
                drift.push(Drift { address: address.clone(), id: saved.id.clone(), gone, attributes: changes });
            }
        }
        drift
    }

    fn outputs(&mut self) -> BTreeMap<String, OutputChange> {
        let saved = &self.world.state.outputs;
        let mut outputs: BTreeMap<String, OutputChange> =
            saved.iter().map(|(name, value)| (name.clone(), OutputChange { before: Some(value.clone()), after: None })).collect();
        if self.options.destroy {
            if !self.options.targets.is_empty() || !self.options.excludes.is_empty() {
                outputs.values_mut().for_each(|output| output.after = output.before.as_ref().map(Value::from));
            }
            return outputs;
        }
        let mut failures = Vec::new();
        for (name, output) in &self.stack.config.outputs {
            let after = match output.value.eval(&self.scope()) {
                Ok(value) if output.sensitive => value.into_secret(),
                Ok(value) => value,
                Err(failure) => {
                    failures.push(failed(failure));
                    continue;
                }
            };
            let entry = outputs.entry(name.clone()).or_insert(OutputChange { before: None, after: None });
            entry.after = Some(after);
        }
        failures.into_iter().for_each(|failure| self.diagnostics.push(failure));
        outputs
    }

    fn checks(&mut self) -> Vec<CheckResult> {
        let (results, failures) = check_results(self.stack, &self.scope());
        failures.into_iter().for_each(|failure| self.diagnostics.push(failure));
        results
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for change in self.changes.iter().filter(|change| change.action != Action::Delete) {
            let (Some(saved), Some(block)) =
                (self.world.state.resources.get(&change.address), self.stack.config.resources.get(&change.address.block))
            else {
                continue;
            };
            for path in saved.authored.iter().filter(|path| !change.authored.contains(path)) {
                let attribute = path.root().and_then(|name| block.schema.schema.attribute(name));
                if attribute.is_some_and(|attribute| attribute.unset == Unset::Server) {
                    warnings.push(format!("{}: `{path}` is not set any more; AWS keeps the value it has", change.address));
                }
            }
        }
        warnings
    }
}

/// How the stack's conditions come out in a scope, and the expressions that fail.
pub fn check_results(stack: &Stack, scope: &StackScope<'_>) -> (Vec<CheckResult>, Vec<Diagnostic>) {
    let (mut results, mut failures) = (Vec::new(), Vec::new());
    for (name, check) in &stack.config.checks {
        let evaluated = check.assert.eval(scope).and_then(|holds| Ok((holds, check.message.eval(scope)?)));
        match evaluated {
            Ok((holds, message)) => results.push(CheckResult {
                name: name.clone(),
                holds: match holds.revealed() {
                    Value::Bool(holds) => Some(*holds),
                    Value::Unknown => None,
                    other => {
                        let message = format!("`assert` of check {name} is a boolean, not {}", other.kind());
                        failures.push(Diagnostic::error(&check.assert.span, message));
                        continue;
                    }
                },
                message: match &message {
                    Value::Secret(_) => "(the message is withheld: it uses a sensitive value)".to_owned(),
                    other => other.as_str().unwrap_or_default().to_owned(),
                },
            }),
            Err(failure) => failures.push(failed(failure)),
        }
    }
    (results, failures)
}

fn attributes_of(block: &ResourceBlock) -> &[Attribute] {
    &block.schema.schema.attributes
}

/// What protects a block's resources.
fn guard(block: &ResourceBlock) -> Guard {
    Guard { prevent_destroy: block.lifecycle.prevent_destroy, retain: block.lifecycle.retain }
}

/// The attributes AWS returned, with what only leoctl knows.
fn seen(attributes: &[Attribute], live: &Value, saved: &ResourceState) -> Value {
    let live = with_local(attributes, &canonicalize(attributes, live), &Value::from(&saved.attributes));
    conceal(attributes, &canonicalize(attributes, &live), &saved.sensitive)
}

/// The remembered attributes; of secrets only the hash is, so they are unknown.
fn remembered(attributes: &[Attribute], saved: &ResourceState) -> Value {
    canonicalize(attributes, &conceal(attributes, &Value::from(&saved.attributes), &saved.sensitive))
}

/// A change in which nothing changes yet.
fn blank(instance: &Instance<'_>, saved: Option<&ResourceState>, id: Option<String>) -> Change {
    let lifecycle = &instance.block.lifecycle;
    Change {
        address: instance.address.clone(),
        action: Action::NoOp,
        reason: None,
        id,
        region: instance.region.clone(),
        before: Value::Null,
        after: Value::Null,
        attributes: Vec::new(),
        risks: Vec::new(),
        depends_on: instance.depends_on.clone(),
        reads: instance.reads.clone(),
        prior_depends_on: saved.map(|saved| saved.depends_on.clone()).unwrap_or_default(),
        create_before_destroy: lifecycle.create_before_destroy.unwrap_or(instance.block.schema.create_before_destroy),
        deposed: saved.map(|saved| saved.deposed.iter().map(|deposed| deposed.id.clone()).collect()).unwrap_or_default(),
        guard: guard(instance.block),
        each: instance.each.clone(),
        sensitive: Vec::new(),
        authored: instance.block.attributes.as_table().into_iter().flat_map(|fields| fields.keys()).map(Path::attribute).collect(),
        state_only: false,
    }
}

fn foreign(instance: &Instance<'_>, found: &Found) -> Diagnostic {
    let address = &instance.address;
    let owner = match &found.owner {
        Some((stack, address)) => format!("it belongs to {address} of stack {stack}"),
        None => "it was not made by leoctl".to_owned(),
    };
    Diagnostic::error(&instance.block.span, format!("{address} cannot be created: {} exists already", found.id))
        .label(owner)
        .help(format!("to manage it here, add [[import]] with to = '{address}', id = \"{}\"", found.id))
        .help("to leave it alone, choose another name")
}

fn guarded_replacement(instance: &Instance<'_>, change: &Change) -> Diagnostic {
    let forcing: Vec<String> = change.replace_paths().iter().map(|path| format!("`{path}`")).collect();
    let address = &instance.address;
    Diagnostic::error(&instance.block.span, format!("{address} would be replaced, but `prevent_destroy` protects it"))
        .label(format!("changing {} forces a replacement", forcing.join(", ")))
        .help("undo that change, or set `prevent_destroy = false` for this apply")
}

fn risks(change: &Change, instance: &Instance<'_>) -> Vec<String> {
    let mut risks = Vec::new();
    if change.action != Action::Replace {
        return risks;
    }
    let schema: &ResourceSchema = &instance.block.schema;
    if change.guard.retain {
        risks.push("leaves the old one in AWS, as its `deletion_policy` says".to_owned());
    } else if let Some(loss) = schema.data_loss {
        risks.push(format!("deletes {loss}"));
    }
    if !change.create_before_destroy {
        risks.push("is deleted before its replacement exists".to_owned());
    }
    risks
}
