//! What is written on nodes, groups and arrows: text in one line, with what would not be seen in it shown.

use leoctl_core::graph::tree::Kind;
use leoctl_core::graph::{Fate, Graph, Node};
use leoctl_core::plan::types::Action;

use crate::ui::terminal::one_line;
use crate::ui::visible;

/// A text in one line, nothing of it hidden.
pub fn line(text: &str) -> String {
    one_line(&visible::shown(text)).into_owned()
}

/// The name of a node, within its module.
pub fn name(node: &Node) -> String {
    let own = &node.block.name;
    line(&match (&node.key, node.members.len()) {
        (Some(key), _) => format!("{own}[{}]", serde_json::Value::from(key.as_str())),
        (None, count) if count > 1 => format!("{own} ×{count}"),
        (None, _) if node.is_open => format!("{own} ×?"),
        (None, _) => own.clone(),
    })
}

/// The address of a node.
pub fn address(node: &Node) -> String {
    let count = node.members.len();
    line(&if count > 1 { format!("{} ×{count}", node.address) } else { node.address.clone() })
}

/// What a node is.
pub fn type_name(node: &Node) -> String {
    line(&if node.is_data { format!("data {}", node.block.type_name) } else { node.block.type_name.clone() })
}

/// What a group is, and its name.
pub fn group(graph: &Graph, kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Together(_) => ("", String::new()),
        Kind::Module(path) => ("module", line(&path.to_string())),
        Kind::Network(node) => {
            let node = graph.nodes.get(*node);
            let is_vpc = node.is_some_and(|node| node.block.type_name == "vpc");
            (if is_vpc { "VPC" } else { "subnets" }, node.map(address).unwrap_or_default())
        }
    }
}

/// What a plan does with a node, as a word that is also its class in pictures.
pub fn fate(fate: &Fate) -> &'static str {
    match fate.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Import => "import",
        Action::Forget => "forget",
        Action::NoOp if fate.drifted => "drift",
        Action::NoOp => "unchanged",
    }
}

/// Everything that [`fate`] can be, in the order of legends.
pub const FATES: &[&str] = &["create", "update", "replace", "delete", "import", "forget", "drift", "unchanged"];

/// What something costs a month.
pub fn cost(usd: f64) -> String {
    format!("${usd:.2}/mo")
}
