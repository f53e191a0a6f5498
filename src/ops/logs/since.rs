//! How far back to read.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// A point in the past: some time ago, or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// This long ago.
    Ago(SignedDuration),
    /// At this moment.
    At(Timestamp),
}

impl Since {
    /// The moment, in milliseconds since 1970, as CloudWatch Logs has it.
    pub fn millisecond(self, now: Timestamp) -> i64 {
        match self {
            Self::Ago(ago) => now.as_millisecond().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)).max(0),
            Self::At(moment) => moment.as_millisecond().max(0),
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(moment) = text.parse() {
            return Ok(Self::At(moment));
        }
        let wrong = || "expected a time such as 30s, 15m, 1h or 2d, or 2026-01-31T09:00:00Z".to_owned();
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let number: i64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let seconds = number.checked_mul(seconds).filter(|seconds| *seconds >= 0).ok_or_else(wrong)?;
        Ok(Self::Ago(SignedDuration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        let before = |text: &str| text.parse::<Since>().map(|since| now.as_millisecond() - since.millisecond(now));
        assert_eq!(before("30s"), Ok(30_000));
        assert_eq!(before("15m"), Ok(900_000));
        assert_eq!(before("1h"), Ok(3_600_000));
        assert_eq!(before("2d"), Ok(172_800_000));
        assert_eq!(before("2026-01-31T09:00:00Z"), Ok(3_600_000));
        assert_eq!(before("2026-01-31T09:00:00+01:00"), Ok(7_200_000));
        for wrong in ["", "h", "1", "1w", "-1h", "yesterday", "9223372036854775807d", "1é"] {
            assert!(before(wrong).is_err(), "{wrong}");
        }
        // Longer ago than there are logs.
        assert_eq!("99999999d".parse::<Since>().map(|since| since.millisecond(now)), Ok(0));
    }
}
