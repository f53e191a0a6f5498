//! leoctl may die at any instant and any answer may be lost. At every changing call of an apply, of a change that
//! replaces and of a destroy of `stacks/prod.toml`, leoctl is killed before it, killed after it, or loses its answer;
//! one more run ends where an undisturbed one ends: the same resources in AWS, nothing twice, nothing left behind,
//! and an empty plan. The same with the state in S3, at every call about it, and at every change of the local disk, which
//! tears, is full, or can only be read from then on. The same with `tests/platforms/data.toml`, whose database, queue, cache
//! and distribution are made through Cloud Control.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::preload::{self, Disk};
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::{platforms, stores};

/// A stack that is swept over.
struct Subject {
    stack: &'static str,
    /// What its change says: names that cannot change in place, and all that hangs on them.
    change: &'static [&'static str],
    /// What Cloud Control manages of it, at AWS.
    types: &'static [&'static str],
}

const LEO: Subject = Subject {
    stack: "stacks/prod.toml",
    change: &["--var", "cluster_name=second", "--var", "target_group_name=second", "--var", "secret_prefix=second"],
    types: &[],
};

const DATA: Subject = Subject {
    stack: "tests/platforms/data.toml",
    change: &["--var", "size=large", "--var", "suffix=-second"],
    types: &[
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBSubnetGroup",
        "AWS::SQS::Queue",
    ],
};

/// What is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Apply,
    Change,
    Destroy,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    KilledBefore,
    KilledAfter,
    AnswerLost,
    CallLost,
    OnDisk(Disk),
}

const DEEDS: [Deed; 3] = [Deed::Apply, Deed::Change, Deed::Destroy];
const BLOWS: [Blow; 4] = [Blow::KilledBefore, Blow::KilledAfter, Blow::AnswerLost, Blow::CallLost];

const DISKS: [Blow; 3] = [Blow::OnDisk(Disk::Torn), Blow::OnDisk(Disk::Full), Blow::OnDisk(Disk::ReadOnly)];

/// What is struck at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// Every changing call.
    Calls,
    /// Every changing call about a state in S3.
    SharedState,
    /// Every change of the files of the state.
    Disk,
}

/// Where and what.
type Point = (Deed, usize, Blow);

/// What an undisturbed run does and leaves.
struct Undisturbed {
    /// Its changing calls, in order.
    calls: Vec<String>,
    /// Its changes of the disk, in order.
    writes: Vec<String>,
    /// What is in the account then.
    leaves: Vec<String>,
}

/// One account of an emulator with the project in it.
struct Stage {
    subject: &'static Subject,
    project: Project,
    endpoint: String,
    account: String,
    extra: Vec<&'static str>,
    one_by_one: bool,
}

impl Undisturbed {
    /// What is done there to be struck at.
    fn at(&self, at: usize, blow: Blow) -> &str {
        if matches!(blow, Blow::OnDisk(_)) { &self.writes[at] } else { &self.calls[at] }
    }

    fn points(&self, deed: Deed, target: Target) -> Vec<Point> {
        let about_state = |name: &str| name.starts_with("s3:") && name.contains(" object");
        let calls = self.calls.iter().enumerate().filter(|(_, name)| target == Target::Calls || about_state(name));
        let calls = calls.flat_map(|(at, _)| BLOWS.map(|blow| (deed, at, blow)));
        match target {
            Target::Disk => (0..self.writes.len()).flat_map(|at| DISKS.map(|blow| (deed, at, blow))).collect(),
            Target::Calls | Target::SharedState => calls.collect(),
        }
    }
}

impl Stage {
    /// A stage of its own for each `number`.
    fn new(sweep: &Sweep, endpoint: &str, number: usize) -> Self {
        let (account, extra) = match sweep.emulator {
            Emulator::Fakecloud if sweep.subject.stack != LEO.stack => ("test".to_owned(), vec![]),
            // No containers run there.
            Emulator::Fakecloud => ("test".to_owned(), vec!["--var", "rollout=none"]),
            _ => (format!("3{number:011}"), vec!["--var", "ipv6=false"]),
        };
        let project = platforms::project(endpoint, &account);
        if sweep.target == Target::SharedState {
            stores::share(&project, endpoint, sweep.subject.stack);
        }
        Self { subject: sweep.subject, project, endpoint: endpoint.to_owned(), account, extra, one_by_one: sweep.one_by_one }
    }

    fn arguments(&self, deed: Deed) -> Vec<&'static str> {
        let stack = self.subject.stack;
        let mut arguments = match deed {
            Deed::Apply => vec!["apply", "-y", stack],
            Deed::Change => [&["apply", "-y", stack], self.subject.change].concat(),
            Deed::Destroy => vec!["destroy", "-y", stack],
        };
        arguments.extend(&self.extra);
        if self.one_by_one {
            // The n-th call is then the same in every run, so that none is left out.
            arguments.extend(["--parallelism", "1"]);
        }
        arguments
    }

    /// Makes what the deed begins with.
    fn prepare(&self, deed: Deed) {
        if deed != Deed::Apply {
            self.project.expect(0, &self.arguments(Deed::Apply));
        }
    }

    /// Does the deed through a proxy, on a disk that is watched.
    fn disturbed(&self, deed: Deed, proxy: &Proxy, disk: Option<(usize, Disk)>) -> Ran {
        let mut command = self.project.command(&self.arguments(deed));
        preload::disk(&mut command, &self.log(), disk);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        proxy.victim(child.id());
        ran(child.wait_with_output().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.project.path().join("writes")
    }

    fn leaves(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let inventory = Inventory::new(&self.endpoint, &self.account).await;
            [inventory.lines().await, inventory.cloud_control(self.subject.types).await].concat()
        })
    }
}

fn undisturbed(stage: &Stage, deed: Deed) -> Undisturbed {
    stage.prepare(deed);
    let proxy = Proxy::recording(&stage.endpoint);
    let ran = stage.disturbed(deed, &proxy, None);
    assert_eq!(ran.code, 0, "{deed:?}: {}{}", ran.stdout, ran.stderr);
    let writes = std::fs::read_to_string(stage.log()).unwrap_or_default().lines().map(str::to_owned).collect();
    let calls = proxy.calls().into_iter().filter(|call| call.mutates).map(|call| call.name()).collect();
    Undisturbed { calls, writes, leaves: stage.leaves() }
}

/// Strikes once, then runs again; how many more runs it took, or what is wrong.
fn strike(stage: &Stage, (deed, at, blow): Point, wanted: &Undisturbed) -> Result<usize, String> {
    stage.prepare(deed);
    let proxy = Proxy::start(&stage.endpoint, move |call| match blow {
        _ if call.mutation != Some(at) => None,
        Blow::KilledBefore => Some(Fault::KillBefore),
        Blow::KilledAfter => Some(Fault::KillAfter),
        Blow::AnswerLost => Some(Fault::CutAfter),
        Blow::CallLost => Some(Fault::CutBefore),
        Blow::OnDisk(_) => None,
    });
    let disk = if let Blow::OnDisk(how) = blow { Some((at, how)) } else { None };
    let first = stage.disturbed(deed, &proxy, disk);
    let mut code = first.code;
    drop(proxy);
    let mut more = 0;
    while code != 0 {
        if more == 1 {
            return Err("the second run failed, too".to_owned());
        }
        more += 1;
        let again = stage.project.run(&stage.arguments(deed));
        code = again.code;
        if code != 0 {
            return Err(format!("first: …{}\nagain: …{}", end(&first.stderr), end(&again.stderr)));
        }
    }
    let leaves = stage.leaves();
    if leaves != wanted.leaves {
        let missing: Vec<_> = wanted.leaves.iter().filter(|line| !leaves.contains(line)).collect();
        let beyond: Vec<_> = leaves.iter().filter(|line| !wanted.leaves.contains(line)).collect();
        return Err(format!("missing {missing:?}, beyond {beyond:?}, {} instead of {}", leaves.len(), wanted.leaves.len()));
    }
    if deed != Deed::Destroy {
        let mut plan = stage.arguments(deed);
        plan.splice(0..2, ["plan", "--detailed-exitcode"]);
        let plan = stage.project.run(&plan);
        if plan.code != 0 {
            return Err(format!("the plan is not empty: {}{}", plan.stdout, plan.stderr));
        }
    }
    Ok(more)
}

/// How many points there were and what became of them.
#[derive(Default)]
struct Tally {
    points: usize,
    at_once: usize,
    rerun: usize,
    slowest: Duration,
}

/// What is struck at, and where.
#[derive(Clone, Copy)]
struct Sweep {
    subject: &'static Subject,
    emulator: Emulator,
    target: Target,
    one_by_one: bool,
}

impl Sweep {
    /// Of a sample of the points, as fast as leoctl is.
    const fn quick(subject: &'static Subject, emulator: Emulator, target: Target) -> Self {
        Self { subject, emulator, target, one_by_one: false }
    }

    /// Of every point.
    const fn whole(subject: &'static Subject, emulator: Emulator, target: Target) -> Self {
        Self { subject, emulator, target, one_by_one: true }
    }
}

/// Strikes at every point that `chosen` says, several at a time.
fn sweep(sweep: Sweep, chosen: impl Fn(usize) -> bool) {
    let Sweep { emulator, target, .. } = sweep;
    let Some(shared) = emulator.endpoint() else { return };
    let wanted: BTreeMap<Deed, Undisturbed> = DEEDS
        .into_iter()
        .enumerate()
        .map(|(number, deed)| {
            let own = (emulator == Emulator::Fakecloud).then(|| emulator.alone().unwrap());
            let endpoint = own.as_ref().map_or(shared, |own| own.endpoint.as_str());
            (deed, undisturbed(&Stage::new(&sweep, endpoint, number), deed))
        })
        .collect();
    let all = wanted.iter().flat_map(|(deed, run)| run.points(*deed, target));
    let points: Vec<(usize, Point)> = all.enumerate().filter(|(number, _)| chosen(*number)).collect();
    // Who finds the lock of one that was killed waits until it is over.
    let at_once = if target == Target::SharedState { 24 } else { 6 };
    let queue = Mutex::new(points.into_iter());
    let tallies: Mutex<BTreeMap<(Deed, Blow), Tally>> = Mutex::default();
    let problems: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some((number, point)) = queue.lock().unwrap().next() else { return };
                    let own = (emulator == Emulator::Fakecloud).then(|| emulator.alone().unwrap());
                    let endpoint = own.as_ref().map_or(shared, |own| own.endpoint.as_str());
                    let began = Instant::now();
                    let outcome = strike(&Stage::new(&sweep, endpoint, 100 + number), point, &wanted[&point.0]);
                    let mut tallies = tallies.lock().unwrap();
                    let tally = tallies.entry((point.0, point.2)).or_default();
                    tally.points += 1;
                    tally.slowest = tally.slowest.max(began.elapsed());
                    match outcome {
                        Ok(0) => tally.at_once += 1,
                        Ok(_) => tally.rerun += 1,
                        Err(why) => {
                            let (deed, at, blow) = point;
                            let what = wanted[&deed].at(at, blow);
                            let problem = format!("{deed:?}, {blow:?} at change {at} (undisturbed: {what}): {why}");
                            eprintln!("{emulator:?}: {problem}");
                            problems.lock().unwrap().push(problem);
                        }
                    }
                }
            });
        }
    });
    for ((deed, blow), tally) in tallies.into_inner().unwrap() {
        let Tally { points, at_once, rerun, slowest } = tally;
        eprintln!("| {emulator:?} | {deed:?} | {blow:?} | {points} | {at_once} | {rerun} | {} | {slowest:.1?} |", points - at_once - rerun);
    }
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} points: {}", problems.len(), problems.join("\n\n"));
}

/// One of `stride` points, others every day.
fn sample(stride: usize) -> impl Fn(usize) -> bool {
    let day = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 86400;
    move |number| number % stride == usize::try_from(day).unwrap() % stride
}

/// All points, or with `LEOCTL_TEST_SHARD=2/10` the third tenth of them.
fn every() -> impl Fn(usize) -> bool {
    let shard = std::env::var("LEOCTL_TEST_SHARD").ok();
    let shard =
        shard.map(|shard| shard.split_once('/').map(|(at, of)| (at.parse::<usize>().unwrap(), of.parse::<usize>().unwrap())).unwrap());
    move |number| shard.is_none_or(|(at, of)| number % of == at)
}

#[test]
fn a_sample_of_all_points_converges_on_fakecloud() {
    sweep(Sweep::quick(&LEO, Emulator::Fakecloud, Target::Calls), sample(37));
}

#[test]
fn a_sample_of_all_points_converges_on_ministack() {
    sweep(Sweep::quick(&LEO, Emulator::MiniStack, Target::Calls), sample(37));
}

#[test]
fn a_sample_of_all_points_of_a_shared_state_converges() {
    sweep(Sweep::quick(&LEO, Emulator::Fakecloud, Target::SharedState), sample(97));
}

#[test]
fn a_sample_of_all_changes_of_the_disk_converges() {
    sweep(Sweep::quick(&LEO, Emulator::Fakecloud, Target::Disk), sample(97));
}

#[test]
fn a_sample_of_all_points_of_what_keeps_data_converges() {
    sweep(Sweep::quick(&DATA, Emulator::Fakecloud, Target::Calls), sample(37));
}

#[test]
#[ignore = "takes many minutes; its figures are in docs/reliability.md"]
fn every_point_of_what_keeps_data_converges() {
    sweep(Sweep::whole(&DATA, Emulator::Fakecloud, Target::Calls), every());
}

#[test]
#[ignore = "takes many minutes; its figures are in docs/reliability.md"]
fn every_point_converges_on_fakecloud() {
    sweep(Sweep::whole(&LEO, Emulator::Fakecloud, Target::Calls), every());
}

#[test]
#[ignore = "takes many minutes; its figures are in docs/reliability.md"]
fn every_point_converges_on_ministack() {
    sweep(Sweep::whole(&LEO, Emulator::MiniStack, Target::Calls), every());
}

#[test]
#[ignore = "takes many minutes; its figures are in docs/reliability.md"]
fn every_point_of_a_shared_state_converges() {
    sweep(Sweep::whole(&LEO, Emulator::Fakecloud, Target::SharedState), every());
}

#[test]
#[ignore = "takes many minutes; its figures are in docs/reliability.md"]
fn every_change_of_the_disk_converges() {
    sweep(Sweep::whole(&LEO, Emulator::Fakecloud, Target::Disk), every());
}

/// The last lines, where the failures are.
fn end(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
