//! Finding the blocks of resources and data sources, also where something is wrong with their headers.

use super::{Reader, is_meta};
use crate::model::address::Block;
use crate::model::schema::ResourceSchema;
use crate::stack::diagnostic::{Code, Diagnostic, Meant, nearest};
use crate::stack::habits;
use crate::stack::keys::{self, names};
use crate::stack::node::{Entry, NodeKind, Table};

impl Reader<'_> {
    /// Calls `read` for every `[section.TYPE.NAME]`.
    pub(super) fn blocks(&mut self, table: &Table, section: &'static str, known: &[&str], mut read: impl FnMut(&mut Self, Block, &Entry)) {
        for (type_name, types) in self.section(table, section) {
            let Some(blocks) = types.node.as_table() else {
                self.expected(&types.node, "a table");
                self.unread.type_name(section, &type_name);
                continue;
            };
            if blocks.values().any(|entry| !matches!(entry.node.kind, NodeKind::Table(_) | NodeKind::List(_))) {
                self.without_a_part(section, &type_name, &types, known);
                continue;
            }
            let is_known = known.contains(&type_name.as_str());
            if !is_known {
                let what = if section == "data" { "data source" } else { "resource type" };
                let error = Diagnostic::error(Code::UnknownType, &types.key, format!("unknown {what} `{type_name}`"));
                let without = habits::without_prefix(&type_name, known);
                let here = if without == type_name { habits::in_other_words(&type_name, known).unwrap_or(without) } else { without };
                let habit = if section == "data" { habits::data_source(&type_name) } else { habits::type_name(&type_name) };
                let elsewhere = habit
                    .map(str::to_owned)
                    .or_else(|| if section == "resource" && here == type_name { self.generic(&type_name) } else { None });
                self.report(match elsewhere {
                    Some(advice) => error.help(advice),
                    None if here != type_name => error
                        .help(format!("did you mean `{here}`?"))
                        .meaning(Some(Meant { given: type_name.clone(), name: here.to_owned() })),
                    None => error.suggest(&type_name, known.iter().copied()),
                });
            }
            for (name, entry) in blocks {
                self.name(name, &entry.key);
                if !is_known {
                    self.unread.block(section, &Block::new(habits::without_prefix(&type_name, known), name.as_str()), []);
                }
                let block = Block::new(type_name.as_str(), name.as_str());
                let is_list = matches!(entry.node.kind, NodeKind::List(_));
                if is_list {
                    let error = Diagnostic::error(Code::WrongShape, &entry.key, format!("{block} is a table, not a list"));
                    self.report(error.help(format!("write `[{section}.{block}]`, with one bracket")));
                }
                match is_known && !is_list {
                    true => read(self, block, entry),
                    false => self.unread.block(section, &block, known.iter().copied()),
                }
            }
        }
    }

    /// The type of AWS's registry that another tool's name most likely means, where leoctl has none of its own.
    fn generic(&self, type_name: &str) -> Option<String> {
        let word = type_name.strip_prefix("aws_").unwrap_or(type_name);
        if self.catalog.resources.contains_key(word) {
            return None;
        }
        let mut named: Vec<String> = self.catalog.resources.ending_with(word);
        named.sort_by_key(String::len);
        let first = named.first()?;
        Some(format!("write `{first}`: it is managed through AWS's Cloud Control API; `leoctl explain {first}` has its attributes"))
    }

    /// Attributes stand where blocks do: the type or the name is left out.
    fn without_a_part(&mut self, section: &'static str, part: &str, types: &Entry, known: &[&str]) {
        self.unread.type_name(section, part);
        let (error, help) = match known.contains(&part) {
            true => (format!("this {part} has no name"), format!("write `[{section}.{part}.NAME]`")),
            false => (format!("`{part}` has no type, or no name"), format!("write `[{section}.TYPE.NAME]`")),
        };
        let error = Diagnostic::error(Code::BadAddress, &types.key, error).help(help);
        self.report(if known.contains(&part) { error } else { error.suggest(part, known.iter().copied()) });
    }

    /// The table with misspelled keys as the meta keys that they probably are: `each` and references to instances are
    /// then judged as they would be without the mistake.
    pub(super) fn as_meant(&mut self, schema: &ResourceSchema, table: Table) -> Table {
        let attributes: Vec<&str> = schema.schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        let meant = |key: &str| {
            // What is right is not compared with everything else that might stand there.
            if is_meta(key) || attributes.contains(&key) || habits::is_of_others(key) {
                return None;
            }
            let meant = nearest(key, names(&keys::META).into_iter().chain(attributes.iter().copied())).filter(|meant| is_meta(meant))?;
            let meant = names(&keys::META).into_iter().find(|name| *name == meant)?;
            (!table.contains_key(meant)).then_some(meant)
        };
        let wrong: Vec<(String, &str)> = table.keys().filter_map(|key| Some((key.clone(), meant(key)?))).collect();
        let mut corrected = table.clone();
        for (key, meant) in wrong {
            let Some(entry) = corrected.shift_remove(&key) else { continue };
            let error =
                Diagnostic::error(Code::UnknownKey, &entry.key, format!("unknown key `{key}`")).help(format!("did you mean `{meant}`?"));
            self.report(error.meaning(Some(Meant { given: key, name: meant.to_owned() })));
            // What it is to come after is written otherwise elsewhere, and nothing else follows from it.
            if meant != "depends_on" {
                corrected.insert(meant.to_owned(), entry);
            }
        }
        corrected
    }
}
