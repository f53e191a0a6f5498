//! The items of one box in rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{GAP, ROW_GAP, Rect, align, order, rank};

/// As wide as a link that goes past a row.
const BEND: f64 = 2.0;
/// A box is about so many times as wide as high.
const RATIO: f64 = 1.7;
/// No row is broken that is not wider.
const NARROW: f64 = 640.0;

/// A row, by the indexes of its items.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// From the top.
    pub y: f64,
    /// As high as the highest item.
    pub h: f64,
    /// From left to right.
    pub items: Vec<usize>,
}

/// Where a link goes past a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    /// The index of the row.
    pub row: usize,
    /// From the left.
    pub x: f64,
}

/// A link that leads out of the box: of which item, and whether downwards.
pub type Exit = (usize, bool);

/// Items in rows.
#[derive(Clone, Debug, Default)]
pub struct Layered {
    /// The items.
    pub rects: Vec<Rect>,
    /// The rows.
    pub rows: Vec<Line>,
    /// Where links go past rows, from above to below.
    pub bends: BTreeMap<(usize, usize), Vec<Bend>>,
    /// Where links that lead out of the box go past rows, from the item on.
    pub exits: BTreeMap<Exit, Vec<Bend>>,
    /// The width of all.
    pub width: f64,
    /// The height of all.
    pub height: f64,
}

/// Lays out items of these sizes with links between them, and out of the box.
pub fn layered(sizes: &[(f64, f64)], links: &[(usize, usize)], exits: &BTreeSet<Exit>) -> Layered {
    let count = sizes.len();
    let area: f64 = sizes.iter().map(|(w, h)| (w + GAP) * (h + ROW_GAP)).sum();
    let widest = sizes.iter().map(|(w, _)| *w).fold((area * RATIO).sqrt().max(NARROW), f64::max);
    let links = rank::acyclic(count, links);
    let leading_out = exits.iter().map(|(item, _)| *item);
    let linked: BTreeSet<usize> = links.iter().flat_map(|(from, to)| [*from, *to]).chain(leading_out).collect();
    let rows = rows(sizes, &links, &linked, widest);
    let mut threads = Threads::through(count, rows, &links, exits);
    order::order(&mut threads.rows, threads.count, &threads.links);
    let width_of = |item: usize| sizes.get(item).map_or(BEND, |(w, _)| *w);
    let widths: Vec<f64> = (0..threads.count).map(width_of).collect();
    let middles = align::align(&threads.rows, &widths, &threads.links, count);
    let middle = |item: usize| middles.get(item).copied().unwrap_or_default();
    let placed = threads.rows.iter().flatten();
    let left = placed.map(|item| middle(*item) - width_of(*item) / 2.0).fold(f64::INFINITY, f64::min);
    let mut drawn = Layered { rects: vec![Rect::default(); count], ..Layered::default() };
    for row in &threads.rows {
        let items: Vec<usize> = row.iter().copied().filter(|item| *item < count).collect();
        let places: Vec<(usize, f64)> = items.iter().map(|item| (*item, middle(*item) - width_of(*item) / 2.0 - left)).collect();
        drawn.add(&places, sizes);
    }
    let bends = |way: &Way| way.iter().map(|(item, row)| Bend { row: *row, x: middle(*item) - left }).collect();
    drawn.bends = threads.ways.iter().map(|(link, way)| (*link, bends(way))).collect();
    drawn.exits = threads.exits.iter().map(|(exit, way)| (*exit, bends(way))).collect();
    let right = threads.rows.iter().flatten().map(|item| middle(*item) + width_of(*item) / 2.0 - left).fold(0.0, f64::max);
    drawn.width = drawn.width.max(right);
    let alone: Vec<usize> = (0..count).filter(|item| !linked.contains(item)).collect();
    shelves(&alone, sizes, widest.max(drawn.width), &mut drawn);
    drawn
}

impl Layered {
    /// Adds a row of items below the others.
    fn add(&mut self, places: &[(usize, f64)], sizes: &[(f64, f64)]) {
        let size = |item: usize| sizes.get(item).copied().unwrap_or_default();
        let h = places.iter().map(|(item, _)| size(*item).1).fold(0.0, f64::max);
        let y = if self.rows.is_empty() { 0.0 } else { self.height + ROW_GAP };
        for (item, x) in places {
            let (w, own) = size(*item);
            self.rects.get_mut(*item).into_iter().for_each(|rect| *rect = Rect { x: *x, y: y + (h - own) / 2.0, w, h: own });
            self.width = self.width.max(x + w);
        }
        self.height = y + h;
        self.rows.push(Line { y, h, items: places.iter().map(|(item, _)| *item).collect() });
    }
}

/// Puts items without links beside each other, the highest first.
fn shelves(alone: &[usize], sizes: &[(f64, f64)], widest: f64, drawn: &mut Layered) {
    let size = |item: usize| sizes.get(item).copied().unwrap_or_default();
    let mut alone = alone.to_vec();
    alone.sort_by(|one, other| size(*other).1.total_cmp(&size(*one).1));
    let mut row: Vec<(usize, f64)> = Vec::new();
    let mut x = 0.0;
    for item in alone {
        if x > 0.0 && x + size(item).0 > widest {
            drawn.add(&std::mem::take(&mut row), sizes);
            x = 0.0;
        }
        row.push((item, x));
        x += size(item).0 + GAP;
    }
    if !row.is_empty() {
        drawn.add(&row, sizes);
    }
}

/// The linked items in rows, those that are too wide broken.
fn rows(sizes: &[(f64, f64)], links: &[(usize, usize)], linked: &BTreeSet<usize>, widest: f64) -> Vec<Vec<usize>> {
    let ranks = rank::ranks(sizes.len(), links);
    let mut by_rank: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for item in linked {
        by_rank.entry(ranks.get(*item).copied().unwrap_or_default()).or_default().push(*item);
    }
    let mut rows = Vec::new();
    for items in by_rank.into_values() {
        let width = |item: &usize| sizes.get(*item).map_or(0.0, |(w, _)| w + GAP);
        let whole: f64 = items.iter().map(width).sum();
        // Rows of about the same width, not one full and one nearly empty.
        let each = whole / (whole / widest).ceil().max(1.0) + GAP;
        let (mut row, mut used) = (Vec::new(), 0.0);
        for item in items {
            let w = width(&item);
            if used > 0.0 && used + w > each {
                rows.push(std::mem::take(&mut row));
                used = 0.0;
            }
            used += w;
            row.push(item);
        }
        rows.push(row);
    }
    rows
}

/// The way of a link past rows: what stands for it in each.
type Way = Vec<(usize, usize)>;

/// Rows in which links that go past one have a place of their own; those that lead to the same item share it.
struct Threads {
    rows: Vec<Vec<usize>>,
    count: usize,
    /// From a row to the next.
    links: Vec<(usize, usize)>,
    ways: BTreeMap<(usize, usize), Way>,
    exits: BTreeMap<Exit, Way>,
    /// What stands in a row for links to an item.
    shared: BTreeMap<(usize, usize), usize>,
}

impl Threads {
    fn through(count: usize, rows: Vec<Vec<usize>>, links: &[(usize, usize)], exits: &BTreeSet<Exit>) -> Self {
        let row_of: BTreeMap<usize, usize> =
            rows.iter().enumerate().flat_map(|(at, row)| row.iter().map(move |item| (*item, at))).collect();
        let last = rows.len();
        let mut threads = Self { rows, count, links: Vec::new(), ways: BTreeMap::new(), exits: BTreeMap::new(), shared: BTreeMap::new() };
        for (from, to) in links {
            let (Some(above), Some(below)) = (row_of.get(from), row_of.get(to)) else { continue };
            let way = threads.past(Some(*from), above + 1..*below, Some(*to));
            threads.ways.insert((*from, *to), way);
        }
        for (item, down) in exits {
            let Some(row) = row_of.get(item) else { continue };
            let mut way = match down {
                true => threads.past(Some(*item), row + 1..last, None),
                false => threads.past(None, 0..*row, Some(*item)),
            };
            if !down {
                way.reverse();
            }
            threads.exits.insert((*item, *down), way);
        }
        threads
    }

    /// A thread past these rows, from above to below.
    fn past(&mut self, from: Option<usize>, rows: std::ops::Range<usize>, to: Option<usize>) -> Way {
        let mut last = from;
        let mut way = Way::new();
        for row in rows {
            let known = to.and_then(|to| self.shared.get(&(to, row))).copied();
            let bend = known.unwrap_or(self.count);
            if known.is_none() {
                self.count += 1;
                self.rows.get_mut(row).into_iter().for_each(|row| row.push(bend));
                self.shared.extend(to.map(|to| ((to, row), bend)));
            }
            self.link(last, Some(bend));
            way.push((bend, row));
            last = Some(bend);
        }
        self.link(last, to);
        way
    }

    fn link(&mut self, from: Option<usize>, to: Option<usize>) {
        if let Some(link) = from.zip(to).filter(|link| !self.links.contains(link)) {
            self.links.push(link);
        }
    }
}
