//! Where everything of a graph is: boxes from the inside out, the items of each in rows, as Sugiyama has it. Pure.
//!
//! [`layered`] lays out the items of one box: [`rank`] gives each its row, [`order`] their order in the rows, [`align`] where
//! each is in its row. Here that is done for all boxes, and the edges find their way.

mod align;
mod layered;
mod order;
mod rank;
mod route;

use std::collections::{BTreeMap, BTreeSet};

use leoctl_core::graph::tree::{Item, Tree};

use layered::{Layered, layered};
pub use route::Route;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Its width.
    pub w: f64,
    /// Its height.
    pub h: f64,
}

/// Some items beside each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// From the top of the picture.
    pub y: f64,
    /// As high as the highest item.
    pub h: f64,
    /// From left to right.
    pub items: Vec<Item>,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The items.
    pub rects: BTreeMap<Item, Rect>,
    /// The rows of each group, and of what is in none.
    pub rows: BTreeMap<Option<usize>, Vec<Row>>,
    /// The ways of the links, in their order.
    pub routes: Vec<Route>,
    /// The width of all.
    pub width: f64,
    /// The height of all.
    pub height: f64,
}

/// Between the border of a box and what is in it.
const PADDING: f64 = 18.0;
/// Above what is in a box, for its name.
pub const HEADER: f64 = 34.0;
/// Between items of a row.
pub const GAP: f64 = 24.0;
/// Between rows.
pub const ROW_GAP: f64 = 42.0;

/// Something to be laid out.
pub struct Input<'a> {
    /// The groups.
    pub tree: &'a Tree,
    /// How wide and high a node is.
    pub size: &'a dyn Fn(usize) -> (f64, f64),
    /// How wide the name of a group is.
    pub title: &'a dyn Fn(usize) -> f64,
    /// The ends of each edge.
    pub links: &'a [(Item, Item)],
}

/// Where everything is.
pub fn layout(input: &Input<'_>) -> Layout {
    let lifted = lifted(input);
    let exits = exits(input, &lifted);
    let mut placer = Placer { input, lifted, exits, inside: BTreeMap::new() };
    let (width, height) = placer.measure(None);
    let mut layout = Layout { width: width + 2.0 * PADDING, height: height + 2.0 * PADDING, ..Layout::default() };
    placer.put(None, (PADDING, PADDING), &mut layout);
    layout.routes = route::routes(input, &placer.inside, &layout);
    layout
}

/// The groups around an item, from the outside in, and the item itself.
fn chain(tree: &Tree, item: Item) -> Vec<Item> {
    let mut chain = vec![item];
    let mut at = item;
    while let Some(parent) = tree.parent(at) {
        at = Item::Group(parent);
        chain.push(at);
    }
    chain.reverse();
    chain
}

/// Where two items part: the group that both are in, and what of it each is in; nothing where one is in the other.
fn parting(tree: &Tree, from: Item, to: Item) -> Option<(Option<usize>, Item, Item)> {
    let (from, to) = (chain(tree, from), chain(tree, to));
    let at = from.iter().zip(&to).position(|(one, other)| one != other)?;
    let (one, other) = (*from.get(at)?, *to.get(at)?);
    Some((tree.parent(one), one, other))
}

/// The links between the items of each group.
type Links = BTreeMap<Option<usize>, Vec<(Item, Item)>>;
/// The links that lead out of each group: of which item, and whether downwards.
type Exits = BTreeMap<Option<usize>, BTreeSet<(Item, bool)>>;

/// The links between the items of each group, from above to below: a link of something inside is one of the item around it.
fn lifted(input: &Input<'_>) -> Links {
    let mut lifted = Links::new();
    for (from, to) in input.links {
        if let Some((group, from, to)) = parting(input.tree, *from, *to) {
            let links = lifted.entry(group).or_default();
            if !links.contains(&(from, to)) {
                links.push((from, to));
            }
        }
    }
    for (group, links) in &mut lifted {
        let items = input.tree.items(*group);
        let places: BTreeMap<Item, usize> = items.iter().copied().zip(0..).collect();
        let known = links.iter().filter_map(|(from, to)| Some((*places.get(from)?, *places.get(to)?)));
        let down = rank::acyclic(items.len(), &known.collect::<Vec<_>>());
        *links = down.into_iter().filter_map(|(from, to)| Some((*items.get(from)?, *items.get(to)?))).collect();
    }
    lifted
}

/// The links that lead out of groups, to what is above or below these.
fn exits(input: &Input<'_>, lifted: &Links) -> Exits {
    let mut exits = Exits::new();
    for (from, to) in input.links {
        let Some((group, one, other)) = parting(input.tree, *from, *to) else { continue };
        let down = lifted.get(&group).is_some_and(|links| links.contains(&(one, other)));
        for (end, down) in [(*from, down), (*to, !down)] {
            for (group, item) in around(input.tree, end, group) {
                exits.entry(Some(group)).or_default().insert((item, down));
            }
        }
    }
    exits
}

/// The groups around an item, from the inside out, each with what of it the item is in; up to `within`.
fn around(tree: &Tree, item: Item, within: Option<usize>) -> Vec<(usize, Item)> {
    let mut all = Vec::new();
    let mut at = item;
    while let Some(group) = tree.parent(at).filter(|group| Some(*group) != within) {
        all.push((group, at));
        at = Item::Group(group);
    }
    all
}

/// The inside of a box, laid out from its own corner on.
struct Inside {
    items: Vec<Item>,
    layered: Layered,
}

struct Placer<'a> {
    input: &'a Input<'a>,
    lifted: Links,
    exits: Exits,
    inside: BTreeMap<Option<usize>, Inside>,
}

impl Placer<'_> {
    /// Lays out the inside of a group; how large it is.
    fn measure(&mut self, group: Option<usize>) -> (f64, f64) {
        let items = self.input.tree.items(group).to_vec();
        let sizes: Vec<(f64, f64)> = items.iter().map(|item| self.size(*item)).collect();
        let places: BTreeMap<Item, usize> = items.iter().copied().zip(0..).collect();
        let links = self.lifted.get(&group).into_iter().flatten();
        let links: Vec<(usize, usize)> = links.filter_map(|(from, to)| Some((*places.get(from)?, *places.get(to)?))).collect();
        let exits = self.exits.get(&group).into_iter().flatten();
        let exits = exits.filter_map(|(item, down)| Some((*places.get(item)?, *down))).collect();
        let layered = layered(&sizes, &links, &exits);
        let size = (layered.width, layered.height);
        self.inside.insert(group, Inside { items, layered });
        size
    }

    fn size(&mut self, item: Item) -> (f64, f64) {
        match item {
            Item::Node(node) => (self.input.size)(node),
            Item::Group(group) => {
                let (width, height) = self.measure(Some(group));
                (width.max((self.input.title)(group)) + 2.0 * PADDING, height + HEADER + PADDING)
            }
        }
    }

    /// Puts the inside of a group where it is in the picture.
    fn put(&self, group: Option<usize>, (left, top): (f64, f64), layout: &mut Layout) {
        let Some(Inside { items, layered }) = self.inside.get(&group) else { return };
        let mut rows = Vec::new();
        for row in &layered.rows {
            let items = row.items.iter().filter_map(|index| items.get(*index).copied()).collect();
            rows.push(Row { y: top + row.y, h: row.h, items });
        }
        layout.rows.insert(group, rows);
        for (item, rect) in items.iter().zip(&layered.rects) {
            let rect = Rect { x: left + rect.x, y: top + rect.y, ..*rect };
            layout.rects.insert(*item, rect);
            if let Item::Group(inner) = item {
                let extra = rect.w - 2.0 * PADDING - self.inside.get(&Some(*inner)).map_or(0.0, |inside| inside.layered.width);
                self.put(Some(*inner), (rect.x + PADDING + extra / 2.0, rect.y + HEADER), layout);
            }
        }
    }
}

#[cfg(test)]
mod tests;
