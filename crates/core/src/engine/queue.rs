//! The ready queue: which tasks can run now. Pure; the executor around it does the work.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tasks and what they wait for.
#[derive(Debug)]
pub struct Queue<T> {
    waits: BTreeMap<T, BTreeSet<T>>,
    dependents: BTreeMap<T, Vec<T>>,
    ready: VecDeque<T>,
}

impl<T: Ord + Clone> Queue<T> {
    /// A queue of tasks in order, each with what it waits for.
    pub fn new(tasks: Vec<(T, BTreeSet<T>)>) -> Self {
        let mut queue = Self { waits: BTreeMap::new(), dependents: BTreeMap::new(), ready: VecDeque::new() };
        for (task, on) in tasks {
            for cause in &on {
                queue.dependents.entry(cause.clone()).or_default().push(task.clone());
            }
            if on.is_empty() {
                queue.ready.push_back(task);
            } else {
                queue.waits.insert(task, on);
            }
        }
        queue
    }

    /// The next task that can run.
    pub fn pop(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// A task is done: what waited for it alone becomes ready.
    pub fn finish(&mut self, task: &T) {
        for waiting in self.dependents.remove(task).unwrap_or_default() {
            let Some(on) = self.waits.get_mut(&waiting) else { continue };
            on.remove(task);
            if on.is_empty() {
                self.waits.remove(&waiting);
                self.ready.push_back(waiting);
            }
        }
    }

    /// A task failed: everything that waits for it, directly or not, is taken out and returned.
    pub fn fail(&mut self, task: &T) -> Vec<T> {
        let mut lost: Vec<T> = Vec::new();
        let mut causes = vec![task.clone()];
        while let Some(cause) = causes.pop() {
            for task in self.dependents.remove(&cause).unwrap_or_default() {
                if self.waits.remove(&task).is_some() {
                    causes.push(task.clone());
                    lost.push(task);
                }
            }
        }
        lost
    }

    /// Everything that has not been popped, taken out.
    pub fn drain(&mut self) -> Vec<T> {
        self.ready.drain(..).chain(std::mem::take(&mut self.waits).into_keys()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_failure_takes_out_what_depends_on_it_and_nothing_else() {
        let mut queue = Queue::new(vec![(1, [].into()), (2, [1].into()), (3, [2].into()), (4, [].into())]);
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.fail(&1), [2, 3]);
        assert_eq!(queue.pop(), Some(4));
        assert_eq!(queue.pop(), None);
    }

    proptest! {
        #[test]
        fn every_task_runs_once_and_after_what_it_waits_for(edges in proptest::collection::vec((0_usize..20, 0_usize..20), 0..60)) {
            let mut tasks: Vec<(usize, BTreeSet<usize>)> = (0..20).map(|task| (task, BTreeSet::new())).collect();
            for (a, b) in edges {
                if a != b {
                    tasks[a.max(b)].1.insert(a.min(b));
                }
            }
            let waits = tasks.clone();
            let mut queue = Queue::new(tasks);
            let mut done = Vec::new();
            while let Some(task) = queue.pop() {
                prop_assert!(waits[task].1.iter().all(|on| done.contains(on)));
                prop_assert!(!done.contains(&task));
                queue.finish(&task);
                done.push(task);
            }
            prop_assert_eq!(done.len(), 20);
        }
    }
}
