//! The row of each item: above everything that it leads to.

/// The links without those that close a cycle: those are turned round.
pub fn acyclic(count: usize, links: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    links.iter().for_each(|(from, to)| next.get_mut(*from).into_iter().for_each(|next| next.push(*to)));
    let mut walk = Walk { next, marks: vec![Mark::New; count], kept: Vec::new() };
    (0..count).for_each(|start| walk.from(start));
    let mut kept = walk.kept;
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// A walk in depth.
struct Walk {
    next: Vec<Vec<usize>>,
    marks: Vec<Mark>,
    kept: Vec<(usize, usize)>,
}

impl Walk {
    fn mark(&mut self, item: usize, mark: Mark) {
        self.marks.get_mut(item).into_iter().for_each(|old| *old = mark);
    }

    /// Walks from an item that has not been met, with a list of its own: chains may be long.
    fn from(&mut self, start: usize) {
        if self.marks.get(start) != Some(&Mark::New) {
            return;
        }
        self.mark(start, Mark::Open);
        let mut open = vec![(start, 0)];
        while let Some((item, at)) = open.pop() {
            let Some(to) = self.next.get(item).and_then(|next| next.get(at)).copied() else {
                self.mark(item, Mark::Done);
                continue;
            };
            open.push((item, at + 1));
            match self.marks.get(to) {
                Some(Mark::Open) => self.kept.push((to, item)),
                Some(Mark::New) => {
                    self.kept.push((item, to));
                    self.mark(to, Mark::Open);
                    open.push((to, 0));
                }
                _ => self.kept.push((item, to)),
            }
        }
    }
}

/// The row of each item, from 0 on, for links without circles. What nothing leads to stands close to what it leads to.
pub fn ranks(count: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0_usize; count];
    let get = |ranks: &[usize], item: usize| ranks.get(item).copied().unwrap_or_default();
    // The longest way from above.
    for _ in 0..count {
        let mut moved = false;
        for (from, to) in links {
            let wanted = get(&ranks, *from) + 1;
            if let Some(rank) = ranks.get_mut(*to).filter(|rank| **rank < wanted) {
                *rank = wanted;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    for item in 0..count {
        let is_reached = links.iter().any(|(_, to)| *to == item);
        let below = links.iter().filter(|(from, _)| *from == item).map(|(_, to)| get(&ranks, *to)).min();
        if let (false, Some(below), Some(rank)) = (is_reached, below, ranks.get_mut(item)) {
            *rank = below.saturating_sub(1);
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_opened_where_it_closes() {
        assert_eq!(acyclic(3, &[(0, 1), (1, 2), (2, 0)]), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!(acyclic(2, &[(0, 1), (1, 0)]), [(0, 1)]);
    }

    #[test]
    fn everything_stands_above_what_it_leads_to() {
        assert_eq!(ranks(4, &[(0, 1), (1, 2), (3, 2)]), [0, 1, 2, 1]);
        assert_eq!(ranks(4, &[(0, 1), (0, 2), (1, 2), (2, 3)]), [0, 1, 2, 3]);
    }
}
