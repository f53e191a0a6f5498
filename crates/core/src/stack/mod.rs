//! The stack language: text in, a checked [`Stack`] or every mistake out. Pure; files are read by the caller.
//!
//! Reading order: [`node`] (TOML with places), [`unread`] (what could not be read), [`template`], [`expr`], [`eval`] and
//! [`functions`] (CEL inside, and what it may cost: [`budget`]), [`config`] (the sections),
//! [`vars`], [`scope`] (what names mean), [`lookup`] (what was asked of it), [`expand`] (`for_each`, `when`), [`modules`],
//! [`deps`] (the order of evaluation), [`check`], [`types`] and [`kind`] (what can be told of what is not known); and by
//! itself [`format`] (the layout of files). For editors: [`outline`] and [`mention`] (what is where in a text), [`keys`]
//! (what may be written).

pub mod accounts;
#[cfg(test)]
mod accounts_tests;
mod addresses;
pub mod backend;
pub mod budget;
pub mod check;
pub mod code;
pub mod complaint;
pub mod config;
mod consequence;
pub mod contents;
#[cfg(test)]
mod contents_tests;
pub mod deps;
pub mod diagnostic;
pub mod encryption;
pub mod env_file;
pub mod eval;
pub mod expand;
pub mod expr;
pub mod files;
pub mod format;
pub mod functions;
pub mod habits;
pub mod handle;
mod ignored;
pub mod keys;
pub mod kind;
pub mod lookup;
mod meanings;
pub mod mention;
pub mod misfit;
mod mistake;
#[cfg(test)]
mod mistakes_tests;
pub mod modules;
pub mod node;
pub mod outline;
mod parts;
pub mod read;
pub mod reference;
#[cfg(test)]
mod refused_tests;
mod rewrite;
pub mod scope;
mod sensitive;
mod syntax;
pub mod template;
pub mod typed;
pub mod types;
#[cfg(test)]
mod types_tests;
mod unclosed;
pub mod unread;
pub mod usage;
pub mod vars;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::model::address::is_name;
use crate::model::place::is_region;
use crate::model::schema::Catalog;
use crate::model::value::Value;
use config::Config;
use contents::{Contents, Wanted};
use diagnostic::{Code, Diagnostic, Diagnostics, Source, Span};
pub use files::Files;
use files::{Role, StackFile, beside, normalize};
use node::{NodeKind, Table};
use vars::Given;

/// The version of the stack language. A stack file that one leoctl of this version reads, all newer ones of it read as well.
pub const LANGUAGE_VERSION: u32 = 1;
/// How often a stack is checked for files that files name.
const MOST_ROUNDS: usize = 64;
/// The largest stack file that is read, in bytes: a mistaken path to a dump or a video is said, not parsed.
pub const MAX_FILE_SIZE: usize = 64 << 20;

/// A stack: its file, its variables, and what they make of its name and region.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name, the ownership tag of its resources.
    pub name: String,
    /// Its region; the ordinary AWS configuration's when absent.
    pub region: Option<String>,
    /// The file, read.
    pub config: Config,
    /// The values of its variables.
    pub vars: BTreeMap<String, Value>,
    /// The variables without a value, which is not known to expressions. A plan refuses them; there are none
    /// unless [`vars::Given::may_lack`].
    pub lacking: vars::Lacking,
    /// The variables that were given, and not left to their defaults.
    pub given: BTreeSet<String>,
    /// The environment variables of its env files.
    pub env: BTreeMap<String, Value>,
    /// What its `.defaults` files say, also of names that another env file sets.
    pub defaults: BTreeMap<String, Value>,
    /// The texts it was read from, the stack file first.
    pub sources: Vec<Source>,
    /// What evaluating its expressions has cost so far.
    pub spent: budget::Spent,
    /// The files that its expressions name.
    pub contents: Contents,
}

impl Stack {
    /// What is to be said of the variables without a value that `lookups` came upon.
    pub fn lacks(&self, lookups: &lookup::Lookups) -> Diagnostics {
        let needed = |name: &&String| lookups.unknown.contains(&format!("vars.{name}"));
        let needed: Vec<Diagnostic> = self.lacking.iter().filter(|(name, _)| needed(name)).map(|(_, lacks)| lacks.clone()).collect();
        needed.into()
    }
}

/// A stack, or what is wrong with it; with the sources that diagnostics point into.
pub struct Loaded {
    /// The stack, unless something is wrong.
    pub stack: Option<Stack>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
    /// The texts read so far.
    pub sources: Vec<Source>,
    /// The files it is read from, as far as that is known of one that cannot be read; each once, the stack file first.
    pub files: Vec<StackFile>,
}

/// Reads and checks a stack.
pub fn load(path: &Path, files: &dyn Files, given: &Given, catalog: &Catalog) -> Loaded {
    survey(path, files, given, catalog).sound()
}

/// The same, with what could be read of a stack in which something is wrong: to be looked at, and not to be planned.
pub fn survey(path: &Path, files: &dyn Files, given: &Given, catalog: &Catalog) -> Loaded {
    let mut loader = Loader::new(path, files);
    let table = loader.merged(path);
    let stack = table.and_then(|table| loader.stack(path, &table, given, catalog));
    loader.loaded(stack)
}

/// The files of a stack and those that they extend, without a look at what they mean.
pub fn extended(path: &Path, files: &dyn Files) -> Vec<StackFile> {
    let mut loader = Loader::new(path, files);
    loader.merged(path);
    loader.read
}

impl Loaded {
    /// The same without a stack in which something is wrong.
    #[must_use]
    pub fn sound(self) -> Self {
        let is_sound = !self.diagnostics.has_errors();
        Self { stack: self.stack.filter(|_| is_sound), ..self }
    }
}

struct Loader<'a> {
    /// The stack file.
    path: PathBuf,
    files: &'a dyn Files,
    sources: Vec<Source>,
    read: Vec<StackFile>,
    diagnostics: Diagnostics,
    /// Whether every table of every file is there.
    whole: bool,
}

impl<'a> Loader<'a> {
    fn new(path: &Path, files: &'a dyn Files) -> Self {
        let (sources, read) = (Vec::new(), Vec::new());
        Self { path: normalize(path), files, sources, read, diagnostics: Diagnostics::default(), whole: true }
    }

    /// What has come of it.
    fn loaded(self, stack: Option<Stack>) -> Loaded {
        let Self { sources, read: files, mut diagnostics, .. } = self;
        if let Some(stack) = &stack {
            diagnostics.0 = modules::said_once(&stack.config.modules, diagnostics.0);
        }
        diagnostics.0 = consequence::left_out(&sources, diagnostics.0);
        let stack = stack.map(|stack| Stack { sources: sources.clone(), ..stack });
        diagnostics.0.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| (span.file, span.range.start)));
        Loaded { stack, diagnostics, sources, files }
    }

    fn merged(&mut self, path: &Path) -> Option<Table> {
        self.file(&normalize(path), &mut Vec::new(), None)
    }

    /// Notes that a file is one of the stack's.
    fn reads(&mut self, path: &Path, role: Role) {
        let file = StackFile { path: path.to_owned(), role };
        if !self.read.contains(&file) {
            self.read.push(file);
        }
    }

    /// A file with everything it extends underneath.
    fn file(&mut self, path: &Path, chain: &mut Vec<PathBuf>, from: Option<&Span>) -> Option<Table> {
        let complain = |message: String| Diagnostic::at(Code::UnreadableFile, from, message);
        if let Some(start) = chain.iter().position(|known| known == path) {
            let names = chain.iter().skip(start).map(PathBuf::as_path).chain([path]);
            let names: Vec<String> = names.map(|path| path.display().to_string()).collect();
            self.whole = false;
            self.diagnostics.push(complain(format!("`extends` is a cycle: {}", names.join(" → "))));
            return None;
        }
        self.reads(path, if chain.is_empty() { Role::Stack } else { Role::Base });
        let text = match self.files.read(path) {
            Ok(text) => text,
            Err(problem) => {
                self.whole = false;
                self.diagnostics.push(complain(format!("cannot read {}: {problem}", path.display())));
                return None;
            }
        };
        let index = self.sources.len();
        // What `extends` leads to outside of the project may be any file of the machine: nothing of it is shown.
        let outside = !chain.is_empty() && !self.files.is_inside(&self.path, path);
        self.sources.push(Source { path: path.to_owned(), text: text.clone(), private: outside });
        if text.trim().is_empty() {
            self.whole = false;
            let at = Span { file: index, range: 0..0 };
            self.diagnostics.push(
                Diagnostic::error(Code::EmptyFile, &at, "the file is empty").help("a stack starts with `[stack]` and `name = \"…\"`"),
            );
            return None;
        }
        let mut mistakes = Diagnostics::default();
        let (table, whole) = node::parse_partly(index, &text, &mut mistakes);
        self.whole &= whole;
        if outside && mistakes.has_errors() {
            self.diagnostics.push(complain(format!("{} is outside of the project and no TOML", path.display())));
            return None;
        }
        self.diagnostics.0.extend(mistakes.0);
        chain.push(path.to_owned());
        let merged = self.extended(path, table, chain);
        chain.pop();
        Some(merged)
    }

    fn extended(&mut self, path: &Path, table: Table, chain: &mut Vec<PathBuf>) -> Table {
        let extends = table.get("stack").and_then(|entry| entry.node.as_table()?.get("extends"));
        let Some(entry) = extends.cloned() else { return table };
        let bases: Vec<node::Node> = match &entry.node.kind {
            NodeKind::List(items) => items.clone(),
            _ => vec![entry.node.clone()],
        };
        let mut below = Table::default();
        for base in &bases {
            let Some(name) = base.as_str() else {
                self.whole = false;
                self.diagnostics.push(Diagnostic::error(Code::BadExtends, &base.span, "`extends` lists paths of other stack files"));
                continue;
            };
            let beside = beside(path, name);
            if let Some(table) = self.file(&beside, chain, Some(&base.span)) {
                below = node::merge(below, table);
            }
        }
        node::merge(below, table)
    }

    fn stack(&mut self, path: &Path, table: &Table, given: &Given, catalog: &Catalog) -> Option<Stack> {
        let (mut config, uses) = read::read(table, &self.sources, catalog, &mut self.diagnostics)?;
        config.unread.anything |= !self.whole;
        let (vars, lacking) = vars::resolve(&config.vars, given, &mut self.diagnostics);
        if !given.may_lack {
            lacking.values().for_each(|lacks| self.diagnostics.push(lacks.clone()));
        }
        let given = given.names(&config.vars);
        let EnvFiles { env, defaults, read } = self.env(path, &config);
        config.unread.env = !read;
        let mut contents = Contents::of(&self.sources);
        contents.env_files(config.env_files.iter().map(|(name, _)| beside(path, name)), self.files);
        let mut stack = Stack {
            name: String::new(),
            region: None,
            config,
            vars,
            lacking,
            given,
            env,
            defaults,
            sources: Vec::new(),
            spent: budget::Spent::default(),
            contents,
        };
        // What they tell is not known yet.
        let open = modules::opened(&mut stack, uses);
        stack.name = self.early(&stack, &stack.config.name, "name").unwrap_or_default();
        if !stack.name.is_empty() && !is_stack_name(&stack.name) {
            self.diagnostics.push(
                Diagnostic::error(Code::BadName, &stack.config.name.span, format!("`{}` cannot be a stack's name", stack.name))
                    .help("letters, digits, `-` and `_`, at most 64, starting with a letter: it names the state file and tags resources"),
            );
        }
        stack.region = stack.config.region.as_ref().and_then(|region| self.early(&stack, region, "region"));
        if let Some((template, region)) = stack.config.region.as_ref().zip(stack.region.as_deref()).filter(|(_, region)| !is_region(region))
        {
            let error = Diagnostic::error(Code::BadRegion, &template.span, format!("`{region}` cannot be a region"));
            self.diagnostics.push(error.help("regions are named such as us-east-1 or us-gov-west-1"));
        }
        self.write_out(&mut stack, open, modules::ModuleFiles::new(), catalog);
        stack.sources.clone_from(&self.sources);
        self.checked(&mut stack);
        Some(stack)
    }

    /// Checks a stack, again for as long as its expressions name files that have not been read.
    pub(crate) fn checked(&mut self, stack: &mut Stack) {
        stack.contents.locate(&self.sources);
        let said = self.diagnostics.0.len();
        for round in 1.. {
            check::check(stack, &mut self.diagnostics);
            if !stack.contents.read(self.files) {
                break;
            }
            self.diagnostics.0.truncate(said);
            if round == MOST_ROUNDS {
                stack.contents.close();
            }
        }
        stack.contents.close();
        for wanted in stack.contents.all() {
            let (path, role) = match wanted {
                Wanted::File(path) => (path, Role::Content),
                Wanted::Folder(path) => (path, Role::Folder),
            };
            self.reads(path, role);
        }
    }

    /// A text that has to be known before AWS is asked.
    fn early(&mut self, stack: &Stack, template: &template::Template, what: &str) -> Option<String> {
        let scope = scope::StackScope::offline(stack);
        let value = template.eval(&scope);
        let lacks = stack.lacks(&scope.take_lookups());
        let problem = match value {
            Ok(value) if value.has_unknown() && lacks.has_errors() => {
                lacks.0.into_iter().for_each(|lacks| self.diagnostics.push(lacks));
                return None;
            }
            Ok(Value::Secret(_)) => format!("the stack's {what} is sensitive, but it is shown and stored everywhere"),
            Ok(value) => match value.revealed() {
                Value::String(text) if !text.is_empty() => return Some(text.clone()),
                // It may be what could not be read.
                Value::Unknown if self.diagnostics.has_errors() => return None,
                Value::Unknown => format!("the stack's {what} can use variables, locals and env only"),
                Value::String(_) => format!("the stack's {what} is empty"),
                other => format!("the stack's {what} is a string, not {}", other.kind()),
            },
            Err(failure) => {
                self.diagnostics.push(check::failed(failure));
                return None;
            }
        };
        self.diagnostics.push(Diagnostic::error(Code::KnownTooLate, &template.span, problem).help(PUBLIC));
        None
    }

    fn env(&mut self, path: &Path, config: &Config) -> EnvFiles {
        let (mut env, mut defaults, mut read) = (BTreeMap::new(), BTreeMap::new(), true);
        for (name, span) in &config.env_files {
            let beside = beside(path, name);
            self.reads(&beside, Role::Env);
            match self.files.read_env(&beside) {
                Ok(pairs) => {
                    let public = self.files.is_public(&beside);
                    // Another name says which secret is meant, and is nothing that `env` has.
                    for (key, text) in pairs.into_iter().filter(|(key, _)| is_name(key)) {
                        let value = Value::String(text);
                        if public {
                            defaults.insert(key.clone(), value.clone());
                        }
                        env.insert(key, if public { value } else { value.into_secret() });
                    }
                }
                Err(problem) => {
                    read = false;
                    self.diagnostics.push(Diagnostic::error(
                        Code::UnreadableFile,
                        span,
                        format!("cannot read {}: {problem}", beside.display()),
                    ));
                }
            }
        }
        EnvFiles { env, defaults, read }
    }
}

/// What the env files of a stack say.
struct EnvFiles {
    env: BTreeMap<String, Value>,
    /// What those say that are public.
    defaults: BTreeMap<String, Value>,
    /// Whether all of them could be read.
    read: bool,
}

/// How something that has to be shown is given.
pub const PUBLIC: &str = "write it, or take it from a variable that is not `sensitive` or from an env file whose name ends in `.defaults`";

fn is_stack_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
