//! A rule for a proxy: each service takes so many calls a second and so many at once, and refuses the others, as AWS does.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use super::call::Call;
use super::fault::Fault;

/// What services take.
#[derive(Clone, Debug)]
pub struct Rates {
    others: (f64, f64),
    known: BTreeMap<&'static str, (f64, f64)>,
}

impl Rates {
    /// So many calls a second, and so many at once after a while without any.
    pub fn new(rate: f64, burst: f64) -> Self {
        Self { others: (rate, burst), known: BTreeMap::new() }
    }

    /// Another rate for one service.
    pub fn but(mut self, service: &'static str, rate: f64, burst: f64) -> Self {
        self.known.insert(service, (rate, burst));
        self
    }

    /// The rule.
    pub fn rule(self) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
        let buckets: Mutex<BTreeMap<String, (f64, Instant)>> = Mutex::default();
        move |call| {
            let (rate, burst) = self.known.get(call.service.as_str()).copied().unwrap_or(self.others);
            let mut buckets = buckets.lock().unwrap();
            let (left, last) = buckets.entry(call.service.clone()).or_insert((burst, Instant::now()));
            *left = (*left + last.elapsed().as_secs_f64() * rate).min(burst);
            *last = Instant::now();
            if *left < 1.0 {
                return Some(Fault::throttle(call));
            }
            *left -= 1.0;
            None
        }
    }
}
