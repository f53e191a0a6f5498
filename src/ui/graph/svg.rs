//! Graphs as pictures in SVG: one file, no script, nothing from elsewhere, in light and dark.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use leoctl_core::graph::tree::{Item, Tree};
use leoctl_core::graph::{Link, Node};

use super::kind::{KINDS, class};
use super::layout::{Input, Layout, Rect, layout};
use super::{Drawing, words};

/// The colours and fonts of pictures.
pub const STYLE: &str = include_str!("picture.css");

/// The height of a node.
const HEIGHT: f64 = 50.0;
/// The narrowest node and the widest.
const WIDTHS: (f64, f64) = (128.0, 250.0);
/// About as wide is a letter of a name, and of what stands below.
const LETTER: (f64, f64) = (7.3, 6.4);
/// In a group of so many nodes, those that are linked stand together.
const MANY: usize = 40;
/// As high is a label.
const LABEL: f64 = 20.0;
/// About as wide is a letter of what a group is.
const CAPITAL: f64 = 8.6;
/// As high is the legend.
const LEGEND: f64 = 34.0;

/// A drawing with the place of everything.
pub struct Picture<'a> {
    /// What is drawn.
    pub drawing: &'a Drawing<'a>,
    /// Its groups, and what only stands together.
    pub tree: Tree,
    /// Where it is.
    pub layout: Layout,
    /// The edges that are drawn, in the order of the routes: the indexes of the graph.
    pub edges: Vec<usize>,
    /// Where the label of each edge is that has one.
    labels: BTreeMap<usize, Rect>,
}

impl<'a> Picture<'a> {
    /// Finds a place for everything.
    pub fn new(drawing: &'a Drawing<'a>) -> Self {
        let graph = drawing.graph;
        let needless = graph.needless();
        let is_drawn = |index: &usize| {
            let edge = graph.edges.get(*index);
            edge.is_some_and(|edge| edge.from != edge.to && (edge.link != Link::Uses || !needless.contains(&(edge.from, edge.to))))
        };
        let edges: Vec<usize> = (0..graph.edges.len()).filter(is_drawn).collect();
        let ends = edges.iter().filter_map(|index| graph.edges.get(*index));
        let links: Vec<(Item, Item)> = ends.map(|edge| (drawing.tree.item(edge.from), drawing.tree.item(edge.to))).collect();
        let size = |node: usize| (graph.nodes.get(node).map_or(0.0, |node| width(drawing, node)), HEIGHT);
        let title = |group: usize| {
            let kind = drawing.tree.groups.get(group).map(|group| words::group(graph, &group.kind));
            kind.map_or(0.0, |(what, name)| (what.chars().count() + name.chars().count() + 3) as f64 * LETTER.0 + 60.0)
        };
        let tree = drawing.tree.clone().gathered(&links, MANY);
        let layout = layout(&Input { tree: &tree, size: &size, title: &title, links: &links });
        let mut picture = Self { drawing, tree, layout, edges, labels: BTreeMap::new() };
        (0..picture.edges.len()).for_each(|at| picture.label(at));
        picture
    }

    /// What an edge lets through, as far as there is room.
    fn traffic(&self, at: usize) -> Option<String> {
        match &self.drawing.graph.edges.get(*self.edges.get(at)?)?.link {
            Link::Uses => None,
            Link::Traffic(what) => Some(cut(&words::line(&what.join(", ")), 32)),
        }
    }

    /// Puts the label of an edge in its middle, or beside another one that is there.
    fn label(&mut self, at: usize) {
        let (Some(what), Some(route)) = (self.traffic(at), self.layout.routes.get(at)) else { return };
        let w = what.chars().count() as f64 * LETTER.1 + 16.0;
        let (x, y) = route.middle(&self.layout);
        let mut rect = Rect { x: x - w / 2.0, y: y - LABEL / 2.0, w, h: LABEL };
        let meets = |rect: &Rect, other: &Rect| (rect.y - other.y).abs() < LABEL && rect.x < other.x + other.w && other.x < rect.x + rect.w;
        while let Some(other) = self.labels.values().find(|other| meets(&rect, other)) {
            rect.x = other.x + other.w + 4.0;
        }
        self.labels.insert(at, rect);
    }

    /// How far the label of an edge is beside the edge's middle.
    pub fn aside(&self, at: usize) -> f64 {
        let known = self.labels.get(&at).zip(self.layout.routes.get(at));
        known.map_or(0.0, |(rect, route)| rect.x + rect.w / 2.0 - route.middle(&self.layout).0)
    }

    /// The boxes, edges and nodes as elements of SVG.
    pub fn elements(&self) -> String {
        let mut text = String::new();
        let groups = (0..self.drawing.tree.groups.len()).map(|group| self.group(group));
        groups.for_each(|group| text.push_str(&group));
        (0..self.edges.len()).for_each(|at| text.push_str(&self.edge(at)));
        let nodes = (0..self.drawing.graph.nodes.len()).map(|node| self.node(node));
        nodes.for_each(|node| text.push_str(&node));
        text
    }

    fn rect(&self, item: Item) -> Rect {
        self.layout.rects.get(&item).copied().unwrap_or_default()
    }

    fn group(&self, index: usize) -> String {
        let Some(group) = self.drawing.tree.groups.get(index) else { return String::new() };
        let Rect { x, y, w, h } = self.rect(Item::Group(index));
        let (what, name) = words::group(self.drawing.graph, &group.kind);
        let node = self.drawing.network(index);
        let fate = node.and_then(|node| self.drawing.graph.nodes.get(node)?.fate.as_ref()).map(words::fate).unwrap_or_default();
        let at = node.map(|node| format!(" data-node=\"{node}\"")).unwrap_or_default();
        let (name, what_width) = (escaped(&name), what.chars().count() as f64 * CAPITAL + 26.0);
        format!(
            "<g class=\"group {} {fate}\" data-group=\"{index}\"{at} transform=\"translate({x:.1} {y:.1})\"><rect class=\"box\" width=\"{w:.1}\" \
             height=\"{h:.1}\" rx=\"12\"/><text class=\"what\" x=\"16\" y=\"22\">{what}</text><text class=\"title\" x=\"{what_width:.1}\" \
             y=\"22\">{name}</text></g>\n",
            what.to_lowercase(),
        )
    }

    fn edge(&self, at: usize) -> String {
        let Some(route) = self.layout.routes.get(at) else { return String::new() };
        let path = route.path(&self.layout);
        let (Some(what), Some(rect)) = (self.traffic(at), self.labels.get(&at)) else {
            return format!("<g class=\"edge uses\" data-edge=\"{at}\"><path d=\"{path}\" marker-end=\"url(#uses)\"/></g>\n");
        };
        format!(
            "<g class=\"edge traffic\" data-edge=\"{at}\"><path d=\"{path}\" marker-end=\"url(#traffic)\"/><g class=\"label\" \
             transform=\"translate({:.1} {:.1})\"><rect x=\"{:.1}\" y=\"-10\" width=\"{:.1}\" height=\"{LABEL}\" rx=\"10\"/>\
             <text text-anchor=\"middle\" y=\"4\">{}</text></g></g>\n",
            rect.x + rect.w / 2.0,
            rect.y + rect.h / 2.0,
            -rect.w / 2.0,
            rect.w,
            escaped(&what),
        )
    }

    fn node(&self, index: usize) -> String {
        let Some(node) = self.drawing.graph.nodes.get(index).filter(|_| self.drawing.tree.item(index) == Item::Node(index)) else {
            return String::new();
        };
        let Rect { x, y, w, h } = self.rect(Item::Node(index));
        let fate = node.fate.as_ref().map(words::fate).unwrap_or_default();
        let data = if node.is_data { " data" } else { "" };
        let kind = class(&node.block.type_name);
        let mut text = format!(
            "<g class=\"node {kind} {fate}{data}\" data-node=\"{index}\" transform=\"translate({x:.1} {y:.1})\"><title>{}</title>",
            escaped(&words::address(node)),
        );
        if node.members.len() > 1 || node.is_open {
            let _ = write!(text, "<rect class=\"box behind\" x=\"4\" y=\"4\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"9\"/>");
        }
        let letters = |size: f64| ((w - 26.0) / size) as usize;
        let (name, what) = (cut(&words::name(node), letters(LETTER.0)), below(self.drawing, node));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<rect class=\"box\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"9\"/><rect class=\"kind\" x=\"8\" y=\"10\" width=\"4\" \
             height=\"{:.1}\" rx=\"2\"/><text class=\"name\" x=\"20\" y=\"22\">{}</text><text class=\"what\" x=\"20\" \
             y=\"39\">{}</text>{}</g>",
            h - 20.0,
            escaped(&name),
            escaped(&cut(&what, letters(LETTER.1))),
            mark(fate, w),
        );
        text
    }
}

/// What stands below the name of a node.
fn below(drawing: &Drawing<'_>, node: &Node) -> String {
    let what = words::type_name(node);
    match drawing.cost(node).filter(|usd| *usd >= 0.005) {
        Some(usd) => format!("{what} · {}", words::cost(usd)),
        None => what,
    }
}

fn width(drawing: &Drawing<'_>, node: &Node) -> f64 {
    let letters = |text: String, letter: f64| text.chars().count() as f64 * letter;
    let wide = letters(words::name(node), LETTER.0).max(letters(below(drawing, node), LETTER.1));
    (wide + 36.0).clamp(WIDTHS.0, WIDTHS.1)
}

/// The sign of what a plan does, as the plan itself has it.
fn mark(fate: &str, w: f64) -> String {
    let sign = match fate {
        "create" => "+",
        "update" => "~",
        "replace" => "±",
        "delete" => "−",
        "import" => "↓",
        "forget" => "×",
        "drift" => "!",
        _ => return String::new(),
    };
    format!(
        "<g class=\"mark\" transform=\"translate({:.1} 0)\"><circle r=\"9\"/><text text-anchor=\"middle\" y=\"4\">{sign}</text></g>",
        w - 6.0
    )
}

/// The arrowheads.
pub const HEADS: &str = "<defs><marker id=\"uses\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
    orient=\"auto-start-reverse\"><path d=\"M0 0.5L8 4L0 7.5Z\"/></marker><marker id=\"traffic\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
    markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0.5L8 4L0 7.5Z\"/></marker></defs>\n";

/// A drawing as a file of its own.
pub fn render(drawing: &Drawing<'_>) -> String {
    let picture = Picture::new(drawing);
    let legend = legend(drawing);
    let Layout { width, height, .. } = picture.layout;
    let width = width.max(480.0);
    let whole = height + LEGEND + 16.0;
    let name = escaped(&words::line(&drawing.graph.stack)).into_owned();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" viewBox=\"0 0 {width:.0} {whole:.0}\" width=\"{width:.0}\" \
         height=\"{whole:.0}\" role=\"img\" aria-label=\"The resources of {name}\">\n<style>{STYLE}</style>\n{HEADS}\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}<g class=\"legend\" transform=\"translate(18 {:.0})\">{legend}</g>\n</svg>",
        picture.elements(),
        height + 8.0,
    )
}

/// What the colours mean, in a row.
fn legend(drawing: &Drawing<'_>) -> String {
    let nodes = &drawing.graph.nodes;
    let kinds = KINDS.iter().filter(|kind| nodes.iter().any(|node| class(&node.block.type_name) == kind.class));
    let mut all: Vec<(String, &str)> = kinds.map(|kind| (format!("kind {}", kind.class), kind.name)).collect();
    let has = |fate: &str| nodes.iter().any(|node| node.fate.as_ref().is_some_and(|known| words::fate(known) == fate));
    all.extend(words::FATES.iter().filter(|fate| has(fate)).map(|fate| (format!("fate {fate}"), *fate)));
    let (mut text, mut x) = (String::new(), 0.0);
    for (class, name) in all {
        let _ = write!(
            text,
            "<g class=\"{class}\" transform=\"translate({x:.0} 0)\"><rect width=\"12\" height=\"12\" y=\"6\" rx=\"3\"/><text x=\"18\" y=\"16\">{name}</text></g>"
        );
        x += 36.0 + name.chars().count() as f64 * LETTER.1;
    }
    text
}

/// As much of a text as there is room for.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A text that is no markup.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}
