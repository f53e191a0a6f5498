//! What expressions yield, as far as that is known without AWS: from what is written, or from what the last apply remembers.

use std::collections::BTreeMap;

use leoctl_core::model::address::Block;
use leoctl_core::model::module::MODULE;
use leoctl_core::model::value::Value;
use leoctl_core::stack::config::ResourceBlock;
use leoctl_core::stack::expand::{self, Instances};
use leoctl_core::stack::expr::Expr;
use leoctl_core::stack::kind::Kinds;
use leoctl_core::stack::reference::Home;
use leoctl_core::stack::scope::{BlockValue, Each, StackScope};

use super::analysis::InFile;
use crate::ui::value::{MASK, inline};

static NO_DATA: BTreeMap<Block, Value> = BTreeMap::new();

/// What an expression yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Yields {
    /// The value, in one line. What is sensitive is masked.
    pub shown: String,
    /// Whether it is what the last apply remembers, and not what is written.
    pub is_remembered: bool,
    /// Whether anything in it is sensitive.
    pub is_sensitive: bool,
}

/// What stands around an expression and says what its names mean.
pub struct Around<'a> {
    /// The file.
    pub file: InFile<'a>,
    /// The resource it is of.
    pub resource: Option<(Block, &'a ResourceBlock)>,
    home: Home,
}

/// What stands around a place of a file.
pub fn around(file: InFile<'_>, at: usize) -> Around<'_> {
    let module = file.analysis.home(file.path);
    let path: Vec<&str> = file.outline.header_at(at).iter().flat_map(|header| &header.names).map(|name| name.text.as_str()).collect();
    let stack = file.analysis.stack.as_deref();
    let block = |kind: &str, name: &str| Block::new(kind, name).within(&module);
    let resource = match path.as_slice() {
        ["resource", kind, name, ..] => stack.and_then(|stack| {
            let block = block(kind, name);
            stack.config.resources.get(&block).map(|resource| (block, resource))
        }),
        _ => None,
    };
    // In what is given to a module, `each` is that of its use.
    let each = match path.as_slice() {
        [MODULE, used, ..] => {
            let path = module.inside(*used, None);
            let mut instances = stack.into_iter().flat_map(|stack| stack.config.modules.instances.keys());
            instances.find(|instance| path.matches(instance)).cloned().filter(|instance| *instance == path)
        }
        _ => None,
    };
    Around { file, resource, home: Home { module, each } }
}

impl<'a> Around<'a> {
    /// The expression where its names mean what they do here.
    pub fn expr(&self, source: &str) -> Option<Expr> {
        Some(Expr::parse(source).ok()?.at(&self.home))
    }

    /// What an expression yields; nothing where that is not known, or it is wrong.
    pub fn yields(&self, source: &str) -> Option<Yields> {
        let expr = self.expr(source)?;
        let analysis = self.file.analysis;
        let known = |resources: &BTreeMap<Block, BlockValue>| self.value(&expr, resources).filter(|value| !value.has_unknown());
        if let Some(value) = known(analysis.written()) {
            return Some(shown(&value, false));
        }
        let remembered = analysis.state.as_ref().and_then(|_| known(analysis.remembered()))?;
        Some(shown(&remembered, true))
    }

    fn value(&self, expr: &Expr, resources: &BTreeMap<Block, BlockValue>) -> Option<Value> {
        let stack = self.file.analysis.stack.as_deref()?;
        let scope = StackScope::new(stack, None, &NO_DATA, resources);
        let each = self.each();
        expr.eval(&scope.with_each(each.as_ref())).ok()
    }

    /// `each` of the resource: of its only instance, else unknown.
    fn each(&self) -> Option<Each> {
        let (_, resource) = self.resource.as_ref()?;
        resource.for_each.as_ref()?;
        match self.instances().as_deref() {
            Some([only]) => Some(only.clone()),
            _ => Some(Each::unknown()),
        }
    }

    /// The instances of the resource, where it has `for_each` and they are known.
    pub fn instances(&self) -> Option<Vec<Each>> {
        let (block, resource) = self.resource.as_ref()?;
        let stack = self.file.analysis.stack.as_deref()?;
        let scope = StackScope::new(stack, None, &NO_DATA, self.file.analysis.written());
        match expand::block(block, resource, &scope) {
            Ok(Instances::Each(instances)) => Some(instances),
            _ => None,
        }
    }

    /// What is known of the kinds of values here.
    pub fn kinds(&self) -> Option<Kinds<'_>> {
        let stack = self.file.analysis.stack.as_deref()?;
        Some(match &self.resource {
            Some((_, resource)) => Kinds::within(stack, resource),
            None => Kinds::new(stack),
        })
    }
}

fn shown(value: &Value, is_remembered: bool) -> Yields {
    let is_sensitive = value.has_secret();
    // Of a table with a secret in it the rest is no secret, but nobody has to see it here.
    Yields { shown: if is_sensitive { MASK.to_owned() } else { inline(value) }, is_remembered, is_sensitive }
}
