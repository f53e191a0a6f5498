//! Reading the uses of modules, and the files of modules.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{ACCOUNT, Reader, is_section};
use crate::model::address::{Address, Block, is_name};
use crate::model::module::{MODULE, ModulePath};
use crate::model::schema::Catalog;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::stack::expand::Instances;
use crate::stack::keys::{self, names};
use crate::stack::modules::{self, ModuleFile, Named, Names};
use crate::stack::node::{Entry, Table};
use crate::stack::unread::Unread;
use crate::stack::usage::{Usage, Use};

/// The sections of a module's file.
const OF_A_MODULE: [&str; keys::OF_A_MODULE.len()] = names(&keys::OF_A_MODULE);

/// Reads the file of a module.
pub fn module(table: &Table, file: usize, sources: &[Source], catalog: &Catalog, diagnostics: &mut Diagnostics) -> ModuleFile {
    let mut reader = Reader { sources, catalog, diagnostics, unread: Unread::default() };
    reader.sections_of_a_module(table, file);
    let (resources, data, uses) = (reader.resources(table), reader.data(table), reader.uses(table));
    let accounts = resources.values().map(|block| &block.account).chain(data.values().map(|block| &block.account));
    reader.of_no_stack(accounts.chain(uses.values().map(|used| &used.account)).flatten());
    ModuleFile {
        data,
        usage: reader.usage_of_a_module(table, &resources),
        resources,
        uses,
        names: Names {
            vars: reader.vars(table),
            locals: reader.fields(table, "locals"),
            outputs: reader.outputs(table),
            checks: reader.checks(table),
            unread: reader.unread,
        },
    }
}

impl Reader<'_> {
    fn sections_of_a_module(&mut self, table: &Table, file: usize) {
        if table.is_empty() {
            self.report(
                Diagnostic::error(Code::EmptyFile, &Span { file, range: 0..0 }, "the file is empty")
                    .help("a module declares resources and outputs"),
            );
        }
        let of_a_stack: Table =
            table.iter().filter(|(key, _)| !OF_A_MODULE.contains(&key.as_str())).map(|(key, entry)| (key.clone(), entry.clone())).collect();
        for (key, entry) in of_a_stack.iter().filter(|(key, _)| is_section(key)) {
            let error = Diagnostic::error(Code::UnknownSection, &entry.key, format!("a module has no section `{key}`"));
            self.report(error.help(match key.as_str() {
                "stack" => "a file with `[stack]` is a stack of its own: remove the section",
                "accounts" => "the stack names the accounts: it says `account` where it uses the module",
                "env" => "declare a variable, and let the stack give it `env.NAME` as an input",
                _ => "it stands in the stack file",
            }));
        }
        self.sections(&of_a_stack);
    }

    /// How much single resources of a module are used.
    fn usage_of_a_module(&mut self, table: &Table, resources: &IndexMap<Block, ResourceBlock>) -> BTreeMap<Block, BTreeMap<Use, f64>> {
        let Usage { all, blocks } = self.usage(table, resources);
        if let (false, Some(entry)) = (all.is_empty(), table.get("cost")) {
            let error = Diagnostic::error(Code::UnknownKey, &entry.key, "in a module, `[cost]` is about single resources only");
            self.report(error.help("write `[cost.TYPE.NAME]`; what is assumed of all stands in the stack file"));
        }
        blocks
    }

    /// The uses of modules, `[module.NAME]`.
    pub(super) fn uses(&mut self, table: &Table) -> IndexMap<String, modules::Use> {
        let mut uses = IndexMap::new();
        for (name, entry) in self.section(table, MODULE) {
            self.name(&name, &entry.key);
            match self.used(&name, &entry).filter(|_| is_name(&name)) {
                Some(used) => drop(uses.insert(name, used)),
                None => drop(self.unread.type_name(MODULE, &name)),
            }
        }
        uses
    }

    fn used(&mut self, name: &str, entry: &Entry) -> Option<modules::Use> {
        let body = self.expect_table(entry);
        for (key, entry) in body.iter().filter(|(key, _)| !names(&keys::A_USE).contains(&key.as_str())) {
            let error = Diagnostic::error(Code::UnknownKey, &entry.key, format!("unknown key of a module `{key}`"));
            let error = error.suggest(key, names(&keys::A_USE));
            self.report(error.help(format!("what the module declares under `[vars]` stands under `[module.{name}.inputs]`")));
        }
        let Some(source) = body.get("source") else {
            let error = Diagnostic::error(Code::MissingKey, &entry.key, format!("module.{name} has no `source`"));
            self.report(error.help("add `source = \"…\"` with the module's file, relative to this one"));
            return None;
        };
        let Some(text) = source.node.as_str().filter(|text| !text.contains("${")) else {
            self.report(Diagnostic::error(Code::NotConstant, &source.node.span, "`source` is the path of a file, as a constant text"));
            return None;
        };
        let depends_on = body.get("depends_on").map(|entry| self.strings(&entry.node)).unwrap_or_default();
        Some(modules::Use {
            span: entry.key.clone(),
            source: (text.to_owned(), source.node.span.clone()),
            inputs: self.fields(&body, "inputs"),
            for_each: body.get("for_each").map(|entry| self.template(&entry.node)),
            when: body.get("when").map(|entry| self.template(&entry.node)),
            account: body.get(ACCOUNT).map(|entry| self.template(&entry.node)),
            depends_on: depends_on.into_iter().filter_map(|(text, span)| self.named(&text, span)).collect(),
            instances: Instances::Unknown,
        })
    }

    /// What `depends_on` names: a resource, or a module.
    pub(super) fn named(&mut self, text: &str, span: Span) -> Option<(Named, Span)> {
        if let Some((path, "")) = ModulePath::parse(text).filter(|(path, _)| path.depth() == 1) {
            return Some((Named::Module(path), span));
        }
        match text.parse::<Address>() {
            Ok(Address { block, key: None }) if block.module.is_root() => Some((Named::Block(block), span)),
            Ok(address) if !address.block.module.is_root() => {
                let error = Diagnostic::error(Code::BadAddress, &span, format!("`{text}` is inside of a module"));
                self.report(error.help("name the module as a whole, such as \"module.web\""));
                None
            }
            _ => {
                self.report(Diagnostic::error(Code::BadAddress, &span, format!("`{text}` is not a resource: expected `type.name`")));
                None
            }
        }
    }
}
