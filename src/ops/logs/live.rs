//! Live Tail: CloudWatch sends events as they arrive (CloudWatch Logs API Reference, StartLiveTail).

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types as api;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::event::Event;
use leoctl_aws::client::{Aws, send_once};
use leoctl_core::model::place::Site;

/// The most log groups of a session (StartLiveTail, `logGroupIdentifiers`).
pub const MOST_GROUPS: usize = 10;
/// How long beginning a session may take.
const CONNECT: Duration = Duration::from_secs(10);
/// A session says something every second: one that is silent for this long is dead.
const SILENCE: Duration = Duration::from_secs(30);
/// How long to wait before a session that ended is begun anew.
const ANEW: Duration = Duration::from_secs(1);
/// How long to wait when that fails.
const AGAIN: Duration = Duration::from_secs(30);

/// The log groups of a session, of one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Where they are.
    pub site: Site,
    /// Their names.
    pub names: Vec<String>,
}

impl Groups {
    /// Their ARNs, without `:*` at the end as the API wants them.
    fn arns(&self) -> Vec<String> {
        let Site { account, region } = &self.site;
        let partition = leoctl_aws::partition(region);
        self.names.iter().map(|name| format!("arn:{partition}:logs:{region}:{account}:log-group:{name}")).collect()
    }

    /// The name of the group that an identifier names: itself, `account:name` or an ARN.
    fn name(&self, identifier: &str) -> Option<&String> {
        let identifier = identifier.strip_suffix(":*").unwrap_or(identifier);
        self.names.iter().find(|name| identifier.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with(':')))
    }

    fn event(&self, event: &api::LiveTailSessionLogEvent) -> Option<Event> {
        Some(Event {
            time: event.timestamp().unwrap_or_default(),
            group: self.name(event.log_group_identifier().unwrap_or_default())?.clone(),
            stream: event.log_stream_name().unwrap_or_default().to_owned(),
            message: event.message().unwrap_or_default().to_owned(),
            id: None,
        })
    }
}

/// What a region's session has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// From now on events come.
    Up,
    /// Events came.
    Events {
        /// The events.
        events: Vec<Event>,
        /// Whether there were more than are sent.
        sampled: bool,
    },
    /// The session has ended.
    Down,
}

/// Keeps a session going for as long as it can be begun at all, and tells what comes of it.
pub async fn keep(aws: Arc<Aws>, groups: Groups, filter: Option<String>, news: Sender<(Site, News)>) {
    let mut ever = false;
    loop {
        let call = aws.logs().start_live_tail().set_log_group_identifiers(Some(groups.arns()));
        let call = call.set_log_event_filter_pattern(filter.clone());
        let pause = match timeout(CONNECT, send_once!(aws_sdk_cloudwatchlogs, call)).await {
            Ok(Ok(mut session)) => {
                let mut up = false;
                while let Ok(Ok(Some(said))) = timeout(SILENCE, session.response_stream.recv()).await {
                    if !up && tell(&news, &groups, News::Up).await.is_none() {
                        return;
                    }
                    (up, ever) = (true, true);
                    let api::StartLiveTailResponseStream::SessionUpdate(update) = said else { continue };
                    let events = update.session_results().iter().filter_map(|event| groups.event(event)).collect();
                    let sampled = update.session_metadata().is_some_and(|metadata| metadata.sampled());
                    if tell(&news, &groups, News::Events { events, sampled }).await.is_none() {
                        return;
                    }
                }
                if up && tell(&news, &groups, News::Down).await.is_none() {
                    return;
                }
                ANEW
            }
            _ => AGAIN,
        };
        if !ever {
            // Not to be had here: not implemented, not allowed, not reached. The events are read the other way.
            tracing::debug!(region = groups.site.region, "no Live Tail");
            return;
        }
        sleep(pause).await;
    }
}

async fn tell(news: &Sender<(Site, News)>, groups: &Groups, what: News) -> Option<()> {
    news.send((groups.site.clone(), what)).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_by_arn_and_recognised_however_they_are_named() {
        let names = vec!["/ecs/app".to_owned(), "app".to_owned()];
        let groups = Groups { site: Site::new("1", "us-gov-west-1"), names };
        assert_eq!(groups.arns()[0], "arn:aws-us-gov:logs:us-gov-west-1:1:log-group:/ecs/app");
        for identifier in ["/ecs/app", "1:/ecs/app", "arn:aws:logs:r:1:log-group:/ecs/app", "arn:aws:logs:r:1:log-group:/ecs/app:*"] {
            assert_eq!(groups.name(identifier).unwrap(), "/ecs/app");
        }
        assert_eq!(groups.name("1:app").unwrap(), "app");
        assert_eq!(groups.name("1:/ecs/other"), None);
    }
}
