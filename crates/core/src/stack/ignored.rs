//! `ignore_changes`: each path leads somewhere in the resource's schema, so that none is silently without effect.

use super::config::ResourceBlock;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::address::Block;
use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Type};

/// Reports every path of a block's `ignore_changes` that leads nowhere.
pub(super) fn check(block: &Block, resource: &ResourceBlock, diagnostics: &mut Diagnostics) {
    for (path, span) in resource.lifecycle.ignore_changes.iter().zip(&resource.lifecycle.ignore_spans) {
        let Err(nowhere) = object(&resource.schema.schema.attributes, &Path::default(), &path.0) else { continue };
        let error = Diagnostic::error(Code::UnknownAttribute, span, format!("`ignore_changes` of {block}: `{path}`: {}", nowhere.problem));
        if nowhere.given == "all" {
            diagnostics.push(error.help("there is no word for all of them: name the attributes that something else changes"));
            continue;
        }
        diagnostics.push(error.suggest(&nowhere.given, nowhere.known.iter().map(String::as_str)));
    }
}

/// Why a path leads nowhere.
struct Nowhere {
    problem: String,
    /// The name that is wrong, and those that are right.
    given: String,
    known: Vec<String>,
}

impl Nowhere {
    fn new(problem: String) -> Self {
        Self { problem, given: String::new(), known: Vec::new() }
    }
}

/// `so_far` leads to an object with these attributes, and `path` goes on from there.
fn object(attributes: &[Attribute], so_far: &Path, path: &[Segment]) -> Result<(), Nowhere> {
    let Some((segment, rest)) = path.split_first() else { return Ok(()) };
    let name = segment.name().ok_or_else(|| Nowhere::new(format!("`{segment}` is not the name of an attribute")))?;
    match attributes.iter().find(|attribute| attribute.name == name) {
        Some(attribute) => inside(&attribute.ty, &so_far.join(segment.clone()), rest),
        None => Err(Nowhere {
            problem: format!("there is no attribute `{name}`"),
            given: name.to_owned(),
            known: attributes.iter().map(|attribute| attribute.name.clone()).collect(),
        }),
    }
}

fn inside(ty: &Type, so_far: &Path, path: &[Segment]) -> Result<(), Nowhere> {
    let Some((segment, rest)) = path.split_first() else { return Ok(()) };
    match (ty, segment) {
        (_, Segment::Hidden(_) | Segment::Unknown(_)) => {
            Err(Nowhere::new(format!("`{segment}` is shown for what has no name to be written")))
        }
        (Type::Object(attributes), _) => object(attributes, so_far, path),
        (Type::Map { item, .. }, Segment::Name(_)) => inside(item, &so_far.join(segment.clone()), rest),
        (Type::Map { .. }, Segment::Index(_)) => Err(Nowhere::new(format!("the entries of `{so_far}` have names"))),
        (Type::List { item, .. }, Segment::Name(_)) if !matches!(**item, Type::Object(_)) => {
            Err(Nowhere::new(format!("the elements of `{so_far}` have no names; write `{so_far}` for all of them")))
        }
        (Type::List { item, .. }, _) => inside(item, &so_far.join(segment.clone()), rest),
        (Type::Document(_), _) => Ok(()),
        (Type::Bool | Type::Int { .. } | Type::Float | Type::String(_), _) => {
            Err(Nowhere::new(format!("there is nothing inside `{so_far}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::stack;

    fn ignoring(path: &str) -> Result<(), Vec<String>> {
        let path = path.replace('\\', "\\\\");
        let body = "[resource.route_table.r]\nvpc_id = \"x\"\n[resource.policy.p]\nname = \"p\"\n";
        let of = |block: &str| stack(&body.replace(block, &format!("{block}lifecycle = {{ ignore_changes = ['{path}'] }}\n"))).map(drop);
        if path.starts_with("document") { of("[resource.policy.p]\n") } else { of("[resource.route_table.r]\n") }
    }

    #[test]
    fn a_path_that_leads_somewhere_is_taken_however_its_names_are_written() {
        let paths = [
            "tags",
            "tags.Owner",
            r#"tags["Owner"]"#,
            r#"tags["kubernetes.io/x"]"#,
            r#"routes["a"].via"#,
            "routes.a.via",
            "routes[0]",
            "subnet_ids",
            "document.Statement[0].Sid",
        ];
        for path in paths {
            assert_eq!(ignoring(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        let cases = [
            ("", "`` is not an attribute path"),
            ("tag", "`ignore_changes` of route_table.r: `tag`: there is no attribute `tag`\n  did you mean `tags`?"),
            ("[0]", "`ignore_changes` of route_table.r: `[0]`: `[0]` is not the name of an attribute"),
            ("vpc_id.x", "`ignore_changes` of route_table.r: `vpc_id.x`: there is nothing inside `vpc_id`"),
            ("tags[0]", "`ignore_changes` of route_table.r: `tags[0]`: the entries of `tags` have names"),
            (
                "tags[sensitive 1]",
                "`ignore_changes` of route_table.r: `tags[sensitive 1]`: `[sensitive 1]` is shown for what has no name to be written",
            ),
            (
                r#"subnet_ids["a"]"#,
                "`ignore_changes` of route_table.r: `subnet_ids[\"a\"]`: the elements of `subnet_ids` have no names; write `subnet_ids` for all of them",
            ),
            ("routes.a.vai", "`ignore_changes` of route_table.r: `routes.a.vai`: there is no attribute `vai`\n  did you mean `via`?"),
        ];
        for (path, said) in cases {
            assert_eq!(ignoring(path), Err(vec![said.to_owned()]), "{path}");
        }
    }
}
