//! What is known not to converge: data for who mends it, counted apart from everything else and shown in every run.

use super::deed::Deed;

/// A kind of points.
struct Known {
    /// The types.
    types: &'static [&'static str],
    deed: Deed,
    /// What the phase's name begins with.
    phase: &'static str,
    why: &'static str,
}

const ZONE: &str = "a zone gets its tags after it is made: killed in between, and the state is older, nothing tells whose it is";

/// What has no tags.
const UNTAGGED: &[&str] = &[
    "route53_record",
    "kms_alias",
    "efs_mount_target",
    "backup_selection",
    "sns_topic_subscription",
    "cloudwatch_log_metric_filter",
    "appautoscaling_policy",
    "appautoscaling_scheduled_action",
    "scheduler_schedule",
];

/// A stack of several types.
const WHOLE_STACK: &[&str] = &["a whole stack"];

const KNOWN: &[Known] = &[
    Known {
        types: UNTAGGED,
        deed: Deed::Foreign,
        phase: "delete",
        why: "whose it is cannot be told of what has no tags: what another stack has made in its place is deleted",
    },
    Known {
        types: UNTAGGED,
        deed: Deed::Older,
        phase: "set",
        why: "whose it is cannot be told of what has no tags: a successor that an older state does not know is refused",
    },
    Known { types: WHOLE_STACK, deed: Deed::Older, phase: "change", why: "the same in the stack of equal names, which has an alias" },
    Known { types: WHOLE_STACK, deed: Deed::Foreign, phase: "delete", why: "the same in the stack of equal names, which has an alias" },
    Known { types: &["route53_zone"], deed: Deed::Older, phase: "create", why: ZONE },
    Known { types: &["route53_zone"], deed: Deed::Older, phase: "set other.", why: ZONE },
    Known {
        types: &["secretsmanager_secret"],
        deed: Deed::Region,
        phase: "set replica_regions",
        why: "where the secret is to be, AWS has its replica under the same name",
    },
];

/// Why a point is known not to converge; nothing, if it is not.
pub fn why(type_name: Option<&str>, phase: &str, deed: Deed) -> Option<&'static str> {
    let known = KNOWN.iter().find(|known| {
        let of = known.types.contains(&type_name.unwrap_or(WHOLE_STACK[0]));
        of && known.deed == deed && phase.starts_with(known.phase)
    });
    known.map(|known| known.why)
}
