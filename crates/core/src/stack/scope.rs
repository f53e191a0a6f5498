//! What names mean: variables, locals, data sources, resources, `each`, `stack` and `env`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Stack;
use super::budget::Spent;
use super::contents::Contents;
use super::deps::{Local, LocalKind, data_name};
use super::diagnostic::{Code, Meant, suggestion};
use super::expr::{EvalError, Scope};
use super::habits;
use super::lookup::Lookups;
use super::reference::{Reference, Step, root_length};
use crate::model::address::{Address, Block};
use crate::model::module::{MODULE, ModulePath};
use crate::model::place::Site;
use crate::model::schema::{Attribute, Type, TypeSchema};
use crate::model::value::Value;

/// Who and where we are in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account_id: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The stack's region.
    pub region: String,
    /// Where the accounts are that the stack file names, by name; those that nothing needs may be missing.
    pub accounts: BTreeMap<String, Site>,
}

impl Identity {
    /// Where the stack is.
    pub fn site(&self) -> Site {
        Site { account: self.account_id.clone(), region: self.region.clone() }
    }

    /// The same in another account.
    #[must_use]
    pub fn within(&self, account: &str) -> Self {
        Self { account_id: account.to_owned(), ..self.clone() }
    }

    /// The name that the stack file has for an account that is not the stack's own.
    pub fn name_of(&self, account: &str) -> Option<&str> {
        let named = self.accounts.iter().find(|(_, site)| site.account == account && account != self.account_id);
        named.map(|(name, _)| name.as_str())
    }

    /// Whether the stack is in this account, or names it.
    pub fn reaches(&self, account: &str) -> bool {
        self.account_id == account || self.accounts.values().any(|site| site.account == account)
    }
}

/// What is known of a resource block's instances.
#[derive(Clone, Debug)]
pub enum BlockValue {
    /// A block without `for_each`.
    Single(Value),
    /// A block with `for_each`, by key.
    Each(BTreeMap<String, Value>),
    /// A block whose `when` is false.
    Absent,
}

/// `each` inside a block with `for_each`.
#[derive(Clone, Debug)]
pub struct Each {
    /// `each.key`.
    pub key: Value,
    /// `each.value`.
    pub value: Value,
    /// `each.index`.
    pub index: Value,
}

impl Each {
    /// `each` before it is known over what.
    pub fn unknown() -> Self {
        Self { key: Value::Unknown, value: Value::Unknown, index: Value::Unknown }
    }
}

/// A local that has been evaluated, or is being evaluated when there is none: it depends on itself then.
type Evaluated = Option<(Value, Lookups)>;

/// A scope over a stack and what is known of the world. It remembers what was looked up in it.
pub struct StackScope<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// Who we are; unknown without AWS.
    pub identity: Option<&'a Identity>,
    /// What data sources said; unknown where absent.
    pub data: &'a BTreeMap<Block, Value>,
    /// What is known of resources; unknown where absent.
    pub resources: &'a BTreeMap<Block, BlockValue>,
    /// `each`, inside a block that has it.
    pub each: Option<&'a Each>,
    locals: RefCell<BTreeMap<Local, Evaluated>>,
    lookups: RefCell<Lookups>,
}

impl<'a> StackScope<'a> {
    /// A scope in which nothing of AWS is known.
    pub fn offline(stack: &'a Stack) -> Self {
        static NO_DATA: BTreeMap<Block, Value> = BTreeMap::new();
        static NO_RESOURCES: BTreeMap<Block, BlockValue> = BTreeMap::new();
        Self::new(stack, None, &NO_DATA, &NO_RESOURCES)
    }

    /// A scope over what is known.
    pub fn new(
        stack: &'a Stack,
        identity: Option<&'a Identity>,
        data: &'a BTreeMap<Block, Value>,
        resources: &'a BTreeMap<Block, BlockValue>,
    ) -> Self {
        Self { stack, identity, data, resources, each: None, locals: RefCell::default(), lookups: RefCell::default() }
    }

    /// This scope inside one instance.
    pub fn with_each(self, each: Option<&'a Each>) -> Self {
        Self { each, ..self }
    }

    /// What has been looked up since the last call.
    pub fn take_lookups(&self) -> Lookups {
        self.lookups.take()
    }

    /// The value of a local, and what was looked up for it: a local evaluated before brings its lookups along.
    fn local(&self, local: &Local) -> Result<(Value, Lookups), EvalError> {
        let known = self.locals.borrow().get(local).cloned();
        match known {
            Some(Some(known)) => return Ok(known),
            Some(None) => return Err(EvalError { code: Code::Cycle, ..EvalError::new(format!("`{local}` depends on itself")) }),
            None => {}
        }
        self.locals.borrow_mut().insert(local.clone(), None);
        let before = self.lookups.take();
        let value = self.evaluated(local);
        let found = self.lookups.replace(before);
        match value {
            Ok(value) => {
                self.locals.borrow_mut().insert(local.clone(), Some((value.clone(), found.clone())));
                Ok((value, found))
            }
            Err(error) => {
                self.locals.borrow_mut().remove(local);
                self.lookups.borrow_mut().depend_on(&found);
                Err(error)
            }
        }
    }

    /// Remembers the name of something that is not known.
    pub(super) fn was_unknown(&self, name: String) {
        self.lookups.borrow_mut().unknown.insert(name);
    }

    /// The value at `steps` inside of a local.
    pub(super) fn local_value(&self, local: &Local, steps: &[Step]) -> Result<Value, EvalError> {
        let (value, found) = self.local(local)?;
        self.lookups.borrow_mut().depend_on(&found);
        let value = walk(&value, steps, None)?;
        if value.has_unknown() {
            self.lookups.borrow_mut().extend(&found);
        }
        Ok(value)
    }

    /// Remembers that a reference gave something that is not known: `what` and the attributes that `schema` knows.
    /// Nothing else of the reference is remembered, which may have been computed from a secret.
    fn is_unknown(&self, what: impl std::fmt::Display, steps: &[Step], schema: &TypeSchema) {
        let mut name = what.to_string();
        let mut attributes: &[Attribute] = &schema.attributes;
        for step in steps {
            let Step::Key(key) = step else { break };
            let Some(attribute) = attributes.iter().find(|attribute| attribute.name == *key) else { break };
            name = format!("{name}.{key}");
            attributes = if let Type::Object(inside) = &attribute.ty { inside } else { &[] };
        }
        self.lookups.borrow_mut().unknown.insert(name);
    }

    fn identity_field(&self, name: &str) -> Result<Value, EvalError> {
        let known = |field: fn(&Identity) -> &String| match self.identity {
            Some(identity) => Value::string(field(identity)),
            None => {
                self.was_unknown(format!("stack.{name}"));
                Value::Unknown
            }
        };
        Ok(match name {
            "name" => Value::string(&self.stack.name),
            "account_id" => known(|id| &id.account_id),
            "partition" => known(|id| &id.partition),
            "region" => match (&self.stack.region, self.identity) {
                (Some(region), _) => Value::string(region),
                (None, _) => known(|id| &id.region),
            },
            _ => return Err(missing("field of stack", name, STACK_FIELDS)),
        })
    }

    fn data_value(&self, reference: &Reference) -> Result<Value, EvalError> {
        let (Some(type_name), Some(name)) = (reference.key(1), reference.key(2)) else {
            return Err(EvalError::unknown(format!("`{reference}` is not a data source: write `data.type.name`")));
        };
        let block = Block::new(type_name, name).within(&reference.home.module);
        let Some(declared) = self.stack.config.data.get(&block) else {
            return Err(unknown_data(self.stack, &block));
        };
        self.lookups.borrow_mut().data.insert(block.clone());
        let steps = reference.path.get(3..).unwrap_or_default();
        let value = match self.data.get(&block) {
            Some(value) => walk(value, steps, Some(&declared.schema))?,
            None => Value::Unknown,
        };
        if value.has_unknown() {
            self.is_unknown(data_name(&block), steps, &declared.schema);
        }
        Ok(value)
    }

    fn resource_value(&self, reference: &Reference) -> Result<Value, EvalError> {
        let (root, name) = (reference.root(), reference.key(1).unwrap_or_default());
        let block = Block::new(root, name).within(&reference.home.module);
        let Some(declared) = self.stack.config.resources.get(&block) else {
            return Err(unknown_reference(self.stack, reference));
        };
        let schema = &declared.schema.schema;
        let rest = reference.path.get(2..).unwrap_or_default();
        let keyed = declared.for_each.is_some();
        let (address, steps) = match rest.split_first() {
            Some((step, rest)) if keyed => (Address { block: block.clone(), key: Some(step.name()) }, rest),
            _ => (Address { block: block.clone(), key: None }, rest),
        };
        match address.key {
            Some(_) => drop(self.lookups.borrow_mut().instances.insert(address.clone())),
            None => drop(self.lookups.borrow_mut().blocks.insert(block.clone())),
        }
        let value = match (self.resources.get(&block), &address.key) {
            (None, _) => Value::Unknown,
            (Some(BlockValue::Single(value)), _) => walk(value, steps, Some(schema))?,
            (Some(BlockValue::Absent), _) if rest.is_empty() => Value::Null,
            (Some(BlockValue::Absent), _) => {
                let mut error = EvalError::new(format!("{block} does not exist: its `when` is false"));
                error.help = Some("choose with `condition ? … : …` on the same condition".to_owned());
                return Err(error);
            }
            (Some(BlockValue::Each(instances)), None) => Value::Map(instances.clone()),
            (Some(BlockValue::Each(instances)), Some(key)) => match instances.get(key) {
                Some(value) => walk(value, steps, Some(schema))?,
                None => return Err(missing(&format!("instance of {block}"), key, instances.keys())),
            },
        };
        if value.has_unknown() {
            match self.resources.get(&block) {
                Some(_) => self.is_unknown(address, steps, schema),
                // Which instances there are is not known, so whether the key is one of theirs is not either.
                None => self.is_unknown(block, steps, schema),
            }
        }
        Ok(value)
    }
}

/// The fields of `stack`.
pub const STACK_FIELDS: &[&str] = &["name", "region", "account_id", "partition"];
/// The fields of `each`.
pub const EACH_FIELDS: &[&str] = &["key", "value", "index"];
/// The roots that are not resource types.
pub const ROOTS: &[&str] = &["vars", "locals", "data", "each", "stack", "env", MODULE];

impl Scope for StackScope<'_> {
    fn spent(&self) -> Option<&Spent> {
        Some(&self.stack.spent)
    }

    fn contents(&self) -> Option<&Contents> {
        Some(&self.stack.contents)
    }

    fn lookup(&self, reference: &Reference) -> Result<Value, EvalError> {
        if let Some(error) = root_alone(reference) {
            return Err(error);
        }
        let name = reference.key(1).unwrap_or_default();
        let rest = reference.path.get(2..).unwrap_or_default();
        let home = &reference.home.module;
        let local = |kind| Local { module: home.clone(), kind, name: name.to_owned() };
        match reference.root() {
            "vars" if !home.is_root() => self.local_value(&local(LocalKind::Input), rest),
            "vars" => match self.stack.vars.get(name) {
                Some(value) => walk(value, rest, None),
                // A declared variable without a value is reported where one is needed.
                None if self.stack.config.vars.contains_key(name) => {
                    self.lookups.borrow_mut().unknown.insert(format!("vars.{name}"));
                    Ok(Value::Unknown)
                }
                None => Err(missing("variable", name, self.stack.config.vars.keys())),
            },
            "locals" => self.local_value(&local(LocalKind::Local), rest),
            MODULE => self.module_value(reference),
            "env" if !home.is_root() => Err(outside(reference)),
            "env" => match self.stack.env.get(name) {
                Some(value) => walk(value, rest, None),
                None => Err(missing("environment variable", name, self.stack.env.keys())),
            },
            "stack" => walk(&self.identity_field(name)?, rest, None),
            "each" if let Some(local) = self.stack.config.each_value(reference) => self.local_value(&local, rest),
            "each" => {
                let of_use = reference.home.each.as_ref().map(|path| self.stack.config.modules.instances.get(path));
                let each = of_use.map_or(self.each, |module| module.and_then(|module| module.each.as_ref()));
                let Some(each) = each else {
                    return Err(EvalError::unknown("`each` exists only in a resource with `for_each`"));
                };
                let value = match name {
                    "key" => &each.key,
                    "value" => &each.value,
                    "index" => &each.index,
                    _ => return Err(missing("field of each", name, EACH_FIELDS)),
                };
                let value = walk(value, rest, None)?;
                if value.has_unknown() {
                    self.lookups.borrow_mut().unknown.insert(format!("each.{name}"));
                }
                Ok(value)
            }
            "data" => self.data_value(reference),
            _ => self.resource_value(reference),
        }
    }

    fn cut_short(&self, references: &[Reference]) {
        let unknown = self.lookups.borrow().unknown.clone();
        for reference in references {
            // Whether it leads anywhere is judged once it is needed.
            let _ = self.lookup(reference);
        }
        self.lookups.borrow_mut().unknown = unknown;
    }
}

/// The error of a root that is named without a name of what is in it, such as `vars` or `vars[0]`; none for others.
pub fn root_alone(reference: &Reference) -> Option<EvalError> {
    let root = reference.root();
    let named = (1..root_length(root)).all(|step| reference.key(step).is_some());
    if named || !ROOTS.contains(&root) {
        return None;
    }
    let wanted = if root == "data" { "data.type.name" } else { &format!("{root}.name") };
    Some(EvalError::unknown(format!("`{reference}` is no value")).advice(format!("write the name of what you mean: `{wanted}`")))
}

/// An error for a name that does not exist, with the nearest ones.
pub fn missing<S: AsRef<str>>(what: &str, name: &str, known: impl IntoIterator<Item = S>) -> EvalError {
    let known: Vec<S> = known.into_iter().collect();
    let mut error = EvalError::unknown(format!("there is no {what} `{name}`"));
    error.help = suggestion(name, known.iter().map(AsRef::as_ref));
    error.meant = Meant::among(name, known.iter().map(AsRef::as_ref));
    error
}

/// An error for a name of the stack that is used in a module.
pub fn outside(reference: &Reference) -> EvalError {
    let shown: String = reference.path.iter().take(2).map(Step::name).collect::<Vec<_>>().join(".");
    let error = EvalError::unknown(format!("`{shown}` is outside of the module"));
    error.advice("declare a variable under `[vars]` here, and give it the value under `inputs` where the module is used")
}

/// An error for a data source that does not exist.
pub fn unknown_data(stack: &Stack, block: &Block) -> EvalError {
    let known = stack.config.data.keys().filter(|known| known.module == block.module);
    let known: Vec<String> = known.map(|block| format!("data.{}.{}", block.type_name, block.name)).collect();
    missing("data source", &format!("data.{}.{}", block.type_name, block.name), &known)
}

/// An error for a reference whose root or block does not exist.
pub fn unknown_reference(stack: &Stack, reference: &Reference) -> EvalError {
    let home = &reference.home.module;
    let block = |module: &ModulePath| Block::new(reference.root(), reference.key(1).unwrap_or_default()).within(module);
    if let Some((user, _)) = home.split()
        && stack.config.resources.contains_key(&block(&user))
    {
        return outside(reference);
    }
    let known = stack.config.resources.keys().filter(|block| block.module == *home);
    let known: Vec<String> = known.map(|block| format!("{}.{}", block.type_name, block.name)).collect();
    let wanted = match reference.key(1) {
        Some(name) => format!("{}.{name}", reference.root()),
        None => reference.root().to_owned(),
    };
    let roots = ROOTS.iter().map(|root| (*root).to_owned());
    let rooted = reference.key(1).map(|name| roots.clone().map(|root| format!("{root}.{name}")).collect::<Vec<_>>());
    let candidates: Vec<String> = match rooted {
        Some(rooted) => known.into_iter().chain(rooted.into_iter().filter(|c| exists(stack, home, c))).collect(),
        None => known.into_iter().chain(roots).collect(),
    };
    let mut error = missing("resource", &wanted, &candidates);
    if let Some(root) = root_of_terraform(reference.root()) {
        error.help = Some(format!("write `{root}.{}`", reference.key(1).unwrap_or("NAME")));
        error.meant = Some(Meant { given: reference.root().to_owned(), name: root.to_owned() });
    }
    if let Some(type_name) = reference.root().strip_prefix("aws_") {
        let here = Block::new(type_name, reference.key(1).unwrap_or_default()).within(home);
        if stack.config.resources.contains_key(&here) {
            let here = format!("{type_name}.{}", here.name);
            error.help = Some(format!("write `{here}`"));
            error.meant = Some(Meant { given: wanted, name: here });
        }
    }
    if let Some(here) = habits::root(reference.root()) {
        error.help = Some(here.to_owned());
    }
    error
}

/// What is called so in Terraform.
fn root_of_terraform(root: &str) -> Option<&'static str> {
    match root {
        "local" => Some("locals"),
        "var" => Some("vars"),
        _ => None,
    }
}

fn exists(stack: &Stack, home: &ModulePath, candidate: &str) -> bool {
    match candidate.split_once('.') {
        Some(("vars", name)) => stack.config.vars_of(home).is_some_and(|vars| vars.contains_key(name)),
        Some(("locals", name)) => stack.config.locals_of(home).is_some_and(|locals| locals.contains_key(name)),
        Some((MODULE, name)) => stack.config.modules.uses.contains_key(&home.inside(name, None)),
        _ => false,
    }
}

/// The value at `steps` inside `value`; an attribute the schema knows but the value lacks is null.
pub fn walk(value: &Value, steps: &[Step], schema: Option<&TypeSchema>) -> Result<Value, EvalError> {
    walk_on(value, steps, schema, None)
}

/// The same, behind a step that led to `value`.
fn walk_on(value: &Value, steps: &[Step], schema: Option<&TypeSchema>, behind: Option<&Step>) -> Result<Value, EvalError> {
    let Some((step, rest)) = steps.split_first() else { return Ok(value.clone()) };
    let found = match (value, step) {
        (Value::Unknown, _) => return Ok(Value::Unknown),
        (Value::Secret(inner), _) => return Ok(walk_on(inner, steps, schema, behind).map_err(EvalError::withheld)?.into_secret()),
        (Value::Map(map), Step::Key(key)) => match map.get(key) {
            Some(found) => found,
            None if schema.is_some_and(|schema| schema.attribute(key).is_some()) => &Value::Null,
            None => {
                let known: Vec<&String> = map.keys().collect();
                return Err(missing("key", key, known));
            }
        },
        (Value::Map(map), Step::Index(index)) => match map.get(&index.to_string()) {
            Some(found) => found,
            None => return Err(missing("key", &index.to_string(), map.keys())),
        },
        (Value::List(items), Step::Index(index)) => match items.get(*index) {
            Some(found) => found,
            None => return Err(EvalError::new(format!("there is no element {index}: the list has {}", items.len()))),
        },
        (Value::Null, Step::Key(key)) => {
            let message = match behind {
                Some(step) => format!("`{}` is null, and has no `{key}`", step.name()),
                None => format!("null has no `{key}`"),
            };
            return Err(EvalError::new(message).advice("`try(x.name, 'default')` takes another value where there is none"));
        }
        (other, Step::Key(key)) => return Err(EvalError::new(format!("{} has no `{key}`", other.kind()))),
        (other, Step::Every) => return Err(EvalError::new(format!("{} has no instances", other.kind()))),
        (other, Step::Index(index)) => return Err(EvalError::new(format!("{} has no element {index}", other.kind()))),
    };
    walk_on(found, rest, None, Some(step))
}
