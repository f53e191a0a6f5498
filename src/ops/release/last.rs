//! The last that a task wrote.

use aws_sdk_cloudwatchlogs::types as api;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::LogLine;
use crate::ops::Deployed;
use crate::ops::task_definition::{Log, TaskDefinition};
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, Outcome};

/// How many lines of a task are shown.
pub const LINES: usize = 10;

/// The last lines of a task's containers together, in order of time: one call for each container whose stream is known.
///
/// # Errors
/// When AWS refuses.
pub async fn lines(deployed: &Deployed<'_>, definition: &TaskDefinition, task: &str) -> Outcome<Vec<LogLine>> {
    let logs = definition.containers.iter().filter_map(|container| Some((container.name.as_str(), container.log.as_ref()?)));
    let streams = logs.filter_map(|(name, log)| Some((name, log, format!("{}{task}", log.streams.as_deref()?))));
    let found = try_join_all(streams.map(async |(name, log, stream)| of_stream(deployed, name, log, &stream).await)).await?;
    Ok(latest(found.into_iter().flatten().collect()))
}

/// The latest of these lines, in order of time.
fn latest(mut lines: Vec<LogLine>) -> Vec<LogLine> {
    lines.sort_by_key(|line| line.at);
    lines.split_off(lines.len().saturating_sub(LINES))
}

async fn of_stream(deployed: &Deployed<'_>, container: &str, log: &Log, stream: &str) -> Outcome<Vec<LogLine>> {
    let aws = deployed.provider.at(&log.site)?;
    let call = aws.logs().get_log_events().log_group_name(&log.group).log_stream_name(stream).start_from_head(false);
    let call = call.limit(i32::try_from(LINES).unwrap_or(i32::MAX));
    // A container that never ran has no stream.
    let found = call.send().await.or_fail("logs:GetLogEvents").or_absent()?;
    let line = |event: &api::OutputLogEvent| LogLine {
        at: event.timestamp().and_then(|time| Timestamp::from_millisecond(time).ok()),
        container: container.to_owned(),
        message: event.message().unwrap_or_default().trim_end().to_owned(),
    };
    Ok::<_, Failure>(found.iter().flat_map(|found| found.events()).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_containers_the_latest_lines_are_kept_in_order_of_time() {
        let line = |second: i64, container: &str| LogLine {
            at: Timestamp::from_second(second).ok(),
            container: container.to_owned(),
            message: second.to_string(),
        };
        let web = (0..8).map(|number| line(number * 2, "web"));
        let side = (0..8).map(|number| line(number * 2 + 1, "side"));
        let kept = latest(web.chain(side).collect());
        let messages: Vec<i64> = kept.iter().map(|line| line.message.parse().unwrap()).collect();
        assert_eq!(messages, (6..16).collect::<Vec<i64>>());
    }
}
