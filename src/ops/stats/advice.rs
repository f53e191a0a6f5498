//! Which size a task should have, by what it used: a P99 above 90 % asks for more, a P95 below 50 % for less.

use serde::Serialize;

use super::fargate::{Size, fitting};
use super::metrics::Summary;

/// A P99 above this share of the size is too near to the end: memory kills there, CPU waits.
const HIGH: f64 = 90.0;
/// A P95 below this share of the size is paid for and not used.
const LOW: f64 = 50.0;

/// What the use of a resource asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// More.
    Raise,
    /// Less.
    Lower,
    /// Nothing.
    Keep,
}

/// How much of a task's size is used, in percent of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Use {
    /// CPU.
    pub cpu: Option<Summary>,
    /// Memory.
    pub memory: Option<Summary>,
}

/// What to make of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// What CPU asks for.
    pub cpu: Verdict,
    /// What memory asks for.
    pub memory: Verdict,
    /// The size that fits; none when there is none so large.
    pub size: Option<Size>,
}

/// What a use asks for.
fn verdict(used: Option<&Summary>) -> Verdict {
    match used {
        Some(used) if used.p99 > HIGH => Verdict::Raise,
        Some(used) if used.p95 < LOW => Verdict::Lower,
        _ => Verdict::Keep,
    }
}

/// The size a task should have: of what is not to change at least as much as now, of the rest so much that the P99 is
/// no more than 90 % of it. Of memory the most that was used counts, as one value too many kills a task.
pub fn sizing(now: Size, used: &Use) -> Sizing {
    let (cpu, memory) = (verdict(used.cpu.as_ref()), verdict(used.memory.as_ref()));
    let need = Size {
        cpu: need(now.cpu, cpu, used.cpu.as_ref().map(|used| used.p99 / HIGH)),
        memory: need(now.memory, memory, used.memory.as_ref().map(|used| used.peak / HIGH)),
    };
    Sizing { cpu, memory, size: fitting(need) }
}

/// How much is needed, given which share of what there is now is.
fn need(now: i64, verdict: Verdict, share: Option<f64>) -> i64 {
    let wanted = |share: f64| (now as f64 * share).ceil() as i64;
    match (verdict, share) {
        // The next valid size is above the present one even where the peak barely asks for it.
        (Verdict::Raise, Some(share)) => wanted(share).max(now + 1),
        (Verdict::Lower, Some(share)) => wanted(share).min(now),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(p95: f64, p99: f64, peak: f64) -> Option<Summary> {
        Some(Summary { p50: 1.0, p95, p99, peak, of_maxima: false })
    }

    fn sizes(now: (i64, i64), cpu: Option<Summary>, memory: Option<Summary>) -> Option<(i64, i64)> {
        sizing(Size { cpu: now.0, memory: now.1 }, &Use { cpu, memory }).size.map(|size| (size.cpu, size.memory))
    }

    #[test]
    fn the_new_size_is_one_that_would_not_be_advised_against() {
        // Memory near its end: the next step is enough, or it takes more of them.
        assert_eq!(sizes((1024, 2048), used(60.0, 80.0, 100.0), used(90.0, 93.0, 95.0)), Some((1024, 3072)));
        assert_eq!(sizes((1024, 2048), None, used(99.0, 100.0, 100.0)), Some((1024, 3072)));
        assert_eq!(sizes((256, 2048), None, used(99.0, 99.0, 99.0)), Some((512, 3072)));
        // Little used: as small as the P99 and the peak allow.
        assert_eq!(sizes((1024, 8192), used(60.0, 80.0, 99.0), used(20.0, 22.0, 25.0)), Some((1024, 3072)));
        assert_eq!(sizes((1024, 8192), used(60.0, 80.0, 99.0), used(20.0, 22.0, 60.0)), Some((1024, 6144)));
        // Both.
        assert_eq!(sizes((4096, 8192), used(5.0, 10.0, 90.0), used(20.0, 22.0, 25.0)), Some((512, 3072)));
    }

    #[test]
    fn what_cannot_be_smaller_stays() {
        // Four vCPU have at least 8 GB.
        let busy = used(80.0, 85.0, 99.0);
        assert_eq!(sizes((4096, 8192), busy, used(20.0, 22.0, 25.0)), Some((4096, 8192)));
        assert_eq!(sizes((256, 512), used(1.0, 1.0, 1.0), used(1.0, 1.0, 1.0)), Some((256, 512)));
        assert_eq!(sizes((1024, 2048), None, None), Some((1024, 2048)));
        assert_eq!(sizes((1024, 2048), used(60.0, 90.0, 99.0), used(50.0, 90.0, 99.0)), Some((1024, 2048)));
    }

    #[test]
    fn there_is_no_size_above_the_largest() {
        assert_eq!(sizes((16_384, 122_880), None, used(99.0, 99.0, 99.0)), None);
    }
}
