//! Writing out every instance of every module that a stack uses.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indexmap::IndexMap;

use super::{Module, ModuleFile, Named, Use, inputs};
use crate::model::address::Block;
use crate::model::module::ModulePath;
use crate::model::schema::Catalog;
use crate::stack::check::failed;
use crate::stack::diagnostic::{Code, Diagnostic, Source, Span};
use crate::stack::expand::{self, Instances};
use crate::stack::files::{Role, beside};
use crate::stack::reference::Home;
use crate::stack::scope::{Each, StackScope};
use crate::stack::{Loader, Stack, node, read};

/// No module is used deeper than this inside of others.
const DEEPEST: usize = 16;
/// A stack has no more instances of modules than this.
const MOST: usize = 10_000;

/// The files of modules that have been read; nothing where one cannot be.
pub(in crate::stack) type ModuleFiles = BTreeMap<PathBuf, Option<Rc<ModuleFile>>>;

impl Loader<'_> {
    /// Adds every instance of some uses to a stack, and of the uses in them.
    pub(in crate::stack) fn write_out(&mut self, stack: &mut Stack, mut open: Vec<ModulePath>, mut files: ModuleFiles, catalog: &Catalog) {
        loop {
            let (mut later, mut more) = (Vec::new(), Vec::new());
            stack.contents.locate(&self.sources);
            let count = open.len();
            for path in open {
                let Some(used) = stack.config.modules.uses.get(&path).cloned() else { continue };
                match self.counted(stack, &path, &used) {
                    // What it is repeated over may be said by a module that comes after it.
                    Some(Instances::Unknown) => later.push(path),
                    Some(instances) => more.extend(self.written_out(stack, &path, Use { instances, ..used }, &mut files, catalog)),
                    None => self.read_all_the_same(stack, &path, &used, &mut files, catalog),
                }
            }
            if later.is_empty() && more.is_empty() {
                break;
            }
            // What it is repeated over may be said by files.
            if stack.contents.read(self.files) {
                open = more.into_iter().chain(later).collect();
                continue;
            }
            if more.is_empty() && later.len() == count {
                self.uncountable(stack, &later, &mut files, catalog);
                break;
            }
            open = more.into_iter().chain(later).collect();
        }
        come_after(stack);
    }

    /// Which instances a use has; nothing when that is wrong, which has been said.
    fn counted(&mut self, stack: &Stack, path: &ModulePath, used: &Use) -> Option<Instances> {
        let scope = StackScope::offline(stack);
        match expand::instances(&path.to_string(), used.when.as_ref(), used.for_each.as_ref(), &scope) {
            Ok(instances) => Some(instances),
            Err(failure) => {
                self.diagnostics.push(failed(failure));
                None
            }
        }
    }

    /// Says of uses that how often they are there is not known without AWS. Their files are checked all the same.
    fn uncountable(&mut self, stack: &Stack, open: &[ModulePath], files: &mut ModuleFiles, catalog: &Catalog) {
        for path in open {
            let Some(used) = stack.config.modules.uses.get(path) else { continue };
            self.read_all_the_same(stack, path, used, files, catalog);
            let templates = [("when", &used.when), ("for_each", &used.for_each)];
            for (key, template) in templates.into_iter().filter_map(|(key, template)| Some((key, template.as_ref()?))) {
                let scope = StackScope::offline(stack);
                let known = template.eval(&scope).is_ok_and(|value| !value.has_unknown());
                let lookups = scope.take_lookups();
                let is_lacking = stack.lacks(&lookups).has_errors();
                let needs: Vec<String> = lookups.unknown.into_iter().collect();
                if known || is_lacking || needs.is_empty() && self.diagnostics.has_errors() {
                    continue;
                }
                let problem = match needs.is_empty() {
                    true => format!("`{key}` of {path} is not known before AWS is asked"),
                    false => format!("`{key}` of {path} depends on {}, which is not known before AWS is asked", needs.join(", ")),
                };
                let error = Diagnostic::error(Code::BadModule, &template.span, problem);
                self.diagnostics.push(error.help("which modules there are is said by variables, locals and env; inside of a module, `for_each` of a resource may use data sources"));
            }
        }
    }

    /// Adds the instances of one use; the uses of modules in it.
    fn written_out(
        &mut self,
        stack: &mut Stack,
        path: &ModulePath,
        used: Use,
        files: &mut ModuleFiles,
        catalog: &Catalog,
    ) -> Vec<ModulePath> {
        let file = self.module_file(stack, path, &used, files, catalog);
        let mut more = Vec::new();
        if let Some((place, file)) = file {
            inputs::check(path, &used, &file.names, &self.sources, &mut self.diagnostics);
            let instances = of_use(path, &used.instances);
            if instances.is_empty() {
                self.read_inside(&mut vec![place.clone()], &file, files, catalog);
            }
            for (instance, each) in instances {
                if stack.config.modules.instances.len() >= MOST {
                    let error =
                        Diagnostic::error(Code::BadModule, &used.span, format!("the stack has more than {MOST} instances of modules"));
                    self.diagnostics.push(error);
                    break;
                }
                more.extend(add(stack, &instance, each, &used, &place, &file));
            }
        }
        stack.config.modules.uses.insert(path.clone(), used);
        more
    }

    /// The file of a module in use, and where it is.
    fn module_file(
        &mut self,
        stack: &Stack,
        path: &ModulePath,
        used: &Use,
        files: &mut ModuleFiles,
        catalog: &Catalog,
    ) -> Option<(PathBuf, Rc<ModuleFile>)> {
        let (name, span) = &used.source;
        let user = self.sources.get(span.file).map(|source| source.path.clone()).unwrap_or_default();
        let place = beside(&user, name);
        let chain = chain(stack, path);
        if chain.contains(&place) || path.depth() > DEEPEST {
            let names: Vec<String> = chain.iter().rev().chain([&place]).map(|path| path.display().to_string()).collect();
            self.diagnostics.push(Diagnostic::error(Code::BadModule, span, format!("a module uses itself: {}", names.join(" → "))));
            return None;
        }
        let file = self.read_once(&place, span, files, catalog)?;
        Some((place, file))
    }

    /// The file of a module, which is read where it is named first.
    fn read_once(&mut self, place: &Path, span: &Span, files: &mut ModuleFiles, catalog: &Catalog) -> Option<Rc<ModuleFile>> {
        if !self.files.is_inside(&self.path, place) {
            let error = Diagnostic::error(Code::BadModule, span, format!("the module {} is outside of the project", place.display()));
            self.diagnostics.push(error.help("a module is a file of the project: put it there, beside the folder of the stacks"));
            return None;
        }
        if !files.contains_key(place) {
            let file = self.read_module(place, Some(span), catalog).map(Rc::new);
            files.insert(place.to_owned(), file);
        }
        files.get(place)?.clone()
    }

    /// Reads the files of a module that has no instances now, or none that are known: other variables may give it some, and
    /// what is written there names things all the same.
    fn read_all_the_same(&mut self, stack: &Stack, path: &ModulePath, used: &Use, files: &mut ModuleFiles, catalog: &Catalog) {
        if let Some((place, file)) = self.module_file(stack, path, used, files, catalog) {
            self.read_inside(&mut vec![place], &file, files, catalog);
        }
    }

    /// Reads the files of the modules in a module of which there is no instance; `around` are the files on the way to it.
    fn read_inside(&mut self, around: &mut Vec<PathBuf>, file: &ModuleFile, files: &mut ModuleFiles, catalog: &Catalog) {
        for Use { source: (name, span), .. } in file.uses.values() {
            let user = self.sources.get(span.file).map(|source| source.path.clone()).unwrap_or_default();
            let place = beside(&user, name);
            // One that uses itself is refused once it has an instance.
            if around.contains(&place) || around.len() > DEEPEST || files.contains_key(&place) {
                continue;
            }
            if let Some(file) = self.read_once(&place, span, files, catalog) {
                around.push(place);
                self.read_inside(around, &file, files, catalog);
                around.pop();
            }
        }
    }

    /// Reads the file of a module.
    pub(super) fn read_module(&mut self, path: &Path, from: Option<&Span>, catalog: &Catalog) -> Option<ModuleFile> {
        self.reads(path, Role::Module);
        let text = match self.files.read(path) {
            Ok(text) => text,
            Err(problem) => {
                self.diagnostics.push(Diagnostic::at(Code::UnreadableFile, from, format!("cannot read {}: {problem}", path.display())));
                return None;
            }
        };
        let index = self.sources.len();
        self.sources.push(Source { path: path.to_owned(), text: text.clone(), private: false });
        let (table, whole) = node::parse_partly(index, &text, &mut self.diagnostics);
        let mut file = read::module(&table, index, &self.sources, catalog, &mut self.diagnostics);
        file.names.unread.anything |= !whole;
        Some(file)
    }
}

/// Adds the uses of modules that a stack file has; where they are.
pub(in crate::stack) fn opened(stack: &mut Stack, uses: IndexMap<String, Use>) -> Vec<ModulePath> {
    opened_in(stack, &ModulePath::default(), uses)
}

/// Adds the uses of modules that a module has, or the stack itself; where they are.
fn opened_in(stack: &mut Stack, user: &ModulePath, uses: IndexMap<String, Use>) -> Vec<ModulePath> {
    let uses: Vec<(ModulePath, Use)> = uses.into_iter().map(|(name, used)| (user.inside(name, None), used)).collect();
    stack.config.modules.uses.extend(uses.iter().cloned());
    uses.into_iter().map(|(path, _)| path).collect()
}

/// The files that a use is in, from the innermost module on.
fn chain(stack: &Stack, path: &ModulePath) -> Vec<PathBuf> {
    let users = std::iter::successors(path.split().map(|(user, _)| user), |user| user.split().map(|(user, _)| user));
    users.filter_map(|user| stack.config.modules.instances.get(&user).map(|module| module.file.clone())).collect()
}

/// The instances of a use, with their paths and `each`.
fn of_use(path: &ModulePath, instances: &Instances) -> Vec<(ModulePath, Option<Each>)> {
    let keyed = |each: &Each| {
        let (user, used) = path.split()?;
        Some((user.inside(used.name.as_str(), each.key.as_str().map(str::to_owned)), Some(each.clone())))
    };
    match instances {
        Instances::Single => vec![(path.clone(), None)],
        Instances::Each(all) => all.iter().filter_map(keyed).collect(),
        Instances::Absent | Instances::Unknown => Vec::new(),
    }
}

/// Adds one instance to the stack; the uses of modules in it.
pub(super) fn add(
    stack: &mut Stack,
    path: &ModulePath,
    each: Option<Each>,
    used: &Use,
    place: &Path,
    file: &ModuleFile,
) -> Vec<ModulePath> {
    let user = path.split().map(|(user, _)| user).unwrap_or_default();
    let home = Home { module: user, each: Some(path.clone()) };
    let inputs = used.inputs.iter().map(|(name, field)| (name.clone(), field.at(&home))).collect();
    let account = used.account.as_ref().map(|account| account.at(&home));
    let ModuleFile { names, data, resources, usage, uses } = file.at(path);
    stack.config.usage.blocks.extend(usage);
    stack.config.data.extend(data);
    stack.config.resources.extend(resources);
    stack.config.modules.instances.insert(path.clone(), Module { file: place.to_owned(), names, inputs, account, each });
    opened_in(stack, path, uses)
}

/// Lets resources come after what they and their modules name in `depends_on`.
fn come_after(stack: &mut Stack) {
    let blocks: Vec<Block> = stack.config.resources.keys().cloned().collect();
    let named = |(named, span): &(Named, Span)| -> Vec<(Block, Span)> {
        let found = blocks.iter().filter(|block| match named {
            Named::Block(named) => *block == named,
            Named::Module(path) => path.covers(&block.module),
        });
        found.map(|block| (block.clone(), span.clone())).collect()
    };
    for (block, resource) in &mut stack.config.resources {
        let uses = stack.config.modules.uses.iter().filter(|(path, _)| path.covers(&block.module));
        let wanted = resource.after.iter().chain(uses.flat_map(|(_, used)| &used.depends_on));
        let found: Vec<(Block, Span)> = wanted.flat_map(named).filter(|(on, _)| on != block).collect();
        for one in found {
            if !resource.depends_on.iter().any(|(on, _)| *on == one.0) {
                resource.depends_on.push(one);
            }
        }
    }
}
