//! Reading `[cost]`: numbers by name, and tables of them for one resource each.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::Reader;
use crate::model::address::Block;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, suggestion};
use crate::stack::node::{Entry, Node, NodeKind, Table};
use crate::stack::usage::{ASSUMPTIONS, Assumption, Usage, Use, assumption};

impl Reader<'_> {
    pub(super) fn usage(&mut self, table: &Table, resources: &IndexMap<Block, ResourceBlock>) -> Usage {
        let mut usage = Usage::default();
        for (name, entry) in self.section(table, "cost") {
            let Some(types) = entry.node.as_table().filter(|_| assumption(&name).is_none()) else {
                usage.all.extend(self.assumed(&name, &entry, None));
                continue;
            };
            if !self.catalog.resources.contains_key(&name) {
                let known = self.catalog.resources.like(&name);
                let known = known.iter().map(String::as_str);
                self.report(
                    Diagnostic::error(Code::UnknownType, &entry.key, format!("unknown resource type `{name}`")).suggest(&name, known),
                );
                continue;
            }
            for (block, of) in types {
                usage.blocks.extend(self.usage_of(&Block::new(name.as_str(), block.as_str()), of, resources));
            }
        }
        usage
    }

    fn usage_of(
        &mut self,
        block: &Block,
        entry: &Entry,
        resources: &IndexMap<Block, ResourceBlock>,
    ) -> Option<(Block, BTreeMap<Use, f64>)> {
        if !resources.contains_key(block) {
            let known = resources.keys().filter(|known| known.type_name == block.type_name).map(|known| known.name.as_str());
            let error = Diagnostic::error(Code::NotInStack, &entry.key, format!("the stack has no `{block}`"));
            self.report(error.suggest(&block.name, known));
            return None;
        }
        let said = self.expect_table(entry);
        let said = said.iter().filter_map(|(name, entry)| self.assumed(name, entry, Some(block)));
        Some((block.clone(), said.collect()))
    }

    /// One assumption, about a block or about all.
    fn assumed(&mut self, name: &str, entry: &Entry, block: Option<&Block>) -> Option<(Use, f64)> {
        let about = |known: &Assumption| block.is_none_or(|block| known.types.contains(&block.type_name.as_str()));
        let Some(known) = assumption(name) else {
            let names = ASSUMPTIONS.iter().filter(|known| about(known)).map(|known| known.use_of.name());
            let help = suggestion(name, names).unwrap_or_else(|| "`leoctl cost` shows those that matter to a stack".to_owned());
            self.report(Diagnostic::error(Code::UnknownKey, &entry.key, format!("unknown usage assumption `{name}`")).help(help));
            return None;
        };
        if let Some(block) = block.filter(|_| !about(known)) {
            let error = format!("`{name}` is not about a {}", block.type_name);
            self.report(Diagnostic::error(Code::UnknownKey, &entry.key, error).help(format!("it is about: {}", known.types.join(", "))));
            return None;
        }
        match number(&entry.node) {
            Some(value) if value >= 0.0 && value <= known.most => Some((known.use_of, value)),
            Some(_) => {
                let most = if known.most < f64::MAX { format!("between 0 and {}", known.most) } else { "at least 0".to_owned() };
                self.report(Diagnostic::error(Code::BadSetting, &entry.node.span, format!("`{name}` is {most}")).help(known.doc));
                None
            }
            None => {
                let error = format!("`{name}` is a constant number, not {}", entry.node.describe());
                self.report(Diagnostic::error(Code::BadSetting, &entry.node.span, error).help(known.doc));
                None
            }
        }
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.kind {
        NodeKind::Int(number) => Some(number as f64),
        NodeKind::Float(number) => Some(number),
        _ => None,
    }
}
