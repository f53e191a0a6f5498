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

const KNOWN: &[Known] = &[
    Known {
        types: &[
            "route53_record",
            "kms_alias",
            "efs_mount_target",
            "backup_selection",
            "sns_topic_subscription",
            "cloudwatch_log_metric_filter",
        ],
        deed: Deed::Foreign,
        phase: "delete",
        why: "whose it is cannot be told of what has no tags: what another stack has made in its place is deleted",
    },
    Known {
        types: &[
            "route53_record",
            "kms_alias",
            "efs_mount_target",
            "backup_selection",
            "sns_topic_subscription",
            "cloudwatch_log_metric_filter",
        ],
        deed: Deed::Older,
        phase: "set",
        why: "whose it is cannot be told of what has no tags: a successor that an older state does not know is refused",
    },
    Known { types: &["kms_alias"], deed: Deed::Older, phase: "change", why: "the same in the stack of equal names, which has an alias" },
    Known {
        types: &["route53_zone"],
        deed: Deed::Older,
        phase: "",
        why: "a zone gets its tags after it is made: killed in between, and the state is older, nothing tells whose it is",
    },
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
        let of = type_name.is_none_or(|name| known.types.contains(&name));
        of && known.deed == deed && phase.starts_with(known.phase)
    });
    known.map(|known| known.why)
}
