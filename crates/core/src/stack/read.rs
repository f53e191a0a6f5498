//! Reading a merged stack file: which tables it may have, and what may stand in them.

mod accounts;
mod blocks;
mod lifecycle;
mod modules;
mod usage;

pub use self::modules::module;

use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;

use super::config::{Check, Config, DataBlock, Import, Moved, Output, Removed, ResourceBlock, Validation, Variable};
use super::diagnostic::{Code, Diagnostic, Diagnostics, Source, Span, nearest};
use super::expr::can_be_said;
use super::habits;
use super::keys::{self, ACCOUNT, Key, names};
use super::modules::{Modules, Named, Use};
use super::node::{Entry, Node, NodeKind, Table};
use super::parts;
use super::template::{Field, Template};
use super::unread::Unread;
use crate::model::address::{Block, is_name};
use crate::model::schema::{Catalog, ResourceSchema};

/// Reads a merged stack file, and which modules it uses.
pub fn read(
    table: &Table,
    sources: &[Source],
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) -> Option<(Config, IndexMap<String, Use>)> {
    let mut reader = Reader { sources, catalog, diagnostics, unread: Unread::default() };
    let uses = reader.uses(table);
    Some((reader.config(table)?, uses))
}

/// The longest timeout, in seconds: a week. AWS takes less for everything, and a typing error could ask for ages.
pub const LONGEST_TIMEOUT: u64 = 7 * 24 * 60 * 60;

struct Reader<'a> {
    sources: &'a [Source],
    catalog: &'a Catalog,
    diagnostics: &'a mut Diagnostics,
    unread: Unread,
}

impl<'a> Reader<'a> {
    fn config(&mut self, table: &Table) -> Option<Config> {
        self.sections(table);
        let stack = self.section(table, "stack");
        self.only(&stack, &keys::STACK, "key of [stack]");
        let name = match stack.get("name") {
            Some(entry) => self.template(&entry.node),
            None => {
                let at = table.get("stack").map(|entry| entry.key.clone()).unwrap_or_default();
                self.report(
                    Diagnostic::error(Code::MissingKey, &at, "the stack has no name")
                        .help("add `[stack]` with `name = \"…\"` at the top of the file"),
                );
                return None;
            }
        };
        let resources = self.resources(table);
        Some(Config {
            name,
            region: stack.get("region").map(|entry| self.template(&entry.node)),
            tags: stack.get("tags").map(|entry| self.template(&entry.node)),
            backend_s3: self.backend(&stack),
            encryption: self.encryption(&stack),
            own: self.own_account(table, &stack),
            accounts: self.accounts(table),
            env_files: self.env_files(table),
            modules: Modules::default(),
            vars: self.vars(table),
            locals: self.fields(table, "locals"),
            data: self.data(table),
            usage: self.usage(table, &resources),
            resources,
            outputs: self.outputs(table),
            checks: self.checks(table),
            moved: self.entries(table, "moved", &keys::MOVED, "moved").iter().filter_map(|entry| self.moved(entry)).collect(),
            imports: self.entries(table, "import", &keys::IMPORT, "import").iter().filter_map(|entry| self.import(entry)).collect(),
            removed: self.entries(table, "removed", &keys::REMOVED, "removed").iter().filter_map(|entry| self.removed(entry)).collect(),
            unread: std::mem::take(&mut self.unread),
        })
    }

    /// Reports what is no section. A type where a section stands is a resource without `resource.` before it.
    fn sections(&mut self, table: &Table) {
        for (key, entry) in table.iter().filter(|(key, _)| !is_section(key)) {
            let error = Diagnostic::error(Code::UnknownSection, &entry.key, format!("unknown section `{key}`"));
            if self.catalog.resources.contains_key(key) {
                self.unread.type_name("resource", key);
                self.report(error.help(format!("a resource stands under `[resource.{key}.NAME]`")));
            } else {
                self.unread.anything = true;
                self.report(match habits::section(key) {
                    Some(here) => error.help(here),
                    None => error.suggest(key, names(&keys::SECTIONS)),
                });
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn template(&mut self, node: &Node) -> Template {
        Template::parse(node, self.sources, self.diagnostics)
    }

    /// Reports every key that is not one of `known`.
    fn only(&mut self, table: &Table, known: &[Key], what: &str) {
        for (key, entry) in table {
            if !known.iter().any(|known| known.name == key) {
                let names = known.iter().map(|known| known.name);
                self.report(Diagnostic::error(Code::UnknownKey, &entry.key, format!("unknown {what} `{key}`")).suggest(key, names));
            }
        }
    }

    /// A top-level table; empty when it is absent.
    fn section(&mut self, table: &Table, name: &str) -> Table {
        table.get(name).map(|entry| self.expect_table(entry)).unwrap_or_default()
    }

    fn expect_table(&mut self, entry: &Entry) -> Table {
        match entry.node.as_table() {
            Some(table) => table.clone(),
            None => {
                self.expected(&entry.node, "a table");
                Table::default()
            }
        }
    }

    /// Something else stands there, unless it could not be read.
    fn expected(&mut self, node: &Node, what: &str) {
        if !matches!(node.kind, NodeKind::Unreadable) {
            self.report(Diagnostic::error(Code::WrongShape, &node.span, format!("expected {what}, got {}", node.describe())));
        }
    }

    fn backend(&mut self, stack: &Table) -> Option<Template> {
        let backend = self.expect_table(stack.get("backend")?);
        self.only(&backend, &keys::BACKEND, "backend");
        let entry = backend.get("s3")?;
        let s3 = self.expect_table(entry);
        self.only(&s3, &keys::BACKEND_S3, "key of [stack.backend.s3]");
        Some(self.template(&entry.node))
    }

    fn encryption(&mut self, stack: &Table) -> Option<Template> {
        let entry = stack.get("encryption")?;
        let encryption = self.expect_table(entry);
        self.only(&encryption, &keys::ENCRYPTION, "key of [stack.encryption]");
        let previous = encryption.get("previous").map(|previous| self.expect_table(previous)).unwrap_or_default();
        self.only(&previous, &keys::PREVIOUS, "key of [stack.encryption.previous]");
        for ways in [&encryption, &previous] {
            let parts = [("age", &keys::ENCRYPTION_AGE[..]), ("kms", &keys::ENCRYPTION_KMS[..])];
            for (name, known) in parts {
                let table = ways.get(name).map(|way| self.expect_table(way)).unwrap_or_default();
                self.only(&table, known, &format!("key of `{name}` in [stack.encryption]"));
            }
        }
        Some(self.template(&entry.node))
    }

    fn env_files(&mut self, table: &Table) -> Vec<(String, Span)> {
        let env = self.section(table, "env");
        self.only(&env, &keys::ENV, "key of [env]");
        let Some(entry) = env.get("files") else { return Vec::new() };
        self.strings(&entry.node)
    }

    /// A list of constant strings.
    fn strings(&mut self, node: &Node) -> Vec<(String, Span)> {
        let NodeKind::List(items) = &node.kind else {
            match &node.kind {
                NodeKind::String(text) => {
                    let error = Diagnostic::error(Code::WrongShape, &node.span, "expected a list of strings, got a string");
                    self.report(error.help(format!("write `[\"{text}\"]`")));
                }
                _ => self.expected(node, "a list of strings"),
            }
            return Vec::new();
        };
        let mut strings = Vec::new();
        for item in items {
            match item.as_str() {
                Some(text) => strings.push((text.to_owned(), item.span.clone())),
                None => self.expected(item, "a string"),
            }
        }
        strings
    }

    fn vars(&mut self, table: &Table) -> IndexMap<String, Variable> {
        let mut vars = IndexMap::new();
        for (name, entry) in self.section(table, "vars") {
            self.name(&name, &entry.key);
            let body = match entry.node.as_table() {
                Some(body) => body.clone(),
                None => {
                    // Read on as what is meant: it is the default.
                    if !matches!(entry.node.kind, NodeKind::Unreadable) {
                        let error = Diagnostic::error(
                            Code::WrongShape,
                            &entry.node.span,
                            format!("a variable is a table, not {}", entry.node.describe()),
                        );
                        self.report(error.help(format!("write `[vars.{name}]`, and under it `default = …`")));
                    }
                    [("default".to_owned(), entry.clone())].into_iter().collect()
                }
            };
            self.only(&body, &keys::A_VARIABLE, "key of a variable");
            // A misspelled default is read on as what is meant.
            let known = names(&keys::A_VARIABLE);
            let misspelled = || body.iter().find(|(key, _)| nearest(key, known) == Some("default")).map(|(_, entry)| entry);
            let default = body.get("default").or_else(misspelled);
            let allowed = body.get("allowed").and_then(|allowed| match &allowed.node.kind {
                NodeKind::List(items) => Some(items.clone()),
                _ => {
                    self.expected(&allowed.node, "a list of the allowed values");
                    None
                }
            });
            if let Some(default) = default.filter(|default| has_expression(&default.node)) {
                self.report(
                    Diagnostic::error(Code::NotConstant, &default.node.span, "a variable's default is a constant")
                        .help("compute with it in [locals] instead"),
                );
            }
            let description = body.get("description").and_then(|entry| entry.node.as_str()).unwrap_or_default();
            let validate = self.validations(&name, &body);
            vars.insert(
                name,
                Variable {
                    span: entry.key.clone(),
                    default: default.map(|entry| entry.node.clone()),
                    allowed,
                    description: description.to_owned(),
                    sensitive: self.flag(&body, "sensitive"),
                    validate,
                },
            );
        }
        vars
    }

    /// The conditions of a variable, `[[vars.NAME.validate]]`.
    fn validations(&mut self, name: &str, body: &Table) -> Vec<Validation> {
        let entries = self.entries(body, "validate", &keys::A_CONDITION, &format!("vars.{name}.validate"));
        let both = |this: &mut Self, entry: &Entry| {
            Some(Validation { condition: this.required(entry, "condition")?, message: this.required(entry, "message")? })
        };
        entries.iter().filter_map(|entry| both(self, entry)).collect()
    }

    fn name(&mut self, name: &str, span: &Span) {
        if !is_name(name) {
            self.report(
                Diagnostic::error(Code::BadName, span, format!("`{name}` cannot be used as a name"))
                    .help("a name starts with a letter and has letters, digits and `_` only"),
            );
        } else if !can_be_said(name) {
            let error = format!("`{name}` cannot be used as a name: it is a word of expressions, which could not name it");
            self.report(
                Diagnostic::error(Code::BadName, span, error)
                    .help("use another name; where something was made with this one, a [[moved]] says what has become of it"),
            );
        }
    }

    fn flag(&mut self, table: &Table, key: &str) -> bool {
        match table.get(key).map(|entry| &entry.node) {
            None => false,
            Some(Node { kind: NodeKind::Bool(flag), .. }) => *flag,
            Some(Node { kind: NodeKind::Unreadable, .. }) => false,
            Some(other) => {
                self.report(Diagnostic::error(
                    Code::WrongShape,
                    &other.span,
                    format!("`{key}` is true or false, not {}", other.describe()),
                ));
                false
            }
        }
    }

    fn fields(&mut self, table: &Table, section: &str) -> IndexMap<String, Field> {
        let mut fields = IndexMap::new();
        for (name, entry) in self.section(table, section) {
            self.name(&name, &entry.key);
            let value = self.template(&entry.node);
            fields.insert(name, Field { key: entry.key, value });
        }
        fields
    }

    fn data(&mut self, table: &Table) -> IndexMap<Block, DataBlock> {
        let mut data = IndexMap::new();
        let written = table.get("data").and_then(|entry| entry.node.as_table());
        let known = self.catalog.data_names(written.into_iter().flat_map(|types| types.keys()).map(String::as_str));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.blocks(table, "data", &known, |this, block, entry| {
            let Some(schema) = this.catalog.data_source(&block.type_name) else { return };
            let body = this.expect_table(entry);
            // A type may have an argument of the same name: then it is the argument.
            let is_meta = |key: &str| key == ACCOUNT && schema.attribute(key).is_none();
            let account = body.get(ACCOUNT).filter(|_| is_meta(ACCOUNT)).map(|entry| this.template(&entry.node));
            let body: Table = body.into_iter().filter(|(key, _)| !is_meta(key)).collect();
            let attributes = this.template(&Node { kind: NodeKind::Table(body), span: entry.node.span.clone() });
            data.insert(block, DataBlock { span: entry.key.clone(), schema, attributes, account });
        });
        data
    }

    fn resources(&mut self, table: &Table) -> IndexMap<Block, ResourceBlock> {
        let mut resources = IndexMap::new();
        let written = table.get("resource").and_then(|entry| entry.node.as_table());
        let known = self.catalog.resources.names(written.into_iter().flat_map(|types| types.keys()).map(String::as_str));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.blocks(table, "resource", &known, |this, block, entry| {
            let Some(schema) = this.catalog.resources.get(&block.type_name) else { return };
            if let Some(own) = schema.instead {
                let warning =
                    Diagnostic::warning(Code::OwnType, &entry.key, format!("{block} is what leoctl has a type of its own for: `{own}`"));
                this.report(warning.help("of its own types leoctl knows more: defaults, what a change interrupts, prices"));
            }
            let resource = this.resource(Arc::clone(schema), entry);
            resources.insert(block, resource);
        });
        parts::warnings(&resources).into_iter().for_each(|warning| self.report(warning));
        resources
    }

    fn resource(&mut self, schema: Arc<ResourceSchema>, entry: &Entry) -> ResourceBlock {
        let table = self.expect_table(entry);
        let table = self.as_meant(&schema, table);
        let meta = |key: &str| {
            // A type may have an attribute of the same name: then it is the attribute.
            table.get(key).filter(|_| schema.schema.attribute(key).is_none())
        };
        let body: Table = table
            .iter()
            .filter(|(key, _)| !is_meta(key) || schema.schema.attribute(key).is_some())
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        let depends_on = meta("depends_on").map(|entry| self.strings(&entry.node)).unwrap_or_default();
        let named: Vec<(Named, Span)> = depends_on.into_iter().filter_map(|(text, span)| self.named(&text, span)).collect();
        let block = |(named, span): &(Named, Span)| match named {
            Named::Block(block) => Some((block.clone(), span.clone())),
            Named::Module(_) => None,
        };
        ResourceBlock {
            span: entry.key.clone(),
            attributes: self.template(&Node { kind: NodeKind::Table(body), span: entry.node.span.clone() }),
            for_each: meta("for_each").map(|entry| self.template(&entry.node)),
            when: meta("when").map(|entry| self.template(&entry.node)),
            depends_on: named.iter().filter_map(block).collect(),
            after: named.into_iter().filter(|(named, _)| matches!(named, Named::Module(_))).collect(),
            region: meta("region").map(|entry| self.template(&entry.node)),
            account: meta(ACCOUNT).map(|entry| self.template(&entry.node)),
            timeouts: meta("timeouts").map(|entry| self.timeouts(entry)).unwrap_or_default(),
            lifecycle: meta("lifecycle").map(|entry| self.lifecycle(entry)).unwrap_or_default(),
            schema,
        }
    }

    fn outputs(&mut self, table: &Table) -> IndexMap<String, Output> {
        let mut outputs = IndexMap::new();
        for (name, entry) in self.section(table, "outputs") {
            self.name(&name, &entry.key);
            // `{ value = …, sensitive = true }` says more than a value alone.
            // A misspelled key is no part of a value: what is meant to be hidden would be shown.
            let near = |key: &String, names: &[&'static str]| nearest(key, names.iter().copied()).is_some();
            let described = entry.node.as_table().filter(|table| {
                let says_more = table.keys().any(|key| near(key, &["sensitive", "description"]));
                table.contains_key("value") && (says_more || table.len() == 1)
            });
            if let Some(table) = described {
                self.only(table, &keys::AN_OUTPUT, "key of an output");
            }
            let (node, sensitive) = match described.and_then(|table| Some((table, table.get("value")?))) {
                Some((table, value)) => (&value.node, self.flag(table, "sensitive")),
                None => (&entry.node, false),
            };
            let value = self.template(node);
            outputs.insert(name, Output { value, sensitive });
        }
        outputs
    }

    fn checks(&mut self, table: &Table) -> IndexMap<String, Check> {
        let mut checks = IndexMap::new();
        for (name, entry) in self.section(table, "checks") {
            let body = self.expect_table(&entry);
            self.only(&body, &keys::A_CHECK, "key of a check");
            let (Some(assert), Some(message)) = (body.get("assert"), body.get("message")) else {
                self.report(Diagnostic::error(Code::MissingKey, &entry.key, format!("check `{name}` needs both `assert` and `message`")));
                continue;
            };
            let check = Check { assert: self.template(&assert.node), message: self.template(&message.node) };
            checks.insert(name, check);
        }
        checks
    }

    /// The tables of a section, each under `[[header]]`.
    fn entries(&mut self, table: &Table, section: &str, keys: &[Key], header: &str) -> Vec<Entry> {
        let Some(entry) = table.get(section) else { return Vec::new() };
        let NodeKind::List(items) = &entry.node.kind else {
            self.report(Diagnostic::error(Code::WrongShape, &entry.key, format!("write this as `[[{header}]]`, with two brackets")));
            return Vec::new();
        };
        items
            .iter()
            .map(|item| {
                let entry = Entry { key: item.span.clone(), node: item.clone() };
                let body = self.expect_table(&entry);
                self.only(&body, keys, &format!("key of [[{header}]]"));
                entry
            })
            .collect()
    }

    fn required(&mut self, entry: &Entry, key: &str) -> Option<Template> {
        let value = entry.node.as_table().and_then(|table| table.get(key));
        match value {
            Some(value) => Some(self.template(&value.node)),
            None => {
                self.report(Diagnostic::error(Code::MissingKey, &entry.key, format!("`{key}` is missing here")));
                None
            }
        }
    }

    fn moved(&mut self, entry: &Entry) -> Option<Moved> {
        let (from, from_span) = self.address(entry, "from")?;
        let (to, to_span) = self.address(entry, "to")?;
        Some(Moved { from, from_span, to, to_span })
    }

    fn import(&mut self, entry: &Entry) -> Option<Import> {
        let (to, to_span) = self.address(entry, "to")?;
        Some(Import { to, to_span, id: self.required(entry, "id")? })
    }

    fn removed(&mut self, entry: &Entry) -> Option<Removed> {
        let (from, span) = self.address(entry, "from")?;
        Some(Removed { from, span })
    }

    fn address<A: FromStr>(&mut self, entry: &Entry, key: &str) -> Option<(A, Span)> {
        let template = self.required(entry, key)?;
        match template.as_str().map(str::parse::<A>) {
            Some(Ok(address)) => Some((address, template.span)),
            _ => {
                self.report(
                    Diagnostic::error(Code::BadAddress, &template.span, "expected an address")
                        .help("like \"vpc.main\" or 'subnet.public[\"a\"]'"),
                );
                None
            }
        }
    }
}

fn is_section(name: &str) -> bool {
    keys::SECTIONS.iter().any(|key| key.name == name)
}

/// Whether it is a key that every resource may have beside its attributes.
fn is_meta(name: &str) -> bool {
    keys::META.iter().any(|key| key.name == name)
}

fn has_expression(node: &Node) -> bool {
    match &node.kind {
        NodeKind::String(text) => text.contains("${"),
        NodeKind::List(items) => items.iter().any(has_expression),
        NodeKind::Table(table) => table.values().any(|entry| has_expression(&entry.node)),
        _ => false,
    }
}
