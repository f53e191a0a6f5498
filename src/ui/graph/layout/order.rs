//! The order of items in their rows: each near the middle of what it is linked with, with as few crossings as that gives.

/// How often all rows are gone through.
const ROUNDS: usize = 20;

/// Sorts the rows. `links` lead from a row to the next one.
pub fn order(rows: &mut Vec<Vec<usize>>, count: usize, links: &[(usize, usize)]) {
    let (mut above, mut below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for (from, to) in links {
        below.get_mut(*from).into_iter().for_each(|all: &mut Vec<usize>| all.push(*to));
        above.get_mut(*to).into_iter().for_each(|all: &mut Vec<usize>| all.push(*from));
    }
    let mut best = rows.clone();
    let mut fewest = crossings(rows, count, &below);
    for round in 0..ROUNDS {
        if fewest == 0 {
            break;
        }
        let mut places = places(rows, count);
        let (down, near) = (round % 2 == 0, if round % 2 == 0 { &above } else { &below });
        let last = rows.len();
        for step in 0..last {
            let at = if down { step } else { last - 1 - step };
            let Some(row) = rows.get_mut(at) else { continue };
            let middle = |item: &usize| {
                let own = places.get(*item).copied().unwrap_or_default();
                let near = near.get(*item).map(Vec::as_slice).unwrap_or_default();
                let sum: f64 = near.iter().filter_map(|other| places.get(*other)).sum();
                if near.is_empty() { own } else { sum / near.len() as f64 }
            };
            let mut sorted: Vec<(f64, usize)> = row.iter().map(|item| (middle(item), *item)).collect();
            sorted.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            *row = sorted.into_iter().map(|(_, item)| item).collect();
            number(row, &mut places);
        }
        let now = crossings(rows, count, &below);
        if now < fewest {
            (fewest, best) = (now, rows.clone());
        }
    }
    *rows = best;
}

/// Where each item is in its row, from 0 to 1, so that rows of different lengths compare.
fn places(rows: &[Vec<usize>], count: usize) -> Vec<f64> {
    let mut places = vec![0.0; count];
    rows.iter().for_each(|row| number(row, &mut places));
    places
}

fn number(row: &[usize], places: &mut [f64]) {
    for (at, item) in row.iter().enumerate() {
        let place = (at as f64 + 0.5) / row.len() as f64;
        places.get_mut(*item).into_iter().for_each(|known| *known = place);
    }
}

/// How often links cross between rows.
fn crossings(rows: &[Vec<usize>], count: usize, below: &[Vec<usize>]) -> usize {
    let mut at = vec![0_usize; count];
    for row in rows {
        for (place, item) in row.iter().enumerate() {
            at.get_mut(*item).into_iter().for_each(|known| *known = place);
        }
    }
    let mut sum = 0;
    for row in rows {
        let mut met: Vec<usize> = Vec::new();
        for item in row {
            let mut ends: Vec<usize> = below.get(*item).into_iter().flatten().filter_map(|other| at.get(*other).copied()).collect();
            ends.sort_unstable();
            // Those that began further left and end further right are crossed.
            sum += ends.iter().map(|end| met.len() - met.partition_point(|other| other <= end)).sum::<usize>();
            for end in ends {
                met.insert(met.partition_point(|other| *other <= end), end);
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_cross_are_untangled() {
        let mut rows = vec![vec![0, 1, 2], vec![3, 4, 5]];
        order(&mut rows, 6, &[(0, 5), (1, 4), (2, 3)]);
        let below = [vec![5], vec![4], vec![3], vec![], vec![], vec![]];
        assert_eq!(crossings(&rows, 6, &below), 0);
        assert_eq!(crossings(&[vec![0, 1, 2], vec![3, 4, 5]], 6, &below), 3);
    }
}
