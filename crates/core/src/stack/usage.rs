//! How much a stack is used: what `leoctl cost` assumes where the stack file does not say what things cost.

use std::collections::BTreeMap;

use crate::model::address::Block;

/// Something that is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use(&'static str);

/// What is known of an assumption.
#[derive(Clone, Copy, Debug)]
pub struct Assumption {
    /// What it is.
    pub use_of: Use,
    /// Its value when nothing is written; none where the stack itself says it, or nobody can.
    pub default: Option<f64>,
    /// The most it can be.
    pub most: f64,
    /// What it is, in words.
    pub doc: &'static str,
    /// The types it is about.
    pub types: &'static [&'static str],
}

macro_rules! assumptions {
    ($($constant:ident $name:literal $default:expr, $most:expr, $types:expr, $doc:literal;)*) => {
        impl Use {
            $(#[doc = $doc] pub const $constant: Self = Self($name);)*
        }

        /// Everything that can be assumed, in the order it is shown in.
        pub const ASSUMPTIONS: &[Assumption] =
            &[$(Assumption { use_of: Use::$constant, default: $default, most: $most, doc: $doc, types: $types }),*];
    };
}

const ANY: f64 = f64::MAX;
const TASK: &[&str] = &["ecs_task_definition"];

assumptions! {
    HOURS "hours" Some(730.0), 744.0, &["ecs_service", "eip", "instance", "lb", "nat_gateway", "vpc_endpoint"], "hours a month that things run";
    TASKS "tasks" None, ANY, &["ecs_service"], "tasks of a service, on average; its desired count when left out";
    SPOT_DISCOUNT "fargate_spot_discount" Some(70.0), 100.0, &["ecs_service"], "percent that Fargate Spot is cheaper: AWS says up to 70";
    TASK_RUNS "task_runs" Some(100.0), ANY, TASK, "runs a month of a task that is started on demand";
    TASK_MINUTES "task_minutes" Some(15.0), 44_640.0, TASK, "minutes that such a run takes";
    TASK_ADDRESSES "task_public_ipv4" Some(1.0), 1.0, TASK, "public IPv4 addresses that such a run has";
    LB_CAPACITY "lb_capacity_units" Some(0.1), ANY, &["lb"], "capacity units of a load balancer in use, on average";
    NAT_GB "nat_gb" Some(10.0), ANY, &["nat_gateway"], "GB a month through a NAT gateway";
    ENDPOINT_GB "vpc_endpoint_gb" Some(10.0), ANY, &["vpc_endpoint"], "GB a month through an interface endpoint";
    DATA_OUT_GB "data_out_gb" Some(10.0), ANY, &["ecs_service", "instance", "lb", "nat_gateway"], "GB a month out to the internet";
    EFS_GB "efs_gb" Some(10.0), ANY, &["efs_file_system"], "GB in a file system";
    EFS_IA_GB "efs_ia_gb" Some(0.0), ANY, &["efs_file_system"], "GB in a file system that are in Infrequent Access";
    EFS_READ_GB "efs_read_gb" Some(10.0), ANY, &["efs_file_system"], "GB a month read from a file system with elastic throughput";
    EFS_WRITE_GB "efs_write_gb" Some(10.0), ANY, &["efs_file_system"], "GB a month written to a file system with elastic throughput";
    BACKUP_GB "backup_gb" Some(10.0), ANY, &["backup_vault", "efs_file_system"], "GB of backups";
    S3_GB "s3_gb" Some(10.0), ANY, &["s3_bucket"], "GB in a bucket";
    S3_WRITES "s3_writes" Some(10_000.0), ANY, &["s3_bucket"], "requests a month that write to or list a bucket";
    S3_READS "s3_reads" Some(100_000.0), ANY, &["s3_bucket"], "requests a month that read from a bucket";
    ECR_GB "ecr_gb" Some(1.0), ANY, &["ecr_repository"], "GB of images in a repository";
    LOG_GB "log_gb" Some(1.0), ANY, &["cloudwatch_log_group"], "GB a month of logs into a log group";
    INSIGHTS_METRICS "container_insights_metrics" None, ANY, &["ecs_cluster"], "metrics that Container Insights makes of a cluster";
    DNS_QUERIES "dns_queries" Some(100_000.0), ANY, &["route53_zone"], "queries a month to a public zone";
    SNS_MESSAGES "sns_messages" Some(1_000.0), ANY, &["sns_topic", "sns_topic_subscription"], "messages a month to a topic";
    SCHEDULE_CALLS "schedule_calls" Some(1_000.0), ANY, &["scheduler_schedule"], "calls a month of a schedule";
}

impl Use {
    /// Its name in the stack file.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// The assumption of a name.
pub fn assumption(name: &str) -> Option<&'static Assumption> {
    ASSUMPTIONS.iter().find(|assumption| assumption.use_of.name() == name)
}

/// What a stack file says of its use: `[cost]`, and `[cost.TYPE.NAME]` for one of its resources.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// What is said of all resources.
    pub all: BTreeMap<Use, f64>,
    /// What is said of one block.
    pub blocks: BTreeMap<Block, BTreeMap<Use, f64>>,
}

impl Usage {
    /// What is assumed of a block's resources; none when nobody said and there is no default.
    pub fn of(&self, block: &Block, wanted: Use) -> Option<f64> {
        let own = self.blocks.get(block).and_then(|own| own.get(&wanted));
        own.or_else(|| self.all.get(&wanted)).copied().or_else(|| assumption(wanted.name())?.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_resource_goes_before_what_is_said_of_all_and_before_the_default() {
        let (app, other) = (Block::new("cloudwatch_log_group", "app"), Block::new("cloudwatch_log_group", "other"));
        let mut usage = Usage::default();
        assert_eq!(usage.of(&app, Use::LOG_GB), Some(1.0));
        assert_eq!(usage.of(&app, Use::TASKS), None);
        usage.all.insert(Use::LOG_GB, 5.0);
        usage.blocks.entry(app.clone()).or_default().insert(Use::LOG_GB, 7.0);
        assert_eq!((usage.of(&app, Use::LOG_GB), usage.of(&other, Use::LOG_GB)), (Some(7.0), Some(5.0)));
    }
}
