//! The references that may be all of a value: what the name of an attribute asks for, variables and locals.

use leoctl_core::model::address::Block;
use leoctl_core::model::schema::{Catalog, Format, TextRule, Type};
use leoctl_core::stack::config::ResourceBlock;

use super::analysis::InFile;
use super::complete::{Item, Sort};
use super::shape;

/// What the schema and the name of an attribute say of its value: `vpc_id` is an id, `subnet_ids` several.
pub struct Asked<'a> {
    /// What the resource is, as the schema or the attribute says it.
    of: &'a str,
    /// Which of its attributes, where that is known.
    field: Option<&'static str>,
    is_list: bool,
    /// The resource that the attribute is of, by type and name: it cannot refer to itself.
    own: Option<(&'a str, &'a str)>,
}

impl<'a> Asked<'a> {
    /// What is asked for at the end of these names, where a value of this type stands.
    pub fn of(names: &[&'a str], ty: &'a Type) -> Self {
        const ENDINGS: [(&str, &str); 4] = [("_id", "id"), ("_arn", "arn"), ("_ids", "id"), ("_arns", "arn")];
        let own = match names {
            ["resource", kind, name, ..] => Some((*kind, *name)),
            _ => None,
        };
        let is_list = matches!(ty, Type::List { .. });
        let name = names.last().copied().unwrap_or_default();
        let ending = ENDINGS.iter().find_map(|&(ending, field)| Some((name.strip_suffix(ending)?, field)));
        match (shape::element(ty), ending) {
            (Type::String(TextRule { format: Some(Format::Id { of, .. }), .. }), _) => Self { of, field: Some("id"), is_list, own },
            (_, Some((of, field))) => Self { of, field: Some(field), is_list, own },
            (Type::String(_), None) => Self { of: name, field: None, is_list, own },
            _ => Self { of: "", field: None, is_list, own },
        }
    }

    /// How much a type is what is asked for, the least first; nothing of one that it cannot be.
    fn rank(&self, type_name: &str) -> Option<u8> {
        let last = type_name.rsplit('_').next().unwrap_or_default();
        let words = |text: &str, word: &str| text.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
        match self.field {
            _ if words(self.of, type_name) => Some(0),
            // `cluster` is an `ecs_cluster`.
            None => words(type_name, self.of).then_some(0),
            Some(_) if words(self.of, last) => Some(1),
            Some(_) => Some(3),
        }
    }

    /// The expression of what is asked for of a block; nothing where that is no single value.
    fn of_block(&self, block: &Block, resource: &ResourceBlock, is_element: bool, field: &str) -> Option<String> {
        let Block { type_name, name, .. } = block;
        let wants_list = self.is_list && !is_element;
        match (resource.for_each.is_some(), wants_list) {
            (false, false) => Some(format!("{type_name}.{name}.{field}")),
            (false, true) => Some(format!("[{type_name}.{name}.{field}]")),
            (true, true) => Some(format!("pluck({type_name}.{name}, '{field}')")),
            (true, false) => None,
        }
    }
}

/// The expressions that the value of an attribute may be; `is_element` says that it stands in a list. Those come first that the
/// attribute's name names.
pub fn references(file: InFile<'_>, catalog: &Catalog, asked: &Asked<'_>, is_element: bool) -> Vec<Item> {
    let Some(stack) = file.analysis.names() else { return Vec::new() };
    let home = file.analysis.home(file.path);
    let item = |expression: String, rank: u8| Item { rank, ..Item::new(expression, Sort::Name).about("reference", "") };
    let is_other = |block: &Block| block.module == home && asked.own != Some((block.type_name.as_str(), block.name.as_str()));
    let mut items = Vec::new();
    for (block, resource) in stack.config.resources.iter().filter(|(block, _)| is_other(block)) {
        let Some(schema) = catalog.resources.get(&block.type_name) else { continue };
        let mut fields = ["arn", "id"].into_iter().filter(|name| asked.field.is_none_or(|field| field == *name));
        let field = fields.find(|name| schema.schema.attribute(name).is_some());
        let fitting = field.zip(asked.rank(&block.type_name));
        items.extend(fitting.and_then(|(field, rank)| Some(item(asked.of_block(block, resource, is_element, field)?, rank))));
    }
    let vars = stack.config.vars_of(&home).into_iter().flat_map(|vars| vars.keys().map(|name| format!("vars.{name}")));
    let locals = stack.config.locals_of(&home).into_iter().flat_map(|locals| locals.keys().map(|name| format!("locals.{name}")));
    items.extend(vars.chain(locals).map(|name| item(name, 2)));
    items
}
