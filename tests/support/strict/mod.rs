//! AWS as it is documented to behave, in front of an emulator that is kinder: rules that are data (`tests/facts`), each under
//! the fact it plays. And AWS's own models, by which every request is read and checked.

pub mod answer;
pub mod edit;
pub mod form;
pub mod memory;
pub mod models;
pub mod page;
pub mod path;
pub mod request;
pub mod rest;
pub mod rule;
pub mod scene;
pub mod valid;
pub mod wire;
pub mod xml;

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::emulator::Emulator;
use super::proxy::call::Call;
use super::proxy::http::Message;
use memory::Memory;
use page::{Left, Pages};
use request::Asked;
use rule::{Fact, Rate, Refusal, Rule, Since, is_on};
use scene::Scene;

/// Rules and what they remember of one proxy's calls.
pub struct Strict {
    rules: Vec<&'static Rule>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    since: Vec<Memory>,
    never: Vec<Memory>,
    rates: Vec<Option<(f64, Instant)>>,
    left: Left,
    turn: usize,
}

/// What becomes of a call before it is passed on.
pub enum Before {
    /// It is passed on, after so long.
    Pass(Duration),
    /// It is refused.
    Refuse(Refusal),
    /// There were too many.
    Throttle,
    /// It is answered with this.
    Answer(Vec<u8>),
}

/// All facts.
pub fn facts() -> &'static [Fact] {
    static FACTS: OnceLock<Vec<Fact>> = OnceLock::new();
    FACTS.get_or_init(|| rule::files().into_iter().flat_map(|(_, facts)| facts).collect())
}

impl Strict {
    /// Every rule that this emulator can play.
    pub fn on(emulator: Emulator) -> Self {
        let name = format!("{emulator:?}");
        let all = facts().iter().flat_map(|fact| &fact.rule);
        Self::new(all.filter(|rule| !rule.manual && !rule.not_on.contains(&name)).collect())
    }

    /// The rules of these facts alone.
    pub fn of(facts: &[&str]) -> Self {
        let unknown = facts.iter().find(|id| !self::facts().iter().any(|fact| fact.id == **id));
        assert!(unknown.is_none(), "{unknown:?} is no fact");
        Self::new(self::facts().iter().filter(|fact| facts.contains(&fact.id.as_str())).flat_map(|fact| &fact.rule).collect())
    }

    fn new(rules: Vec<&'static Rule>) -> Self {
        let memories = || rules.iter().map(|_| Memory::default()).collect();
        let state = State { since: memories(), never: memories(), rates: rules.iter().map(|_| None).collect(), ..State::default() };
        Self { state: Mutex::new(state), rules }
    }

    /// What becomes of a call.
    pub fn before(&self, call: &Call, asked: &Asked) -> Before {
        let mut state = self.state.lock().unwrap();
        let scene = Scene { service: &asked.service.name, operation: &asked.operation, request: &asked.members, answer: None, each: None };
        let mut wait = Duration::ZERO;
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| is_on(&rule.on, scene.service, scene.operation)) {
            if let Some(size) = rule.page
                && let Some(pages) = Pages::of(asked)
                && let Some((answer, mut members)) = pages.rest(asked, &state.left)
            {
                pages.cut(&answer, &mut members, size, &mut state.left);
                return answer::with_members(call, asked, &answer, &members).map_or(Before::Pass(wait), Before::Answer);
            }
            let comes_before = rule.refuse.is_some() || rule.delay_ms.is_some() || rule.rate.is_some();
            if !comes_before || !state.applies(index, rule, &scene) {
                continue;
            }
            wait += Duration::from_millis(rule.delay_ms.unwrap_or_default());
            match (&rule.refuse, &rule.rate) {
                (Some(refusal), _) => return Before::Refuse(refusal.clone()),
                (None, Some(rate)) if state.is_too_often(index, rate) => return Before::Throttle,
                _ => {}
            }
        }
        Before::Pass(wait)
    }

    /// An answer as AWS would give it.
    pub fn after(&self, call: &Call, asked: &Asked, answer: Message) -> Vec<u8> {
        if answer::status(&answer) >= 300 {
            return answer.bytes;
        }
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let original = answer::members(call, asked, &answer);
        let request = &asked.members;
        let scene = Scene { service: &asked.service.name, operation: &asked.operation, request, answer: original.as_ref(), each: None };
        for (index, rule) in self.rules.iter().enumerate() {
            let learn = |memory: &mut Memory, since: &Option<Since>| since.iter().for_each(|since| memory.learn(since, &scene));
            learn(&mut state.since[index], &rule.since);
            learn(&mut state.never[index], &rule.never);
        }
        let Some(original) = &original else { return answer.bytes };
        let mut changed = original.clone();
        state.turn += 1;
        let on_it: Vec<(usize, &&Rule)> =
            self.rules.iter().enumerate().filter(|(_, rule)| is_on(&rule.on, scene.service, scene.operation)).collect();
        for (index, rule) in on_it.iter().filter(|(_, rule)| rule.answer.is_some() || rule.drop) {
            let seen = changed.clone();
            let scene = Scene { answer: Some(&seen), ..scene };
            state.edit(*index, rule, &scene, &mut changed);
        }
        for (index, rule) in on_it {
            // A rule without pages is not asked: it would count as met.
            if let (Some(size), Some(pages)) = (rule.page, Pages::of(asked))
                && state.applies(index, rule, &scene)
            {
                pages.cut(&answer, &mut changed, size, &mut state.left);
            }
        }
        match changed == *original {
            true => answer.bytes,
            false => answer::with_members(call, asked, &answer, &changed).unwrap_or(answer.bytes),
        }
    }
}

impl State {
    fn applies(&mut self, index: usize, rule: &Rule, scene: &Scene<'_>) -> bool {
        scene.all(&rule.when)
            && (rule.unless.is_empty() || !scene.all(&rule.unless))
            && rule.never.as_ref().is_none_or(|never| self.never[index].lacks(never, scene))
            && rule.since.as_ref().is_none_or(|since| self.since[index].holds(since, scene))
    }

    /// A token bucket.
    fn is_too_often(&mut self, index: usize, rate: &Rate) -> bool {
        let now = Instant::now();
        let (left, at) = self.rates[index].unwrap_or((rate.burst, now));
        let left = (left + now.duration_since(at).as_secs_f64() * rate.per_second).min(rate.burst);
        self.rates[index] = Some(if left < 1.0 { (left, now) } else { (left - 1.0, now) });
        left < 1.0
    }

    fn edit(&mut self, index: usize, rule: &Rule, scene: &Scene<'_>, answer: &mut Value) {
        let turn = self.turn;
        let Some(each) = &rule.each else {
            if self.applies(index, rule, scene) {
                rule.answer.iter().flatten().for_each(|edit| edit::apply(edit, answer, turn));
            }
            return;
        };
        let mut said = Vec::new();
        for at in each.all() {
            let mut kept = Vec::new();
            for element in path::values_mut(answer, at) {
                let seen = element.clone();
                let applies = self.applies(index, rule, &Scene { each: Some(&seen), ..*scene });
                kept.push(!(applies && rule.drop));
                if applies {
                    rule.answer.iter().flatten().for_each(|edit| edit::apply(edit, element, turn));
                    said.extend(rule.fail.iter().map(|fail| (fail.at.clone(), filled(&fail.entry, &seen))));
                }
            }
            drop_others(answer, at, &kept);
        }
        for (at, entry) in said {
            let append = rule::Edit { at, append: Some(entry), ..rule::Edit::default() };
            edit::apply(&append, answer, turn);
        }
    }
}

/// The entry with `{X}` as the member X.
fn filled(entry: &std::collections::BTreeMap<String, String>, element: &Value) -> Value {
    let one = |(name, pattern): (&String, &String)| {
        let member = pattern.strip_prefix('{').and_then(|pattern| pattern.strip_suffix('}'));
        let value = member.and_then(|member| path::values(element, member).first().copied().cloned());
        (name.clone(), value.unwrap_or_else(|| Value::String(pattern.clone())))
    };
    Value::Object(entry.iter().map(one).collect())
}

/// Keeps those of the elements at a path that are to be kept, which are counted over all lists there.
fn drop_others(answer: &mut Value, at: &str, kept: &[bool]) {
    let Some(lists) = at.strip_suffix("[]") else { return };
    let mut kept = kept.iter();
    for list in path::values_mut(answer, lists).into_iter().filter_map(Value::as_array_mut) {
        list.retain(|_| kept.next().copied().unwrap_or(true));
    }
}
