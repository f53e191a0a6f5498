//! Modules: files without `[stack]` that a stack uses, once or for each of several keys. Every instance is written out when
//! the stack is read: its resources stand beside the stack's own, under an address of their own, and the references in
//! them say where they are written. So a plan knows blocks only, and its graph goes through modules resource by resource.

mod alone;
mod copy;
mod inputs;
mod load;
mod scope;
mod validate;

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;

pub use self::alone::{is_module, load_module, survey_module};
pub use self::inputs::{input, of_other_kinds};
pub(super) use self::load::{ModuleFiles, opened};
pub use self::validate::{validations, validations_of, without_refused};
use super::config::{Check, Config, DataBlock, Output, ResourceBlock, Variable};
use super::deps::{Local, LocalKind};
use super::diagnostic::{Code, Diagnostic, Span};
use super::expand::Instances;
use super::reference::Reference;
use super::scope::Each;
use super::template::{Field, Template};
use super::unread::Unread;
use super::usage;
use crate::model::address::Block;
use crate::model::module::{MODULE, ModulePath};

/// The names that a stack file or one instance of a module declares.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Variables: of a module its inputs.
    pub vars: IndexMap<String, Variable>,
    /// Named expressions.
    pub locals: IndexMap<String, Field>,
    /// Its outputs, for the stack or module that uses it.
    pub outputs: IndexMap<String, Output>,
    /// Conditions that must hold.
    pub checks: IndexMap<String, Check>,
    /// What of its file could not be read.
    pub unread: Unread,
}

/// The file of a module, read. Its blocks and names are not in any module yet.
#[derive(Clone, Debug, Default)]
pub struct ModuleFile {
    /// What it declares.
    pub names: Names,
    /// Its data sources.
    pub data: IndexMap<Block, DataBlock>,
    /// Its resources.
    pub resources: IndexMap<Block, ResourceBlock>,
    /// How much its resources are used.
    pub usage: BTreeMap<Block, BTreeMap<usage::Use, f64>>,
    /// The modules it uses, by name.
    pub uses: IndexMap<String, Use>,
}

/// What something comes after without naming it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// All instances of a resource block.
    Block(Block),
    /// Everything in a module.
    Module(ModulePath),
}

/// A use of a module: `[module.NAME]`.
#[derive(Clone, Debug)]
pub struct Use {
    /// Where it is declared.
    pub span: Span,
    /// The module's file, as it is written, and where.
    pub source: (String, Span),
    /// What is given to it.
    pub inputs: IndexMap<String, Field>,
    /// What it is repeated over.
    pub for_each: Option<Template>,
    /// Whether it exists.
    pub when: Option<Template>,
    /// The account of everything in it that does not say its own.
    pub account: Option<Template>,
    /// What everything in it comes after.
    pub depends_on: Vec<(Named, Span)>,
    /// Its instances, once they are known.
    pub instances: Instances,
}

/// One instance of a module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its file.
    pub file: PathBuf,
    /// What it declares.
    pub names: Names,
    /// What is given to it.
    pub inputs: IndexMap<String, Field>,
    /// The account of everything in it that does not say its own.
    pub account: Option<Template>,
    /// `each` in what is given to it.
    pub each: Option<Each>,
}

/// The modules of a stack.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    /// Where they are used; the last key of each is open.
    pub uses: IndexMap<ModulePath, Use>,
    /// Their instances, in the order in which they are used.
    pub instances: IndexMap<ModulePath, Module>,
}

impl Modules {
    /// The modules that are used in one, by name.
    pub fn used_in<'a>(&'a self, module: &'a ModulePath) -> impl Iterator<Item = &'a str> {
        let inside = |path: &'a ModulePath| path.iter().last().filter(|_| path.split().is_some_and(|(user, _)| user == *module));
        self.uses.keys().filter_map(inside).map(|used| used.name.as_str())
    }
}

/// Diagnostics without those that say again of another instance of a module what has been said of one.
pub(super) fn said_once(modules: &Modules, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let instances: Vec<&ModulePath> = modules.instances.keys().filter(|path| path.last_key().is_some()).collect();
    let keyed: Vec<String> = instances.iter().map(ToString::to_string).collect();
    let mut said: Vec<(Option<Span>, String)> = Vec::new();
    let mut first: Vec<(Code, Option<Span>, ModulePath, &str)> = Vec::new();
    // At a place it is one mistake, whatever it makes of the values of each instance.
    let mut is_of_another = |diagnostic: &Diagnostic| {
        let address = diagnostic.address.as_deref().unwrap_or_default();
        let is_in = |path: &str| address.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let own = instances.iter().zip(&keyed).filter(|(_, path)| is_in(path)).max_by_key(|(_, path)| path.len());
        let Some((instance, path)) = own else { return false };
        let is_it = |(code, span, used, _): &&(Code, Option<Span>, ModulePath, &str)| {
            *code == diagnostic.code && *span == diagnostic.span && *used == instance.used()
        };
        match first.iter().find(is_it) {
            Some((_, _, _, known)) => *known != path.as_str(),
            None => {
                first.push((diagnostic.code, diagnostic.span.clone(), instance.used(), path.as_str()));
                false
            }
        }
    };
    let mut is_new = |diagnostic: &Diagnostic| {
        let message = keyed.iter().fold(diagnostic.message.clone(), |message, path| message.replace(path, MODULE));
        let one = (diagnostic.span.clone(), message);
        let is_new = !said.contains(&one) && !is_of_another(diagnostic);
        said.push(one);
        is_new
    };
    diagnostics.into_iter().filter(|diagnostic| is_new(diagnostic)).collect()
}

impl Config {
    /// What names the account of something in a module: what it says itself (`own`), or else the uses around it from the
    /// innermost on. Nothing for what is in the stack's account.
    pub fn account_of<'a>(&'a self, module: &ModulePath, own: Option<&'a Template>) -> Option<&'a Template> {
        let users = |path: &ModulePath| path.split().map(|(user, _)| user);
        let mut around = std::iter::successors(Some(module.clone()), users);
        own.or_else(|| around.find_map(|path| self.modules.instances.get(&path)?.account.as_ref()))
    }

    /// The variables that a module declares, or the stack itself.
    pub fn vars_of(&self, module: &ModulePath) -> Option<&IndexMap<String, Variable>> {
        self.of(module, &self.vars, |names| &names.vars)
    }

    /// The locals of a module, or of the stack itself.
    pub fn locals_of(&self, module: &ModulePath) -> Option<&IndexMap<String, Field>> {
        self.of(module, &self.locals, |names| &names.locals)
    }

    /// The outputs of a module, or of the stack itself.
    pub fn outputs_of(&self, module: &ModulePath) -> Option<&IndexMap<String, Output>> {
        self.of(module, &self.outputs, |names| &names.outputs)
    }

    /// What of a module's file could not be read, or of the stack's.
    pub fn unread_of(&self, module: &ModulePath) -> &Unread {
        self.of(module, &self.unread, |names| &names.unread).unwrap_or(&self.unread)
    }

    fn of<'a, T>(&'a self, module: &ModulePath, own: &'a T, names: fn(&Names) -> &T) -> Option<&'a T> {
        if module.is_root() { Some(own) } else { self.modules.instances.get(module).map(|module| names(&module.names)) }
    }

    /// Every condition, with the name it is spoken of by: the stack's own, and those in modules.
    pub fn all_checks(&self) -> impl Iterator<Item = (String, &Check)> {
        let own = self.checks.iter().map(|(name, check)| (name.clone(), check));
        own.chain(
            self.modules
                .instances
                .iter()
                .flat_map(|(path, module)| module.names.checks.iter().map(move |(name, check)| (format!("{path}.{name}"), check))),
        )
    }

    /// What a named value is made from; nothing for an input that is left to its default.
    pub fn template_of(&self, local: &Local) -> Option<&Template> {
        match local.kind {
            LocalKind::Local => self.locals_of(&local.module)?.get(&local.name).map(|field| &field.value),
            LocalKind::Output => self.outputs_of(&local.module)?.get(&local.name).map(|output| &output.value),
            LocalKind::Input => self.modules.instances.get(&local.module)?.inputs.get(&local.name).map(|field| &field.value),
            LocalKind::Each => self.modules.uses.get(&local.module.used())?.for_each.as_ref(),
        }
    }

    /// The local that `each.value` of a module's input is, where it was not known when the stack was read.
    pub fn each_value(&self, reference: &Reference) -> Option<Local> {
        let module = reference.home.each.as_ref().filter(|_| reference.root() == "each" && reference.key(1) == Some("value"))?;
        let each = self.modules.instances.get(module)?.each.as_ref()?;
        each.value.has_unknown().then(|| Local { module: module.clone(), kind: LocalKind::Each, name: "value".to_owned() })
    }
}
