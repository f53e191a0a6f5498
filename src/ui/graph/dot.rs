//! Graphs in the language of Graphviz.

use std::fmt::Write;

use leoctl_core::graph::Link;
use leoctl_core::graph::tree::Item;

use super::{Drawing, words};

/// A graph for `dot` and its like.
pub fn render(drawing: &Drawing<'_>) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&words::line(&drawing.graph.stack)));
    text.push_str("  rankdir = TB;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=Helvetica, fontsize=11];\n");
    text.push_str("  edge [color=\"#64748b\", fontname=Helvetica, fontsize=10];\n");
    items(drawing, None, 1, &mut text);
    for edge in drawing.edges() {
        let end = |index: usize| drawing.graph.nodes.get(index).map(|node| quoted(&words::line(&node.address))).unwrap_or_default();
        let what = match &edge.link {
            Link::Uses => String::new(),
            Link::Traffic(what) => {
                format!(" [label={}, style=dashed, color=\"#b45309\", constraint=false]", quoted(&words::line(&what.join(", "))))
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {} -> {}{what};", end(edge.from), end(edge.to));
    }
    text.push('}');
    text
}

fn items(drawing: &Drawing<'_>, group: Option<usize>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let network = group.and_then(|group| drawing.network(group));
    if let Some(index) = network {
        node(drawing, index, &indent, text);
    }
    for item in drawing.tree.items(group) {
        match item {
            Item::Node(index) => node(drawing, *index, &indent, text),
            Item::Group(inner) => {
                let Some(known) = drawing.tree.groups.get(*inner) else { continue };
                let (what, name) = words::group(drawing.graph, &known.kind);
                let label = quoted(&format!("{what} {name}"));
                let _ =
                    writeln!(text, "{indent}subgraph cluster_{inner} {{\n{indent}  label = {label}; style = rounded; color = \"#94a3b8\";");
                items(drawing, Some(*inner), depth + 1, text);
                let _ = writeln!(text, "{indent}}}");
            }
        }
    }
}

fn node(drawing: &Drawing<'_>, index: usize, indent: &str, text: &mut String) {
    let Some(node) = drawing.graph.nodes.get(index) else { return };
    let mut label = format!("{}\n{}", words::name(node), words::type_name(node));
    let fate = node.fate.as_ref().map(words::fate);
    for more in fate.map(str::to_owned).into_iter().chain(drawing.cost(node).map(words::cost)) {
        label = format!("{label}\n{more}");
    }
    let style = if node.is_data { ", style=\"rounded,dashed\"" } else { "" };
    let fill = fate.and_then(fill).map(|colour| format!(", fillcolor=\"{colour}\"")).unwrap_or_default();
    let _ = writeln!(text, "{indent}{} [label={}{style}{fill}];", quoted(&words::line(&node.address)), quoted(&label));
}

/// The colour of what a plan does; none for what stays.
pub fn fill(fate: &str) -> Option<&'static str> {
    Some(match fate {
        "create" => "#dcfce7",
        "update" => "#fef3c7",
        "replace" => "#ffedd5",
        "delete" => "#fee2e2",
        "import" => "#dbeafe",
        "drift" => "#f3e8ff",
        _ => return None,
    })
}

/// A text as DOT writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_quotes() {
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }
}
