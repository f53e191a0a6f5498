//! What a line may go on with: the commands of the console, and what the stack has that expressions name.

use crate::lsp::expression;
use crate::ui::prompt::Complete;
use leoctl_core::stack::Stack;

/// The commands.
const COMMANDS: &[&str] = &[":help", ":quit", ":type "];

/// The names of a stack.
pub struct Names(Stack);

impl Names {
    /// Those of this stack.
    pub fn of(stack: &Stack) -> Self {
        Self(stack.clone())
    }
}

impl Complete for Names {
    fn complete(&self, line: &str) -> (usize, Vec<String>) {
        if line.starts_with(':') && !line.contains(' ') {
            return (0, COMMANDS.iter().filter(|command| command.starts_with(line)).map(|command| (*command).to_owned()).collect());
        }
        let (from, items) = expression::complete_alone(&self.0, line);
        // What cannot stand behind a dot is no name.
        let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '('));
        (from, items.into_iter().map(|item| item.insert).filter(is_name).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::project;
    use leoctl_core::stack::vars::Given;

    const STACK: &str = r#"
[stack]
name = "names"
region = "us-east-1"
[vars.name]
default = "web"
[vars.network]
default = { cidr = "10.0.0.0/16", "odd key" = 1 }
[locals]
zones = ["a", "b"]
[data.availability_zones.here]
[resource.vpc.main]
cidr_block = "${vars.network.cidr}"
[resource.subnet.public]
for_each = "${locals.zones}"
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
"#;

    fn completed(line: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("names.toml");
        std::fs::write(&file, STACK).unwrap();
        let stack = project::read(Path::new(&file), Given::default()).unwrap();
        let (from, names) = Names::of(&stack).complete(line);
        names.iter().map(|name| format!("{}{name}", line.get(..from).unwrap())).collect()
    }

    #[test]
    fn names_are_completed_step_by_step() {
        assert_eq!(completed("va"), ["vars", "values("]);
        assert_eq!(completed("1 + vars.n"), ["1 + vars.name", "1 + vars.network"]);
        assert_eq!(completed("vars.network."), ["vars.network.cidr"]);
        assert_eq!(completed("size(subnet.public[\"a.b\"].cidr_b"), ["size(subnet.public[\"a.b\"].cidr_block"]);
        assert_eq!(completed("data.availability_zones.h"), ["data.availability_zones.here"]);
        assert_eq!(completed("vpc.main.cidr"), ["vpc.main.cidr_block"]);
        assert_eq!(completed("${vp"), ["${vpc.main"]);
        assert_eq!(completed("math.flo"), ["math.floor("]);
        assert_eq!(completed("locals.zones.jo"), ["locals.zones.join("]);
        assert_eq!(completed("stack.acc"), ["stack.account_id"]);
        assert_eq!(completed("'va"), Vec::<String>::new());
        assert_eq!(completed("x.y.z"), Vec::<String>::new());
    }

    #[test]
    fn commands_are_completed_and_what_follows_them() {
        assert_eq!(completed(":t"), [":type "]);
        assert_eq!(completed(":type vars.na"), [":type vars.name"]);
    }
}
