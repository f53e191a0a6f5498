//! Where in the stack's files a size is written.

use serde::Serialize;

use leoctl_core::model::address::Block;
use leoctl_core::stack::Stack;
use leoctl_core::stack::deps::{self, Item};
use leoctl_core::stack::diagnostic::Span;
use leoctl_core::stack::expr::Expr;
use leoctl_core::stack::reference::Reference;
use leoctl_core::stack::template::{Template, TemplateKind};
use leoctl_core::stack::vars::constant;

/// Names that stand for other names are followed so often.
const DEPTH: usize = 16;

/// A line to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What stands there: the attribute, or the variable or local that it is.
    pub name: String,
    /// Whether what stands there is an expression that has to be looked at, and not a number.
    pub computed: bool,
    /// Whether the value comes from outside the files: from `--var`, `--var-file` or the environment.
    pub given: bool,
}

/// Where an attribute of a resource gets its value from.
pub fn of(stack: &Stack, block: &Block, attribute: &str) -> Option<Place> {
    let field = stack.config.resources.get(block)?.attributes.as_table()?.get(attribute)?;
    follow(stack, &field.value, attribute, DEPTH)
}

fn follow(stack: &Stack, value: &Template, name: &str, depth: usize) -> Option<Place> {
    let here = |computed| place(stack, &value.span, name, computed, false);
    let expr = match &value.kind {
        TemplateKind::Literal(_) => return here(false),
        TemplateKind::Expr(expr) => expr,
        _ => return here(true),
    };
    let Some(reference) = named(expr) else { return here(true) };
    if let Some(name) = reference.stack_variable() {
        let variable = stack.config.vars.get(name)?;
        let default = variable.default.as_ref();
        let given = default.is_none_or(|node| stack.vars.get(name) != Some(&constant(node)));
        return place(stack, default.map_or(&variable.span, |node| &node.span), &format!("vars.{name}"), false, given);
    }
    match deps::targets(&stack.config, reference).as_slice() {
        [Item::Local(local)] if depth > 0 => match stack.config.template_of(local) {
            Some(template) => follow(stack, template, &local.to_string(), depth - 1),
            None => {
                let variable = stack.config.vars_of(&local.module)?.get(&local.name)?;
                place(stack, &variable.default.as_ref()?.span, &local.to_string(), false, false)
            }
        },
        _ => here(true),
    }
}

/// The variable or local an expression is, if it is nothing more.
fn named(expr: &Expr) -> Option<&Reference> {
    let [reference] = expr.references.as_slice() else { return None };
    (expr.source.trim() == reference.to_string()).then_some(reference)
}

fn place(stack: &Stack, span: &Span, name: &str, computed: bool, given: bool) -> Option<Place> {
    let source = stack.sources.get(span.file)?;
    let before = source.text.as_bytes().get(..span.range.start)?;
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Some(Place { file: source.path.display().to_string(), line, name: name.to_owned(), computed, given })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use leoctl_core::stack::{Files, vars::Given};

    struct One;

    const TEXT: &str = r#"[stack]
name = "s"
[vars.memory]
default = 1024
[locals]
cpu = "${vars.cpu}"
[vars.cpu]
default = 512
[resource.ecs_task_definition.a]
family = "a"
container_definitions = [{ name = "a", image = "a" }]
cpu = 256
memory = "${vars.memory}"
[resource.ecs_task_definition.b]
family = "b"
container_definitions = [{ name = "b", image = "b" }]
cpu = "${locals.cpu}"
memory = "${vars.memory * 2}"
"#;

    impl Files for One {
        fn read(&self, _: &Path) -> Result<String, String> {
            Ok(TEXT.to_owned())
        }

        fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
            Ok(Vec::new())
        }
    }

    fn places(given: &[(&str, &str)], name: &str) -> [(usize, String, bool, bool); 2] {
        let arguments = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let given = Given { arguments, ..Given::default() };
        let loaded = leoctl_core::stack::load(Path::new("s.toml"), &One, &given, leoctl_aws::registry::catalog());
        let stack = loaded.stack.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        ["cpu", "memory"].map(|attribute| {
            let place = of(&stack, &Block::new("ecs_task_definition", name), attribute).unwrap();
            (place.line, place.name, place.computed, place.given)
        })
    }

    #[test]
    fn the_line_is_where_the_number_stands() {
        let at = |line, name: &str, computed, given| (line, name.to_owned(), computed, given);
        assert_eq!(places(&[], "a"), [at(12, "cpu", false, false), at(4, "vars.memory", false, false)]);
        assert_eq!(places(&[], "b"), [at(8, "vars.cpu", false, false), at(18, "memory", true, false)]);
        assert_eq!(places(&[("memory", "2048")], "a")[1], at(4, "vars.memory", false, true));
    }
}
