//! The queues in front of services that count with token buckets, as AWS does. Time passes as fast as it can.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::identity::IdentityCache;
use aws_types::sdk_config::{Builder, TimeSource};
use futures_util::future::join_all;
use leoctl_core::model::place::Site;
use tokio::sync::watch;

use super::*;
use crate::scripted::{Answer, Scripted};

const IAM: &str = "IAM";
const REGION: &str = "eu-west-1";

/// A service that takes so many calls a second, and so many at once after a while without any.
struct Service {
    rate: f64,
    burst: f64,
    bucket: Mutex<(f64, Instant)>,
    refused: AtomicUsize,
}

impl Service {
    fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, bucket: Mutex::new((burst, Instant::now())), refused: AtomicUsize::new(0) }
    }

    async fn answer(&self) -> End {
        let now = Instant::now();
        let end = {
            let mut bucket = self.bucket.lock().unwrap();
            let (left, then) = *bucket;
            let left = (left + now.duration_since(then).as_secs_f64() * self.rate).min(self.burst);
            let taken = left >= 1.0;
            *bucket = (if taken { left - 1.0 } else { left }, now);
            if taken { End::Taken } else { End::Refused }
        };
        self.refused.fetch_add(usize::from(end == End::Refused), Ordering::SeqCst);
        sleep(Duration::from_millis(50)).await;
        end
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

/// Makes a call until it is taken.
async fn call(limits: &Limits, name: &str, region: &str, service: &Service) {
    loop {
        let permit = limits.enter(name, region).await.unwrap();
        let end = service.answer().await;
        permit.ended(end);
        if end == End::Taken {
            return;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// How long so many calls take, and how many were refused.
async fn calls(count: usize, name: &str, service: &Service) -> (Duration, usize) {
    let (limits, began) = (Limits::new(96), Instant::now());
    join_all((0..count).map(|_| call(&limits, name, REGION, service))).await;
    (began.elapsed(), service.refused())
}

#[tokio::test(start_paused = true)]
async fn calls_take_about_as_long_as_the_limit_and_few_are_refused() {
    for (name, rate, burst, count, most_refused) in [
        (IAM, 20.0, 50.0, 450, 45),
        (IAM, 20.0, 50.0, 2000, 100),
        (IAM, 5.0, 5.0, 150, 45),
        (IAM, 100.0, 100.0, 2000, 60),
        ("Route 53", 5.0, 5.0, 150, 30),
        ("Route 53", 5.0, 5.0, 2000, 200),
    ] {
        let (took, refused) = calls(count, name, &Service::new(rate, burst)).await;
        let least = (count as f64 - burst) / rate;
        let ratio = took.as_secs_f64() / least;
        let case = format!("{count} calls of {name} at {rate}/s: {took:?}, {ratio:.2} times the least, {refused} refused");
        assert!(ratio < 1.3, "{case}");
        assert!(refused <= most_refused, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_nothing_is_not_slowed() {
    // Without a queue 6,000 calls of 50 ms, 20 and then 64 at once, take about five seconds.
    let (took, refused) = calls(6000, IAM, &Service::new(1e9, 1e9)).await;
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(refused, 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_less_than_any_is_known_to_is_not_refused_for_ever() {
    let (took, refused) = calls(100, IAM, &Service::new(2.0, 2.0)).await;
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(refused < 100, "{refused} refused");
}

#[tokio::test(start_paused = true)]
async fn one_service_does_not_wait_for_another_and_a_region_not_for_another() {
    let limits = Limits::new(96);
    let (slow, fast) = (Service::new(1.0, 1.0), Service::new(1e9, 1e9));
    let slowed = join_all((0..30).map(|_| call(&limits, "EC2", REGION, &slow)));
    let others = async {
        sleep(Duration::from_secs(5)).await;
        assert_eq!(limits.waiting().into_iter().collect::<Vec<_>>(), ["EC2"]);
        let began = Instant::now();
        call(&limits, "ECS", REGION, &fast).await;
        call(&limits, "EC2", "us-east-1", &fast).await;
        began.elapsed()
    };
    let (_, took) = tokio::join!(slowed, others);
    assert_eq!(took, Duration::from_millis(100));
    assert!(limits.waiting().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_global_service_has_one_queue_for_all_regions() {
    let limits = Limits::new(96);
    let slow = Service::new(1.0, 1.0);
    let slowed = join_all((0..10).map(|_| call(&limits, IAM, REGION, &slow)));
    let other = async {
        sleep(Duration::from_secs(3)).await;
        let began = Instant::now();
        drop(limits.enter(IAM, "us-east-1").await);
        began.elapsed()
    };
    let (_, took) = tokio::join!(slowed, other);
    assert!(took > Duration::from_millis(500), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_leaves_its_place_to_the_next() {
    let limits = Limits::new(1);
    let first = limits.enter(IAM, REGION).await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_secs(1), limits.enter(IAM, REGION)).await;
    assert!(given_up.is_err());
    drop(first);
    limits.enter(IAM, REGION).await.unwrap();
}

fn operation(left: Duration, heard: &Arc<Mutex<Vec<String>>>) -> Operation {
    let (heard, (_, interrupted)) = (Arc::clone(heard), watch::channel(false));
    let progress = Progress(Arc::new(move |text| heard.lock().unwrap().push(text)));
    let deadline = (Instant::now() + left).into_std();
    let site = Site::new("1", REGION);
    Operation { site, token: String::new(), replaces: None, deadline, timeout: left, interrupted, progress }
}

#[tokio::test(start_paused = true)]
async fn an_operation_waits_for_the_rate_until_its_deadline_and_says_so() {
    let limits = Limits::new(96);
    let (slow, heard) = (Service::new(0.01, 1.0), Arc::default());
    let operation = operation(Duration::from_secs(30), &heard);
    let refused = async {
        for _ in 0..10 {
            let permit = limits.enter(IAM, REGION).await?;
            permit.ended(slow.answer().await);
        }
        // Behind the others.
        let waiting = join_all((0..100).map(|_| limits.enter(IAM, REGION))).await;
        waiting.into_iter().collect::<Result<Vec<_>, _>>()
    };
    let began = Instant::now();
    let error = within(&operation, refused).await.unwrap_err();
    assert_eq!(error.to_string(), "IAM has refused calls for their number until there was no time left");
    assert_eq!(began.elapsed(), Duration::from_secs(30));
    assert_eq!(heard.lock().unwrap().first().map(String::as_str), Some("waiting for the rate limit of IAM"));
}

#[test]
fn accounts_queue_apart_and_share_the_connections() {
    let own = Limits::new(4);
    let other = own.of_account("dns");
    assert!(!Arc::ptr_eq(&own.queue(IAM, REGION), &other.queue(IAM, REGION)));
    assert!(Arc::ptr_eq(&own.queue(IAM, REGION), &own.clone().queue(IAM, "another")));
    assert!(Arc::ptr_eq(&own.shared.connections, &other.shared.connections));
}

/// The time of the tests' own clock, which passes as fast as it can, by which calls are signed.
#[derive(Debug)]
struct Clock {
    began: Instant,
    at: SystemTime,
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.at + self.began.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_queued_for_longer_than_a_signature_lasts_is_signed_when_it_leaves() {
    // 2026-01-01T00:00:00Z, as a signature writes times.
    let (began, at) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    let limits = Limits::new(1);
    let queued = limits.identity_cache(IdentityCache::lazy().build());
    let configured = |config: Builder| config.time_source(Clock { began, at }).identity_cache(queued);
    let scripted = Scripted::configured(configured, |_| Answer::query_error(404, "NoSuchEntity"));
    // Another has the only connection for longer than that.
    let held = limits.enter("ECS", REGION).await.unwrap();
    let call = scripted.aws.iam().get_role().role_name("r").send();
    let other = async {
        sleep(Duration::from_secs(400)).await;
        assert!(scripted.calls().is_empty());
        drop(held);
    };
    let (answer, ()) = tokio::join!(call, other);
    assert!(answer.is_err());
    let calls = scripted.calls();
    let signed = calls[0].header("x-amz-date").unwrap();
    assert!(["20260101T000640Z", "20260101T000641Z"].contains(&signed), "{signed}");
}
