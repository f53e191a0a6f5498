//! How long ago something was, as people say it.

use jiff::Timestamp;

/// `3 min ago`, in the largest unit that has passed.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_the_largest_unit_and_clocks_that_disagree_are_no_matter() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let ago = |seconds: i64| super::ago(Timestamp::from_second(1_000_000 - seconds).unwrap(), now);
        assert_eq!([ago(-5), ago(59), ago(60), ago(7200), ago(172_800)], ["0 s ago", "59 s ago", "1 min ago", "2 h ago", "2 days ago"]);
    }
}
