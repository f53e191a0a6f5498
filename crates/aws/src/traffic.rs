//! Calls that are under way, for people who wait for their answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What has been sent and what has been answered.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// How many calls of each operation wait for an answer.
    waiting: BTreeMap<String, u64>,
    answered: u64,
}

impl Traffic {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call of an operation (`service:Operation`) goes out.
    pub(crate) fn sent(&self, operation: &str) {
        *self.counts().waiting.entry(operation.to_owned()).or_default() += 1;
    }

    /// A call of an operation has been answered, or will not be.
    pub(crate) fn ended(&self, operation: &str, answered: bool) {
        let mut counts = self.counts();
        counts.answered += u64::from(answered);
        if let Some(waiting) = counts.waiting.get_mut(operation) {
            *waiting -= 1;
            if *waiting == 0 {
                counts.waiting.remove(operation);
            }
        }
    }

    /// The services whose answers are waited for, as IAM names them.
    pub fn services(&self) -> BTreeSet<String> {
        let counts = self.counts();
        counts.waiting.keys().filter_map(|operation| operation.split(':').next()).map(str::to_owned).collect()
    }

    /// How many calls have been answered so far.
    pub fn answered(&self) -> u64 {
        self.counts().answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_waited_for_until_their_last_call_has_ended() {
        let traffic = Traffic::default();
        for operation in ["ec2:DescribeVpcs", "ec2:DescribeVpcs", "ecs:ListTasks"] {
            traffic.sent(operation);
        }
        assert_eq!(traffic.services().into_iter().collect::<Vec<_>>(), ["ec2", "ecs"]);
        traffic.ended("ec2:DescribeVpcs", true);
        traffic.ended("ecs:ListTasks", false);
        assert_eq!((traffic.services().into_iter().collect::<Vec<_>>(), traffic.answered()), (vec!["ec2".to_owned()], 1));
        // One that ends twice does no harm.
        traffic.ended("ecs:ListTasks", false);
    }
}
