//! Attributes that a resource of another type can set, too: where both may do so, each apply of one undoes the other.

use indexmap::IndexMap;

use super::config::ResourceBlock;
use super::diagnostic::{Code, Diagnostic};
use crate::model::address::Block;
use crate::model::path::Path;

/// Of each resource that is a part of another type: that the blocks of that type do not leave it to it.
pub fn warnings(resources: &IndexMap<Block, ResourceBlock>) -> Vec<Diagnostic> {
    let parts = resources.iter().filter_map(|(block, resource)| Some((block, resource, resource.schema.part_of?)));
    parts
        .filter_map(|(block, resource, (own, attribute))| {
            let path = Path::attribute(attribute);
            let is_kept = |(whole, of): &(&Block, &ResourceBlock)| whole.type_name == own && !of.lifecycle.ignore_changes.contains(&path);
            let wholes: Vec<String> = resources.iter().filter(is_kept).map(|(whole, _)| whole.to_string()).collect();
            let first = wholes.first()?;
            let message = format!("{block} sets what `{attribute}` of a {own} says, and {first} is one");
            let warning = Diagnostic::warning(Code::PartOfAnother, &resource.span, message);
            Some(
                warning
                    .help(format!("if it is the same one, write `{attribute}` there: else each apply of it takes this away"))
                    .help(format!("or leave it to this one: `lifecycle = {{ ignore_changes = [\"{attribute}\"] }}` of the {own}")),
            )
        })
        .collect()
}
