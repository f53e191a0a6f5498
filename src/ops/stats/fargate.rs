//! The sizes of tasks on Fargate.

use serde::Serialize;

use leoctl_aws::ecs::task_definition::FARGATE;

/// A size of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Size {
    /// CPU units, of which 1024 are a vCPU.
    pub cpu: i64,
    /// Memory in MiB.
    pub memory: i64,
}

/// The smallest size with at least this much of both; nothing when there is none so large.
///
/// A vCPU costs as much as nine GB, and its least memory grows with it: the least CPU is also the least money.
pub fn fitting(need: Size) -> Option<Size> {
    FARGATE.iter().filter(|(cpu, _, most, _)| *cpu >= need.cpu && *most >= need.memory).find_map(|(cpu, least, most, step)| {
        let memory = match step {
            0 => [512, 1024, 2048].into_iter().find(|memory| *memory >= need.memory)?,
            step => least + (need.memory - least).max(0).div_euclid(*step) * step,
        };
        let memory = if memory < need.memory { memory + step } else { memory };
        (memory <= *most).then_some(Size { cpu: *cpu, memory })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cpu: i64, memory: i64) -> Option<(i64, i64)> {
        fitting(Size { cpu, memory }).map(|size| (size.cpu, size.memory))
    }

    #[test]
    fn the_next_valid_size_has_enough_of_both() {
        assert_eq!(of(1, 1), Some((256, 512)));
        assert_eq!(of(256, 513), Some((256, 1024)));
        assert_eq!(of(256, 2049), Some((512, 3072)));
        assert_eq!(of(300, 600), Some((512, 1024)));
        assert_eq!(of(1024, 2048), Some((1024, 2048)));
        assert_eq!(of(1024, 2049), Some((1024, 3072)));
        assert_eq!(of(4096, 4096), Some((4096, 8192)));
        assert_eq!(of(4096, 30_721), Some((8192, 32_768)));
        assert_eq!(of(8192, 61_441), Some((16_384, 65_536)));
        assert_eq!(of(16_384, 122_880), Some((16_384, 122_880)));
        assert_eq!(of(256, 122_881), None);
        assert_eq!(of(16_385, 1), None);
    }

    #[test]
    fn every_size_fits_itself() {
        for (cpu, least, most, step) in FARGATE {
            let memories: Vec<i64> = if step == 0 {
                vec![512, 1024, 2048]
            } else {
                (0..).map(|n| least + n * step).take_while(|memory| *memory <= most).collect()
            };
            assert_eq!(memories.last(), Some(&most));
            memories.iter().for_each(|memory| assert_eq!(of(cpu, *memory), Some((cpu, *memory))));
        }
    }
}
