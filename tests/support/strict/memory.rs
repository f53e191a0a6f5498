//! What a rule remembers of the calls before: what was done, to which thing, when, and how often it was asked for since.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::path;
use super::rule::{Since, is_on};
use super::scene::Scene;
use super::wire::text;

/// What is remembered for one condition of one rule.
#[derive(Default)]
pub struct Memory {
    begun: BTreeMap<String, Instant>,
    asked: BTreeMap<String, usize>,
    /// The id of what is also called so.
    links: BTreeMap<String, String>,
}

impl Memory {
    /// Learns from a call that succeeded.
    pub fn learn(&mut self, since: &Since, scene: &Scene<'_>) {
        for link in since.link.all().iter().filter(|link| is_on(&link.call, scene.service, scene.operation)) {
            for element in scene.values(&link.each) {
                let id = path::values(element, &link.id).into_iter().next().map(text);
                let others = path::values(element, &link.other).into_iter().map(text);
                self.links.extend(others.filter_map(|other| Some((other, id.clone()?))));
            }
        }
        for until in since.until.all().iter().filter(|until| is_on(&until.call, scene.service, scene.operation) && scene.all(&until.when)) {
            let ids = self.ids(scene, until.id.all());
            // An end that names nothing ends everything.
            match until.id.all().is_empty() {
                true => self.begun.clear(),
                false => self.begun.retain(|id, _| !ids.contains(id)),
            }
        }
        if is_on(&since.call, scene.service, scene.operation) && scene.all(&since.when) {
            let ids = if since.id.all().is_empty() { vec![String::new()] } else { self.ids(scene, since.id.all()) };
            for id in ids {
                self.asked.remove(&id);
                self.begun.insert(id, Instant::now());
            }
        }
    }

    /// Whether it holds now, which counts as having been asked.
    pub fn holds(&mut self, since: &Since, scene: &Scene<'_>) -> bool {
        if since.same.all().is_empty() {
            return !self.begun.is_empty();
        }
        let mut held = false;
        for id in self.ids(scene, since.same.all()) {
            let Some(begun) = self.begun.get(&id) else { continue };
            let asked = self.asked.entry(id).or_default();
            *asked += 1;
            let often = since.calls.is_none_or(|calls| *asked <= calls);
            held |= often && since.milliseconds.is_none_or(|length| begun.elapsed() < Duration::from_millis(length));
        }
        held
    }

    /// Whether it holds of none of the things, or of not all of them.
    pub fn lacks(&self, never: &Since, scene: &Scene<'_>) -> bool {
        match never.same.all() {
            [] => self.begun.is_empty(),
            same => self.ids(scene, same).iter().any(|id| !self.begun.contains_key(id)),
        }
    }

    fn ids(&self, scene: &Scene<'_>, paths: &[String]) -> Vec<String> {
        scene.texts(paths).into_iter().map(|id| self.links.get(&id).cloned().unwrap_or(id)).collect()
    }
}
