//! Graphs in the language of Mermaid, which forges render in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use leoctl_core::graph::tree::Item;
use leoctl_core::graph::{Link, Node};

use super::{Drawing, dot, words};

/// A graph for a block of code that is `mermaid`.
pub fn render(drawing: &Drawing<'_>) -> String {
    let mut text = "flowchart TB\n".to_owned();
    items(drawing, None, 1, &mut text);
    for edge in drawing.edges() {
        let (from, to) = (id(drawing, edge.from), id(drawing, edge.to));
        // Writing to a String cannot fail.
        let _ = match &edge.link {
            Link::Uses => writeln!(text, "  {from} --> {to}"),
            Link::Traffic(what) => writeln!(text, "  {from} -. \"{}\" .-> {to}", escaped(&words::line(&what.join(", ")))),
        };
    }
    classes(drawing, &mut text);
    text.trim_end().to_owned()
}

/// What a node is called in the text: a network is its box.
fn id(drawing: &Drawing<'_>, node: usize) -> String {
    match drawing.tree.item(node) {
        Item::Node(node) => format!("n{node}"),
        Item::Group(group) => format!("g{group}"),
    }
}

fn items(drawing: &Drawing<'_>, group: Option<usize>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for item in drawing.tree.items(group) {
        match item {
            Item::Node(index) => {
                let Some(node) = drawing.graph.nodes.get(*index) else { continue };
                let label = label(drawing, node);
                let (open, close) = if node.is_data { ("([", "])") } else { ("[", "]") };
                let _ = writeln!(text, "{indent}n{index}{open}\"{label}\"{close}");
            }
            Item::Group(inner) => {
                let Some(known) = drawing.tree.groups.get(*inner) else { continue };
                let (what, name) = words::group(drawing.graph, &known.kind);
                let _ = writeln!(text, "{indent}subgraph g{inner}[\"{what} {}\"]", escaped(&name));
                items(drawing, Some(*inner), depth + 1, text);
                let _ = writeln!(text, "{indent}end");
            }
        }
    }
}

fn label(drawing: &Drawing<'_>, node: &Node) -> String {
    let mut label = format!("{}<br>{}", escaped(&words::name(node)), escaped(&words::type_name(node)));
    let fate = node.fate.as_ref().map(|fate| words::fate(fate).to_owned());
    for more in fate.into_iter().chain(drawing.cost(node).map(words::cost)) {
        label = format!("{label}<br>{}", escaped(&more));
    }
    label
}

/// Colours what a plan changes.
fn classes(drawing: &Drawing<'_>, text: &mut String) {
    let mut classes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, node) in drawing.graph.nodes.iter().enumerate() {
        if let Some(fate) = node.fate.as_ref().map(words::fate) {
            classes.entry(fate).or_default().push(id(drawing, index));
        }
    }
    for fate in words::FATES {
        if let (Some(nodes), Some(colour)) = (classes.get(fate), dot::fill(fate)) {
            let _ = writeln!(text, "  classDef {fate} fill:{colour},stroke:#64748b,color:#0f172a\n  class {} {fate}", nodes.join(","));
        }
    }
}

/// A text as a label: whatever Mermaid, Markdown or HTML could take for more than text is written as its number.
fn escaped(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " ._:/,–×?$".contains(c);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("a[\"b\"] ×2"), "a#91;#34;b#34;#93; ×2");
        assert_eq!(escaped("<b>`#1;"), "#60;b#62;#96;#35;1#59;");
    }
}
