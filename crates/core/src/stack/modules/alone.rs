//! Checking a module's file by itself: whatever it is to be given is not known, unless it has a default.

use std::path::Path;
use std::rc::Rc;

use super::Use;
use super::load::{ModuleFiles, add};
use crate::model::address::is_name;
use crate::model::module::ModulePath;
use crate::model::schema::Catalog;
use crate::model::value::Value;
use crate::stack::config::Config;
use crate::stack::contents::Contents;
use crate::stack::diagnostic::{Diagnostics, Span};
use crate::stack::expand::Instances;
use crate::stack::files::Files;
use crate::stack::template::Template;
use crate::stack::{Loaded, Loader, Stack, budget, node};

/// Whether a file is a module's, and no stack file: it says something, and nothing of a stack. In the folder of the stacks
/// everything is a stack file, and in that of the modules a file that says nothing yet is a module's.
pub fn is_module(path: &Path, files: &dyn Files) -> bool {
    let is_in = |folder: &str| path.parent().and_then(Path::file_name).is_some_and(|name| name == folder);
    let says = |text: String| {
        let (table, _) = node::parse_partly(0, &text, &mut Diagnostics::default());
        !table.contains_key("stack") && (!table.is_empty() || is_in("modules"))
    };
    !is_in("stacks") && files.read(path).is_ok_and(says)
}

/// Reads and checks the file of a module, and what it uses, as a stack of which it is all.
pub fn load_module(path: &Path, files: &dyn Files, catalog: &Catalog) -> Loaded {
    survey_module(path, files, catalog).sound()
}

/// The same, with what could be read of a module in which something is wrong: to be looked at.
pub fn survey_module(path: &Path, files: &dyn Files, catalog: &Catalog) -> Loaded {
    let mut loader = Loader::new(path, files);
    let mut stack = of_nothing();
    let place = loader.path.clone();
    if let Some(file) = loader.read_module(&place, None, catalog) {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace(['-', '.'], "_")).unwrap_or_default();
        let name = if is_name(&stem) { stem } else { "main".to_owned() };
        let instance = ModulePath::default().inside(name, None);
        stack.config.modules.uses.insert(instance.clone(), used());
        let open = add(&mut stack, &instance, None, &used(), &place, &file);
        let mut known = ModuleFiles::new();
        known.insert(place, Some(Rc::new(file)));
        loader.write_out(&mut stack, open, known, catalog);
        stack.sources.clone_from(&loader.sources);
        loader.checked(&mut stack);
    }
    loader.loaded(Some(stack))
}

fn used() -> Use {
    Use {
        span: Span::default(),
        source: (String::new(), Span::default()),
        inputs: Default::default(),
        for_each: None,
        when: None,
        account: None,
        depends_on: Vec::new(),
        instances: Instances::Single,
    }
}

/// A stack that has nothing.
fn of_nothing() -> Stack {
    Stack {
        name: "module".to_owned(),
        region: None,
        config: Config::named(Template::literal(Value::string("module"))),
        vars: Default::default(),
        lacking: Default::default(),
        given: Default::default(),
        env: Default::default(),
        defaults: Default::default(),
        sources: Vec::new(),
        spent: budget::Spent::default(),
        contents: Contents::default(),
    }
}
