//! What a page tells of nodes, as JSON.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use leoctl_core::graph::tree::{Item, Tree};
use leoctl_core::graph::{Edge, Fate, Link, Node};
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;

use super::layout::{Layout, Rect, Row};
use super::svg::Picture;
use super::{Drawing, kind, words};
use crate::ui::value::{MASK, is_empty, lines};
use crate::ui::visible;

/// A picture with everything that is told of it.
pub fn of(picture: &Picture<'_>) -> Json {
    let Picture { drawing, tree, layout, edges, .. } = picture;
    let graph = drawing.graph;
    let drawn: BTreeMap<usize, usize> = edges.iter().copied().zip(0..).collect();
    let edge = |(index, edge): (usize, &Edge)| {
        let traffic = match &edge.link {
            Link::Uses => None,
            Link::Traffic(what) => Some(words::line(&what.join(", "))),
        };
        let way = drawn.get(&index).and_then(|at| Some((at, layout.routes.get(*at)?)));
        let way = way.map(|(at, route)| {
            let passes = route.passes.iter().map(|pass| json!([pass.group, pass.row, round(pass.x)])).collect::<Vec<_>>();
            let beside = [round(route.beside.0), round(route.beside.1)];
            json!({ "at": at, "from": key(route.from), "to": key(route.to), "down": route.down, "beside": beside, "aside": round(picture.aside(*at)), "passes": passes })
        });
        json!({ "from": edge.from, "to": edge.to, "traffic": traffic, "way": way })
    };
    json!({
        "nodes": graph.nodes.iter().enumerate().map(|(index, node)| one(drawing, tree, index, node)).collect::<Vec<_>>(),
        "edges": graph.edges.iter().enumerate().map(edge).collect::<Vec<_>>(),
        "groups": (0..tree.groups.len()).map(|group| box_of(drawing, tree, layout, group)).collect::<Vec<_>>(),
        "rows": rows(layout, None),
        "rects": layout.rects.iter().map(|(item, rect)| (key(*item), rectangle(rect))).collect::<BTreeMap<_, _>>(),
        "width": round(layout.width),
        "height": round(layout.height),
    })
}

/// What an item is called in the page.
fn key(item: Item) -> String {
    match item {
        Item::Node(node) => format!("n{node}"),
        Item::Group(group) => format!("g{group}"),
    }
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn rectangle(rect: &Rect) -> Json {
    json!([round(rect.x), round(rect.y), round(rect.w), round(rect.h)])
}

fn rows(layout: &Layout, group: Option<usize>) -> Json {
    let row =
        |row: &Row| json!({ "y": round(row.y), "h": round(row.h), "items": row.items.iter().map(|item| key(*item)).collect::<Vec<_>>() });
    layout.rows.get(&group).into_iter().flatten().map(row).collect()
}

fn box_of(drawing: &Drawing<'_>, tree: &Tree, layout: &Layout, group: usize) -> Json {
    let kind = tree.groups.get(group).map(|group| words::group(drawing.graph, &group.kind));
    let (what, name) = kind.unwrap_or_default();
    json!({
        "what": what,
        "name": name,
        "node": drawing.network(group),
        "parent": tree.parent(Item::Group(group)),
        "rows": rows(layout, Some(group)),
    })
}

fn one(drawing: &Drawing<'_>, tree: &Tree, index: usize, node: &Node) -> Json {
    let members: Vec<String> = node.members.iter().map(|address| words::line(&address.to_string())).collect();
    let item = tree.item(index);
    json!({
        "address": words::address(node),
        "name": words::name(node),
        "type": words::type_name(node),
        "kind": kind::class(&node.block.type_name),
        "item": key(item),
        "parent": tree.parent(item),
        "members": if members.len() > 1 { members } else { Vec::new() },
        "open": node.is_open,
        "differing": node.differing,
        "attributes": attributes(&node.attributes),
        "fate": node.fate.as_ref().map(fate),
        "cost": drawing.cost(node).filter(|usd| *usd >= 0.005).map(words::cost),
    })
}

/// The attributes that say something, each as text.
fn attributes(attributes: &Value) -> Vec<(String, String)> {
    let said = attributes.as_map().into_iter().flatten().filter(|(_, value)| !value.is_null() && !is_empty(value));
    said.map(|(name, value)| (words::line(name), text(value))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => visible::shown(text).into_owned(),
        other => visible::shown(&lines(other).join("\n")).into_owned(),
    }
}

fn fate(fate: &Fate) -> Json {
    json!({
        "does": words::fate(fate),
        "drifted": fate.drifted,
        "reason": fate.reason.as_deref().map(words::line),
        "changes": fate.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn change(change: &AttributeChange) -> Json {
    let shown = |value: &Option<Value>| match value {
        None | Some(Value::Null) => None,
        Some(_) if change.sensitive => Some(MASK.to_owned()),
        Some(value) => Some(text(value)),
    };
    json!({
        "path": words::line(&change.path.to_string()),
        "before": shown(&change.before),
        "after": shown(&change.after),
        "replaces": change.forces_replacement,
    })
}
