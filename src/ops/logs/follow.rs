//! Following logs: Live Tail where it is to be had, and reading again where it is not, or has left something out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::live::{self, Groups, MOST_GROUPS, News};
use super::source::Source;
use super::tail::{Show, Tail};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::place::Site;

/// How often logs are read where they are not sent.
const POLL: Duration = Duration::from_secs(2);
/// How long after a session began, or left something out, the events of that time can surely be read.
const SETTLED: Duration = Duration::from_secs(10);

/// Shows what comes until told to stop, or nobody wants more.
///
/// # Errors
/// When AWS refuses.
pub async fn follow(tail: &mut Tail<'_>, mut stop: watch::Receiver<bool>, show: &mut Show<'_>) -> Outcome<()> {
    tokio::select! {
        outcome = following(tail, show) => outcome,
        Ok(_) = stop.wait_for(|stop| *stop) => Ok(()),
    }
}

async fn following(tail: &mut Tail<'_>, show: &mut Show<'_>) -> Outcome<()> {
    let (sender, mut news) = mpsc::channel(64);
    let mut sessions = JoinSet::new();
    let sites = sites(&tail.sources);
    for groups in sites.iter().filter(|groups| groups.names.len() <= MOST_GROUPS) {
        let aws = tail.provider.at(&groups.site)?;
        sessions.spawn(live::keep(aws, groups.clone(), tail.filter.clone(), sender.clone()));
    }
    let mut reading = Reading::new(sites.len());
    loop {
        tokio::select! {
            () = sleep_until(reading.due.unwrap_or_else(Instant::now)), if reading.due.is_some() => {
                if !tail.poll(show).await? {
                    return Ok(());
                }
                reading.read(Instant::now());
            }
            Some((site, news)) = news.recv() => {
                if let News::Events { events, .. } = &news
                    && !events.iter().all(|event| tail.came(event, show))
                {
                    return Ok(());
                }
                reading.hear(site, &news, Instant::now());
                if reading.due.is_none() {
                    tail.read_until(Timestamp::now().as_millisecond());
                }
            }
        }
    }
}

/// The groups to be had live, by where they are.
fn sites(sources: &[Source]) -> Vec<Groups> {
    let mut names: BTreeMap<&Site, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        names.entry(&source.site).or_default().insert(&source.group);
    }
    let groups =
        names.into_iter().map(|(site, names)| Groups { site: site.clone(), names: names.into_iter().map(str::to_owned).collect() });
    groups.collect()
}

/// When to read: all the time while one of the sites is not live, and otherwise when something may have been left out.
#[derive(Debug)]
struct Reading {
    sites: usize,
    live: BTreeSet<Site>,
    due: Option<Instant>,
}

impl Reading {
    fn new(sites: usize) -> Self {
        Self { sites, live: BTreeSet::new(), due: Some(Instant::now()) }
    }

    fn all_live(&self) -> bool {
        self.live.len() == self.sites
    }

    /// Everything has been read.
    fn read(&mut self, now: Instant) {
        self.due = (!self.all_live()).then(|| now + POLL);
    }

    fn hear(&mut self, site: Site, news: &News, now: Instant) {
        match news {
            News::Up => {
                self.live.insert(site);
                if self.all_live() {
                    // What came before the session may be found only later, and is not sent.
                    self.due = Some(now + SETTLED);
                }
            }
            News::Events { sampled, .. } => {
                if *sampled && self.due.is_none() {
                    self.due = Some(now + SETTLED);
                }
            }
            News::Down => {
                self.live.remove(&site);
                self.due = Some(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_sent_is_read_all_the_time() {
        let now = Instant::now();
        let mut reading = Reading::new(2);
        assert!(reading.due.is_some());
        reading.read(now);
        assert_eq!(reading.due, Some(now + POLL));
        reading.hear(Site::new("1", "a"), &News::Up, now);
        assert_eq!(reading.due, Some(now + POLL), "the other region is not live");
    }

    #[test]
    fn a_session_is_followed_by_reading_what_it_may_have_left_out() {
        let now = Instant::now();
        let mut reading = Reading::new(1);
        reading.hear(Site::new("1", "a"), &News::Up, now);
        assert_eq!(reading.due, Some(now + SETTLED));
        reading.read(now);
        assert_eq!(reading.due, None);
        reading.hear(Site::new("1", "a"), &News::Events { events: Vec::new(), sampled: false }, now);
        assert_eq!(reading.due, None);
        reading.hear(Site::new("1", "a"), &News::Events { events: Vec::new(), sampled: true }, now);
        assert_eq!(reading.due, Some(now + SETTLED));
        reading.hear(Site::new("1", "a"), &News::Down, now);
        assert_eq!(reading.due, Some(now));
        reading.read(now);
        assert_eq!(reading.due, Some(now + POLL));
    }
}
