//! The sweep with two axes: a blow at every changing call of the whole life of every resource type, and between the blow
//! and the next run something that people do. After at most one more run the stack has converged: an empty plan, nothing
//! lost, nothing twice, nothing left behind.
//!
//! `LEOCTL_TEST_TYPE` chooses types, `LEOCTL_TEST_DEED` deeds, `LEOCTL_TEST_SAMPLE=N` one of N points, `LEOCTL_TEST_SEED` which ones,
//! `LEOCTL_TEST_STAGES` how many are struck at once; `LEOCTL_TEST_REPORT` is a file for those that fail.

mod deed;
mod known;
mod stage;
mod subject;
mod whole;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::support::strike::{BLOWS, Blow};
use deed::{DEEDS, Deed};
use stage::{Point, Stage, Verdict};
use subject::Subject;

/// How many stages there are at once: most of the time each waits for what AWS would show later.
const STAGES: u64 = 12;
/// In how many parts a phase is struck, each on a stage of its own.
const PARTS: usize = 4;

/// Which points are struck.
#[derive(Clone, Copy)]
struct Sample {
    /// One of this many phases.
    phases: u64,
    /// One of this many points of each.
    points: u64,
    /// Which.
    seed: u64,
}

#[derive(Default)]
struct Tally {
    points: usize,
    at_once: usize,
    rerun: usize,
    refused: usize,
    not_done: usize,
    known: usize,
    failed: usize,
}

/// A number that looks drawn, the same for the same text.
fn drawn(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)).rotate_left(29) ^ 0x9E37
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn seed() -> u64 {
    variable("LEOCTL_TEST_SEED").unwrap_or_else(|| {
        let counted = std::process::Command::new("git").args(["rev-list", "--count", "HEAD"]).output();
        counted.ok().and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok()).unwrap_or(0)
    })
}

#[derive(Default)]
struct Results {
    tallies: Mutex<BTreeMap<(Deed, Blow), Tally>>,
    problems: Mutex<Vec<String>>,
}

impl Results {
    fn add(&self, stage: &Stage, phase: &str, call: &str, point: Point, verdict: Verdict) {
        let mut tallies = self.tallies.lock().unwrap();
        let tally = tallies.entry((point.deed, point.blow)).or_default();
        tally.points += 1;
        let subject = &stage.subject.label;
        let what = format!("{subject} | {phase} | {} {call} | {:?} | {:?}", point.at, point.blow, point.deed);
        match verdict {
            Verdict::Converged(0) => tally.at_once += 1,
            Verdict::Converged(_) => tally.rerun += 1,
            Verdict::Refused => tally.refused += 1,
            Verdict::NotDone(why) => {
                tally.not_done += 1;
                eprintln!("not done: {what} | {why}");
            }
            Verdict::Failed(why) if known::why(stage.subject.type_name, phase, point.deed).is_some() => {
                tally.known += 1;
                eprintln!("known: {what} | {why}");
            }
            Verdict::Failed(why) => {
                tally.failed += 1;
                eprintln!("FAILED: {what} | {why}");
                self.problems.lock().unwrap().push(format!("{what} | {why}"));
            }
        }
    }

    fn end(self, began: Instant) {
        for ((deed, blow), tally) in self.tallies.lock().unwrap().iter() {
            let Tally { points, at_once, rerun, refused, not_done, known, failed } = tally;
            eprintln!("| {deed:?} | {blow:?} | {points} | {at_once} | {rerun} | {refused} | {not_done} | {known} | {failed} |");
        }
        let points: usize = self.tallies.lock().unwrap().values().map(|tally| tally.points).sum();
        let minutes = began.elapsed().as_secs_f64() / 60.0;
        eprintln!("{points} points in {minutes:.1} min");
        let problems = self.problems.into_inner().unwrap();
        if let Some(file) = std::env::var_os("LEOCTL_TEST_REPORT") {
            let mut file = std::fs::File::create(file).unwrap();
            problems.iter().for_each(|problem| writeln!(file, "{problem}\n").unwrap());
        }
        assert!(problems.is_empty(), "{} points did not converge:\n\n{}", problems.len(), problems.join("\n\n"));
    }
}

fn sweep(subjects: Vec<Subject>, sample: Sample) {
    let began = Instant::now();
    eprintln!("LEOCTL_TEST_SEED={}", sample.seed);
    let only = std::env::var("LEOCTL_TEST_TYPE").unwrap_or_default();
    let subjects = subjects.into_iter().filter(|subject| subject.label.contains(&only)).map(Arc::new);
    let phases = subjects.flat_map(|subject| (0..subject.phases.len()).map(move |phase| (Arc::clone(&subject), phase)));
    let chosen = |(subject, phase): &(Arc<Subject>, usize)| {
        drawn(&format!("{} {} {phase}", sample.seed, subject.label)).is_multiple_of(sample.phases)
    };
    // Few points of a phase are not worth a stage of their own.
    let parts = if sample.points < 8 { PARTS } else { 1 };
    let units: Vec<Unit> = phases
        .filter(chosen)
        .flat_map(|(subject, phase)| (0..parts).map(move |part| Unit { subject: Arc::clone(&subject), phase, part, parts }))
        .collect();
    let queue = Mutex::new(units.into_iter());
    let results = Results::default();
    std::thread::scope(|scope| {
        for _ in 0..variable("LEOCTL_TEST_STAGES").unwrap_or(STAGES) {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(work(&queue, sample, &results));
            });
        }
    });
    results.end(began);
}

/// A part of a phase.
struct Unit {
    subject: Arc<Subject>,
    phase: usize,
    part: usize,
    parts: usize,
}

type Units = Mutex<std::vec::IntoIter<Unit>>;

/// Takes phases from the queue until there are none.
async fn work(queue: &Units, sample: Sample, results: &Results) {
    let mut stage = Place::default();
    loop {
        let Some(unit) = queue.lock().unwrap().next() else { return };
        if stage.now.as_ref().is_none_or(|stage| !Arc::ptr_eq(&stage.subject, &unit.subject)) {
            stage = Place::default();
        }
        if let Err(why) = part_of(&mut stage, &unit, sample, results).await {
            eprintln!("left out: {} | {} | {why}", unit.subject.label, unit.subject.phases[unit.phase].label);
            stage.now = None;
        }
    }
}

/// The stage a worker is on, and what is known of its subject.
#[derive(Default)]
struct Place {
    now: Option<Stage>,
    size: Option<stage::Size>,
}

async fn part_of(stage: &mut Place, unit: &Unit, sample: Sample, results: &Results) -> Result<(), String> {
    let Unit { subject, phase: number, part, parts } = unit;
    let phase = &subject.phases[*number];
    let calls = on(stage, subject).await?.undisturbed(phase).await;
    settle(stage).await;
    let calls = calls?;
    let points = (0..calls.len()).flat_map(|at| BLOWS.into_iter().flat_map(move |blow| DEEDS.map(|deed| Point { at, blow, deed })));
    let only = std::env::var("LEOCTL_TEST_DEED").unwrap_or_default();
    let points = points.filter(|point| format!("{:?}", point.deed).contains(&only));
    let chosen = |point: &Point| drawn(&format!("{} {} {number} {point:?}", sample.seed, subject.label)).is_multiple_of(sample.points);
    let own = points.enumerate().filter(|(number, _)| number % parts == *part).map(|(_, point)| point);
    let mut points: Vec<Point> = own.filter(chosen).collect();
    if points.is_empty() && !calls.is_empty() && sample.phases > 1 {
        // A phase that was chosen has at least one point.
        let pick = usize::try_from(drawn(&format!("{} {}", sample.seed, subject.label)) % (calls.len() as u64 * 36)).unwrap_or(0);
        points.push(Point { at: pick / 36, blow: BLOWS[pick % 4], deed: DEEDS[pick / 4 % 9] });
    }
    for point in points {
        let stage_now = on(stage, subject).await?;
        if !point.deed.applies(stage_now, phase) {
            continue;
        }
        let verdict = stage_now.strike(phase, point).await;
        results.add(stage_now, &phase.label, &calls[point.at], point, verdict);
        settle(stage).await;
    }
    Ok(())
}

/// The stage, made anew where there is none.
async fn on<'a>(place: &'a mut Place, subject: &Arc<Subject>) -> Result<&'a Stage, String> {
    if place.now.is_none() {
        place.now = Some(Stage::new(subject, place.size).await?);
    }
    let stage = place.now.as_ref().ok_or("there is no stage")?;
    place.size = Some(stage.size());
    Ok(stage)
}

/// Takes the subject away; a stage on which something of it stays is given up.
async fn settle(place: &mut Place) {
    if let Some(now) = place.now.as_ref()
        && (now.is_used_up() || !now.clean().await)
    {
        place.now = None;
    }
}

#[test]
fn a_sample_of_every_point_and_deed_converges() {
    sweep(subject::all(), Sample { phases: variable("LEOCTL_TEST_SAMPLE").unwrap_or(25), points: 72, seed: seed() });
}

#[test]
#[ignore = "takes hours; its figures are in docs/reliability.md"]
fn every_point_and_deed_of_every_type_converges() {
    sweep(subject::all(), Sample { phases: 1, points: variable("LEOCTL_TEST_SAMPLE").unwrap_or(1), seed: seed() });
}

#[test]
#[ignore = "takes an hour; its figures are in docs/reliability.md"]
fn every_point_and_deed_of_a_stack_of_equal_names_converges() {
    sweep(vec![whole::equal_names()], Sample { phases: 1, points: variable("LEOCTL_TEST_SAMPLE").unwrap_or(1), seed: seed() });
}

#[test]
#[ignore = "takes hours; its figures are in docs/reliability.md"]
fn every_point_and_deed_of_leo_converges() {
    sweep(vec![whole::leo()], Sample { phases: 1, points: variable("LEOCTL_TEST_SAMPLE").unwrap_or(1), seed: seed() });
}

#[test]
fn every_type_is_listed_past_leoctl() {
    let known = leoctl_aws::registry::catalog().resources.keys();
    let listed: Vec<&str> = crate::support::census::types().chain(crate::support::census::NOTHING_TO_LIST.iter().copied()).collect();
    let missing: Vec<&String> = known.filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
