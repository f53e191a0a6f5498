//! Where items are in their rows: as near as possible to the middle of what they are linked with, without touching.

use super::GAP;

/// How often all rows are gone through, down and up.
const ROUNDS: usize = 6;

/// Between links that go past a row, and between one and an item.
const NARROW: f64 = 10.0;

/// The middle of each item. `links` lead from a row to the next one. From `real` on items are only links that go past a row: they
/// pull more, so that long links are straight.
pub fn align(rows: &[Vec<usize>], widths: &[f64], links: &[(usize, usize)], real: usize) -> Vec<f64> {
    let count = widths.len();
    let (mut above, mut below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for (from, to) in links {
        below.get_mut(*from).into_iter().for_each(|all: &mut Vec<usize>| all.push(*to));
        above.get_mut(*to).into_iter().for_each(|all: &mut Vec<usize>| all.push(*from));
    }
    let heavy = |item: usize| item >= real;
    let gap = |one: usize, other: usize| if heavy(one) || heavy(other) { NARROW } else { GAP };
    let mut middles = vec![0.0; count];
    rows.iter().for_each(|row| settle(row, widths, &gap, &mut middles, &|_| None));
    // Nothing is pulled further out than the widest row reaches, so that the picture does not get much wider than that.
    let reach = middles.iter().fold(0.0_f64, |most, middle| most.max(middle.abs()));
    for round in 0..2 * ROUNDS {
        let down = round % 2 == 0;
        let near = if down { &above } else { &below };
        for step in 0..rows.len() {
            let Some(row) = rows.get(if down { step } else { rows.len() - 1 - step }) else { continue };
            let known = middles.clone();
            let wanted = |item: usize| {
                let near = near.get(item).filter(|near| !near.is_empty())?;
                let weight = |other: &usize| if heavy(*other) && heavy(item) { 4.0 } else { 1.0 };
                let sum: f64 = near.iter().map(|other| weight(other) * known.get(*other).copied().unwrap_or_default()).sum();
                let middle = (sum / near.iter().map(weight).sum::<f64>()).clamp(-reach, reach);
                Some((middle, if heavy(item) { 3.0 } else { near.len() as f64 }))
            };
            settle(row, widths, &gap, &mut middles, &wanted);
        }
    }
    middles
}

/// A run of items that stand as close as they may.
struct Run {
    sum: f64,
    weight: f64,
    count: usize,
}

/// Puts the items of a row as near to where each is `wanted` as their order and widths allow: the least sum of squares, which
/// pooling those that push each other finds.
fn settle(
    row: &[usize],
    widths: &[f64],
    gap: &dyn Fn(usize, usize) -> f64,
    middles: &mut [f64],
    wanted: &dyn Fn(usize) -> Option<(f64, f64)>,
) {
    let width = |item: &usize| widths.get(*item).copied().unwrap_or_default();
    let mut offsets = Vec::new();
    let mut at = 0.0;
    let mut last = None;
    for item in row {
        at += last.map_or(0.0, |last| gap(last, *item));
        offsets.push(at + width(item) / 2.0);
        at += width(item);
        last = Some(*item);
    }
    let centre = at / 2.0;
    let mut runs: Vec<Run> = Vec::new();
    for (item, offset) in row.iter().zip(&offsets) {
        let is_first_time = middles.iter().all(|middle| *middle == 0.0);
        let stays = middles.get(*item).copied().unwrap_or_default();
        let stays = if is_first_time { offset - centre } else { stays };
        let (place, weight) = wanted(*item).unwrap_or((stays, 0.1));
        let mut run = Run { sum: (place - offset) * weight, weight, count: 1 };
        while let Some(last) = runs.pop_if(|last| last.sum / last.weight >= run.sum / run.weight) {
            run = Run { sum: run.sum + last.sum, weight: run.weight + last.weight, count: run.count + last.count };
        }
        runs.push(run);
    }
    let starts = runs.iter().flat_map(|run| std::iter::repeat_n(run.sum / run.weight, run.count));
    for ((item, offset), start) in row.iter().zip(&offsets).zip(starts) {
        middles.get_mut(*item).into_iter().for_each(|middle| *middle = start + offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_apart_and_stand_over_what_they_lead_to() {
        let rows = [vec![0], vec![1, 2]];
        let middles = align(&rows, &[100.0, 100.0, 100.0], &[(0, 1), (0, 2)], 3);
        assert!(middles[2] - middles[1] >= 120.0 - 1e-6, "{middles:?}");
        assert!((middles[0] - f64::midpoint(middles[1], middles[2])).abs() < 1.0, "{middles:?}");
    }

    #[test]
    fn a_link_without_others_is_straight() {
        let middles = align(&[vec![0, 1], vec![2, 3]], &[50.0; 4], &[(0, 2), (1, 3)], 4);
        assert!((middles[0] - middles[2]).abs() < 0.5 && (middles[1] - middles[3]).abs() < 0.5, "{middles:?}");
    }
}
