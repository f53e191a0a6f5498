//! The references that may be all of a value: what the name of an attribute asks for, variables and locals.

use leoctl_core::model::address::Block;
use leoctl_core::model::schema::Catalog;
use leoctl_core::stack::config::ResourceBlock;

use super::analysis::InFile;
use super::complete::{Item, Sort};

/// What the name of an attribute says of its value: `vpc_id` is an id, `subnet_ids` several.
struct Asked<'a> {
    /// What the resource is, as the attribute says it.
    of: &'a str,
    /// Which of its attributes.
    field: &'static str,
    is_list: bool,
}

impl<'a> Asked<'a> {
    fn of_name(name: &'a str) -> Option<Self> {
        const ENDINGS: [(&str, &str, bool); 4] =
            [("_id", "id", false), ("_arn", "arn", false), ("_ids", "id", true), ("_arns", "arn", true)];
        ENDINGS.iter().find_map(|&(ending, field, is_list)| Some(Self { of: name.strip_suffix(ending)?, field, is_list }))
    }

    /// The expression of what is asked for of a block; nothing where that is no single value.
    fn of_block(&self, block: &Block, resource: &ResourceBlock, is_element: bool) -> Option<String> {
        let Block { type_name, name, .. } = block;
        let wants_list = self.is_list && !is_element;
        match (resource.for_each.is_some(), wants_list) {
            (false, false) => Some(format!("{type_name}.{name}.{}", self.field)),
            (false, true) => Some(format!("[{type_name}.{name}.{}]", self.field)),
            (true, true) => Some(format!("pluck({type_name}.{name}, '{}')", self.field)),
            (true, false) => None,
        }
    }
}

/// The expressions that the value of an attribute may be; `is_element` says that it stands in a list. Those come first that the
/// attribute's name names.
pub fn references(file: InFile<'_>, catalog: &Catalog, attribute: &str, is_element: bool) -> Vec<Item> {
    let Some(stack) = file.analysis.names() else { return Vec::new() };
    let home = file.analysis.home(file.path);
    let item = |expression: String, rank: u8| Item { rank, ..Item::new(expression, Sort::Name).about("reference", "") };
    let mut items = Vec::new();
    if let Some(asked) = Asked::of_name(attribute) {
        let own = stack.config.resources.iter().filter(|(block, _)| block.module == home);
        let has_field = |block: &Block| {
            let schema = catalog.resources.get(&block.type_name);
            schema.is_some_and(|schema| schema.schema.attributes.iter().any(|attribute| attribute.name == asked.field))
        };
        for (block, resource) in own.filter(|(block, _)| has_field(block)) {
            let rank = if asked.of.ends_with(block.type_name.as_str()) { 0 } else { 2 };
            items.extend(asked.of_block(block, resource, is_element).map(|expression| item(expression, rank)));
        }
    }
    let vars = stack.config.vars_of(&home).into_iter().flat_map(|vars| vars.keys().map(|name| format!("vars.{name}")));
    let locals = stack.config.locals_of(&home).into_iter().flat_map(|locals| locals.keys().map(|name| format!("locals.{name}")));
    items.extend(vars.chain(locals).map(|name| item(name, 1)));
    items
}
