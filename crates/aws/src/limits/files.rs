//! How many connections may be open: each is one of the files that the system lets this process have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as leoctl ever needs.
const ENOUGH: u64 = 1024;
/// What it has open beside connections.
const OTHERS: u64 = 48;
/// The most calls that are under way at once.
const AT_ONCE: u64 = 96;
/// As many services as are called in a run.
const SERVICES: u64 = 20;
/// The most connections to one service that are kept for later calls.
const MOST_IDLE: u64 = 32;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// With a call on them.
    pub at_once: usize,
    /// Without, to each service.
    pub idle: usize,
}

impl Connections {
    /// As many as the system allows: of what it would allow if asked, so much is asked for.
    pub fn allowed() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let (now, most) = (limit.current.unwrap_or(ENOUGH), limit.maximum.unwrap_or(ENOUGH).min(ENOUGH));
        let raised = now < most && setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).is_ok();
        Self::of(if raised { most } else { now })
    }

    fn of(files: u64) -> Self {
        let left = files.min(ENOUGH).saturating_sub(OTHERS);
        let at_once = AT_ONCE.min(left / 2).max(1);
        let idle = (left.saturating_sub(at_once) / SERVICES).min(MOST_IDLE);
        // Neither is above 96.
        Self { at_once: at_once as usize, idle: idle as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_to_all_services_leave_files_for_the_rest() {
        for files in [64, 128, 256, 1024, 1_000_000] {
            let Connections { at_once, idle } = Connections::of(files);
            let open = u64::try_from(at_once + idle * 20).unwrap();
            assert!(at_once > 0 && open + OTHERS <= files, "{files}: {at_once} and {idle}");
        }
        assert_eq!(Connections::of(256), Connections { at_once: 96, idle: 5 });
        assert_eq!(Connections::of(u64::MAX), Connections { at_once: 96, idle: 32 });
    }
}
