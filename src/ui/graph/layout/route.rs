//! The ways of edges: out of one item, past the rows between, into the other.

use std::collections::BTreeMap;

use leoctl_core::graph::tree::Item;

use super::{Input, Inside, Layout, Rect, around, parting};

/// Where an edge goes past a row of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// The group; none is the whole picture.
    pub group: Option<usize>,
    /// The row of it.
    pub row: usize,
    /// From the left of the picture.
    pub x: f64,
}

/// The way of an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Where it begins.
    pub from: Item,
    /// Where it ends.
    pub to: Item,
    /// Where it goes past rows.
    pub passes: Vec<Pass>,
    /// Whether it leads down.
    pub down: bool,
    /// How far beside the middle of the item it begins and ends.
    pub beside: (f64, f64),
}

/// The most that two ends on one side are apart.
const APART: f64 = 16.0;
/// The part of a side that ends are spread over.
const SPREAD: f64 = 0.7;
/// As far as an edge between two of a row goes below.
const DIP: f64 = 26.0;

/// The ways of all links.
pub(super) fn routes(input: &Input<'_>, inside: &BTreeMap<Option<usize>, Inside>, layout: &Layout) -> Vec<Route> {
    let mut routes: Vec<Route> = input.links.iter().map(|(from, to)| route(input, inside, layout, *from, *to)).collect();
    spread(&mut routes, layout);
    routes
}

fn route(input: &Input<'_>, inside: &BTreeMap<Option<usize>, Inside>, layout: &Layout, from: Item, to: Item) -> Route {
    let middle = |item| layout.rects.get(&item).map_or(0.0, |rect: &Rect| rect.y + rect.h / 2.0);
    let mut route = Route { from, to, passes: Vec::new(), down: middle(from) <= middle(to), beside: (0.0, 0.0) };
    let Some((group, one, other)) = parting(input.tree, from, to) else { return route };
    route.down = middle(one) <= middle(other);
    let out = around(input.tree, from, group);
    for (group, item) in out {
        route.passes.extend(leaving(inside, layout, group, item, route.down));
    }
    route.passes.extend(between(inside, layout, group, (one, other), route.down));
    for (group, item) in around(input.tree, to, group).into_iter().rev() {
        let mut passes = leaving(inside, layout, group, item, !route.down);
        passes.reverse();
        route.passes.extend(passes);
    }
    route
}

/// Where the inside of a group begins: its first item tells.
fn left(known: &Inside, layout: &Layout) -> f64 {
    let rects = known.items.first().and_then(|item| layout.rects.get(item)).zip(known.layered.rects.first());
    rects.map_or(0.0, |(there, own)| there.x - own.x)
}

/// Past the rows of a group, from an item on, to its lower or upper border.
fn leaving(inside: &BTreeMap<Option<usize>, Inside>, layout: &Layout, group: usize, item: Item, down: bool) -> Vec<Pass> {
    let Some(known) = inside.get(&Some(group)) else { return Vec::new() };
    let place = known.items.iter().position(|known| *known == item);
    let bends = place.and_then(|place| known.layered.exits.get(&(place, down)));
    let left = left(known, layout);
    bends.into_iter().flatten().map(|bend| Pass { group: Some(group), row: bend.row, x: left + bend.x }).collect()
}

/// Past the rows of a group, from one of its items to another.
fn between(
    inside: &BTreeMap<Option<usize>, Inside>,
    layout: &Layout,
    group: Option<usize>,
    (one, other): (Item, Item),
    down: bool,
) -> Vec<Pass> {
    let Some(known) = inside.get(&group) else { return Vec::new() };
    let place = |item| known.items.iter().position(|known| *known == item);
    let (Some(one), Some(other)) = (place(one), place(other)) else { return Vec::new() };
    let left = left(known, layout);
    let bends = known.layered.bends.get(&if down { (one, other) } else { (other, one) });
    let mut passes: Vec<Pass> = bends.into_iter().flatten().map(|bend| Pass { group, row: bend.row, x: left + bend.x }).collect();
    if !down {
        passes.reverse();
    }
    passes
}

/// An end of an edge on a side of an item.
struct End {
    /// The index of the edge.
    route: usize,
    /// Whether the edge begins there.
    begins: bool,
    /// Where it goes on.
    next: f64,
}

/// Spreads the ends of edges on the sides of items, in the order in which they go on.
fn spread(routes: &mut [Route], layout: &Layout) {
    let middle = |item: &Item| layout.rects.get(item).map_or(0.0, |rect| rect.x + rect.w / 2.0);
    let mut sides: BTreeMap<(Item, bool), Vec<End>> = BTreeMap::new();
    for (index, route) in routes.iter().enumerate() {
        let next = route.passes.first().map_or_else(|| middle(&route.to), |pass| pass.x);
        let last = route.passes.last().map_or_else(|| middle(&route.from), |pass| pass.x);
        sides.entry((route.from, route.down)).or_default().push(End { route: index, begins: true, next });
        sides.entry((route.to, !route.down)).or_default().push(End { route: index, begins: false, next: last });
    }
    for ((item, _), mut ends) in sides {
        ends.sort_by(|one, other| one.next.total_cmp(&other.next));
        let width = layout.rects.get(&item).map_or(0.0, |rect| rect.w);
        let apart = (width * SPREAD / ends.len() as f64).min(APART);
        let half = (ends.len() as f64 - 1.0) / 2.0;
        for (place, end) in ends.into_iter().enumerate() {
            let beside = (place as f64 - half) * apart;
            let Some(route) = routes.get_mut(end.route) else { continue };
            *(if end.begins { &mut route.beside.0 } else { &mut route.beside.1 }) = beside;
        }
    }
}

impl Route {
    /// The points that it goes through.
    pub fn points(&self, layout: &Layout) -> Vec<(f64, f64)> {
        let rect = |item| layout.rects.get(item).copied().unwrap_or_default();
        let (from, to) = (rect(&self.from), rect(&self.to));
        let edge = |rect: Rect, bottom: bool| if bottom { rect.y + rect.h } else { rect.y };
        let mut points = vec![(from.x + from.w / 2.0 + self.beside.0, edge(from, self.down))];
        for pass in &self.passes {
            let Some(row) = layout.rows.get(&pass.group).and_then(|rows| rows.get(pass.row)) else { continue };
            let (first, last) = if self.down { (row.y, row.y + row.h) } else { (row.y + row.h, row.y) };
            points.extend([(pass.x, first), (pass.x, last)]);
        }
        points.push((to.x + to.w / 2.0 + self.beside.1, edge(to, !self.down)));
        points
    }

    /// The way as a path of SVG.
    pub fn path(&self, layout: &Layout) -> String {
        let points = self.points(layout);
        let mut path = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let Some((px, py)) = at.checked_sub(1).and_then(|before| points.get(before)) else {
                path = format!("M{x:.1} {y:.1}");
                continue;
            };
            let half = (y - py) / 2.0;
            // An edge that would go back bulges out first.
            let bow = match ((half > 0.0) == self.down, self.down) {
                (true, _) => half,
                (false, true) => DIP,
                (false, false) => -DIP,
            };
            path = match (x - px).abs() < 0.5 && bow == half {
                true => format!("{path}L{x:.1} {y:.1}"),
                false => format!("{path}C{px:.1} {:.1} {x:.1} {:.1} {x:.1} {y:.1}", py + bow, y - bow),
            };
        }
        path
    }

    /// Where its middle is, for a label.
    pub fn middle(&self, layout: &Layout) -> (f64, f64) {
        let points = self.points(layout);
        let at = (points.len() - 1) / 2;
        match (points.get(at), points.get(at + 1)) {
            (Some(one), Some(other)) => (f64::midpoint(one.0, other.0), f64::midpoint(one.1, other.1)),
            (one, _) => one.copied().unwrap_or_default(),
        }
    }
}
