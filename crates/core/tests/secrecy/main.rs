//! A marker that is given as a secret is in nothing that a plan shows, a state remembers or an error says: random
//! stacks, each planned for nothing, then over what an apply of another has left, then destroyed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod stacks;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path as File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leoctl_core::model::place::Place;
use leoctl_core::model::secrecy::{conceal, secret_paths};
use leoctl_core::model::state::{Remembered, ResourceState, State};
use leoctl_core::model::value::Value;
use leoctl_core::plan::build::{Live, World, build};
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::diagnostic::Diagnostics;
use leoctl_core::stack::scope::Identity;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{Files, Loaded, Stack, load};
use proptest::prelude::*;
use serde_json::json;

use stacks::{ANY, HEAD, TOKEN, Texts, catalog, schema, stacks, text};

fn loaded(text: String) -> Result<Arc<Stack>, Diagnostics> {
    loaded_with(text, true)
}

/// A stack whose secret variable is given, or is left to its default.
fn loaded_with(text: String, given: bool) -> Result<Arc<Stack>, Diagnostics> {
    let arguments = if given { vec![("token".to_owned(), TOKEN.to_owned())] } else { Vec::new() };
    let given = Given { arguments, ..Given::default() };
    let Loaded { stack, diagnostics, .. } = load(File::new("s.toml"), &Texts(text), &given, &catalog());
    stack.map(Arc::new).ok_or(diagnostics)
}

fn identity() -> Identity {
    Identity {
        account_id: "000000000000".to_owned(),
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        accounts: Default::default(),
    }
}

fn planned(stack: &Arc<Stack>, state: &State, live: &BTreeMap<Place, Live>, destroy: bool) -> Result<Plan, Diagnostics> {
    let (data, found, identity) = (BTreeMap::new(), BTreeMap::new(), identity());
    let mut state = state.clone();
    stack.hide_in(&mut state, &catalog());
    let elsewhere = BTreeMap::new();
    let world = World { identity: &identity, state: &state, live, data: &data, found: &found, elsewhere: &elsewhere };
    build(stack, &catalog(), world, &Options { destroy, ..Options::default() })
}

/// Everything that is shown of a plan, as its printers show it.
fn shown(plan: &Plan) -> String {
    let mask = |value: &Value| value.to_public_json(&|_| json!("(sensitive)")).to_string();
    let mut text = String::new();
    let attribute = |text: &mut String, change: &AttributeChange| {
        let _ = write!(text, "{} {:?} ", change.path, serde_json::to_string(&change.path));
        for value in [&change.before, &change.after].into_iter().flatten().filter(|_| !change.sensitive) {
            let _ = write!(text, "{} ", mask(value));
        }
    };
    for change in &plan.changes {
        let _ = write!(text, "{} {:?} {} {:?} ", change.address, change.reason, change.region, change.risks);
        let _ = write!(text, "{} {} ", mask(&change.before), mask(&change.after));
        let _ = write!(text, "{:?} {:?} {:?} ", change.sensitive, change.authored, change.replace_paths());
        let _ = write!(text, "{:?} ", change.after.paths_where(&|value| matches!(value, Value::Unknown)));
        change.attributes.iter().for_each(|change| attribute(&mut text, change));
    }
    for drift in &plan.drift {
        drift.attributes.iter().for_each(|change| attribute(&mut text, change));
    }
    for (name, output) in &plan.outputs {
        let _ = write!(text, "{name} {:?} {:?} ", output.before.as_ref().map(mask), output.after.as_ref().map(mask));
    }
    let _ = write!(text, "{:?} {:?} {:?}", plan.checks, plan.warnings, plan.pinned);
    text
}

fn said(diagnostics: &Diagnostics) -> String {
    diagnostics.0.iter().map(|one| format!("{} {} {:?}\n", one.message, one.label, one.help)).collect()
}

/// What an apply of a plan would remember and what AWS would say afterwards.
fn applied(plan: &Plan, state: &mut State) -> BTreeMap<Place, Live> {
    let attributes = schema().attributes;
    let mut live = BTreeMap::new();
    state.resources.retain(|address, _| plan.change(address).is_some_and(|change| !change.after.is_null()));
    for change in plan.changes.iter().filter(|change| !change.after.is_null()) {
        let after = known(&change.after);
        let sensitive = secret_paths(&attributes, &change.after);
        let saved = conceal(&attributes, &after, &sensitive).to_public_json(&|secret| state.digest(secret));
        let place = Place {
            type_name: "thing".to_owned(),
            account: "000000000000".to_owned(),
            region: change.region.clone(),
            id: format!("id-{}", change.address.block.name),
        };
        let current = Remembered {
            place: place.clone(),
            attributes: saved,
            authored: change.authored.clone(),
            sensitive,
            depends_on: change.depends_on.clone(),
            guard: change.guard,
            incomplete: false,
            updating: Vec::new(),
        };
        state.resources.insert(change.address.clone(), ResourceState { current: Some(current), deposed: Vec::new() });
        // AWS knows no secrets: all of it comes back in clear.
        live.insert(place, Live::Present(Value::from(after.to_json().unwrap())));
    }
    let kept = plan.outputs.iter().filter_map(|(name, output)| Some((name, output.after.as_ref()?)));
    let (sensitive, kept): (Vec<_>, Vec<_>) = kept.partition(|(_, value)| value.has_secret());
    state.sensitive_outputs = sensitive.into_iter().map(|(name, _)| name.clone()).collect();
    let kept = kept.into_iter().filter(|(_, value)| !value.has_unknown());
    state.outputs = kept.map(|(name, value)| (name.clone(), value.to_json().unwrap())).collect();
    (state.variables, state.public) = (plan.stack.given_values(), plan.stack.public_values());
    live
}

/// The value with something for what AWS decides.
fn known(value: &Value) -> Value {
    match value {
        Value::Unknown => Value::string("decided"),
        Value::Secret(inner) => known(inner).into_secret(),
        Value::List(items) => Value::List(items.iter().map(known).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), known(value))).collect()),
        other => other.clone(),
    }
}

fn new_state() -> State {
    State::new("s", "000000000000", "us-east-1", "lineage".to_owned(), "salt".to_owned())
}

/// How many plans there were, and how many stacks or plans were refused: a property of nothing holds always.
static PLANNED: AtomicUsize = AtomicUsize::new(0);
static REFUSED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_secret_is_in_nothing_that_is_shown_or_kept() {
    over_random_stacks();
    let (planned, refused) = (PLANNED.load(Ordering::Relaxed), REFUSED.load(Ordering::Relaxed));
    assert!(planned > 200 && refused > 100, "{planned} planned, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    fn over_random_stacks(first in stacks(), second in stacks()) {
        let mut state = new_state();
        let mut live = BTreeMap::new();
        for stack in [&first, &second] {
            let text = text(stack);
            match loaded(text.clone()) {
                Err(diagnostics) => {
                    REFUSED.fetch_add(1, Ordering::Relaxed);
                    prop_assert!(!said(&diagnostics).contains(ANY), "{}\n{text}", said(&diagnostics));
                }
                Ok(stack) => match planned(&stack, &state, &live, false) {
                    Err(diagnostics) => prop_assert!(!said(&diagnostics).contains(ANY), "{}\n{text}", said(&diagnostics)),
                    Ok(plan) => {
                        PLANNED.fetch_add(1, Ordering::Relaxed);
                        prop_assert!(!shown(&plan).contains(ANY), "{}\n{text}", shown(&plan));
                        prop_assert!(!shown(&plan).contains("471108154711"), "{}\n{text}", shown(&plan));
                        live = applied(&plan, &mut state);
                        let kept = serde_json::to_string(&state).unwrap();
                        prop_assert!(!kept.contains(ANY) && !kept.contains("471108154711"), "{kept}\n{text}");
                        // The next command knows of it what its text says.
                        state = State::parse(&kept).unwrap();
                        // What was applied is what is wanted: no secret makes a difference for ever.
                        let again = planned(&stack, &state, &live, false).map_err(|diagnostics| said(&diagnostics)).unwrap();
                        prop_assert!(again.changes.iter().all(|change| change.attributes.is_empty()), "{}\n{text}", shown(&again));
                        prop_assert!(again.drift.iter().all(|drift| drift.attributes.is_empty()), "{}\n{text}", shown(&again));
                        prop_assert!(again.changes.iter().all(|change| change.state_only.is_empty()), "{:?}\n{text}", again.changes.iter().map(|change| &change.sensitive).collect::<Vec<_>>());
                        let destroyed = planned(&stack, &state, &live, true).map_err(|diagnostics| said(&diagnostics)).unwrap();
                        prop_assert!(!shown(&destroyed).contains(ANY), "{}\n{text}", shown(&destroyed));
                        let removed = planned(&loaded(HEAD.to_owned()).unwrap(), &state, &live, false).unwrap();
                        prop_assert!(!shown(&removed).contains(ANY), "{}\n{text}", shown(&removed));
                    }
                },
            }
        }
    }
}

/// A stack with a variable that holds the marker, sensitive or not.
fn marked(sensitive: bool, body: &str) -> String {
    format!("[stack]\nname = \"s\"\nregion = \"us-east-1\"\n[vars.token]\nsensitive = {sensitive}\n{body}")
}

#[test]
fn what_becomes_sensitive_later_is_hidden_at_once_and_leaves_the_state_with_the_next_apply() {
    let bodies = [
        "[resource.thing.a]\nlabel = \"${vars.token}\"\n",
        "[resource.thing.a]\nmembers = [\"a\", \"${vars.token}\"]\n",
        "[resource.thing.a]\nrules = [{ name = \"${vars.token}\", value = \"x\" }]\n",
        "[resource.thing.a]\nsettings = \"${ {vars.token: 'x'} }\"\n",
        "[resource.thing.a]\npolicy = { Statement = [{ Resource = [\"${vars.token}\"] }] }\n",
        "[resource.thing.a]\nnested = { text = \"${vars.token}\", inner = [\"${vars.token}\"] }\n",
        "[outputs.o]\nvalue = \"x-${vars.token}\"\n",
        "[locals]\nl = \"${vars.token}\"\n[outputs.o]\nvalue = { a = \"${locals.l}\" }\n",
    ];
    for body in bodies {
        let mut state = new_state();
        let before = loaded(marked(false, body)).unwrap();
        let live = applied(&planned(&before, &state, &BTreeMap::new(), false).unwrap(), &mut state);
        assert!(serde_json::to_string(&state).unwrap().contains(ANY), "{body}: it was no secret");

        let after = loaded(marked(true, body)).unwrap();
        let plan = planned(&after, &state, &live, false).unwrap();
        assert!(!shown(&plan).contains(ANY), "{body}: {}", shown(&plan));
        assert!(plan.changes.iter().all(|change| change.attributes.is_empty()), "{body}: {}", shown(&plan));
        assert!(plan.drift.iter().all(|drift| drift.attributes.is_empty()), "{body}: {}", shown(&plan));
        assert!(after.hide_in(&mut state.clone(), &catalog()), "{body}: the state is cleaned, though nothing changes");
        applied(&plan, &mut state);
        assert!(!serde_json::to_string(&state).unwrap().contains(ANY), "{body}");

        // What changed outside is said without it, too.
        let mut state = new_state();
        let mut live = applied(&planned(&before, &state, &BTreeMap::new(), false).unwrap(), &mut state);
        for value in live.values_mut() {
            *value = Live::Present(Value::from(json!({ "label": "another", "members": ["b"], "settings": { "a": "b" } })));
        }
        let plan = planned(&after, &state, &live, false).unwrap();
        assert!(!shown(&plan).contains(ANY), "{body}: {}", shown(&plan));
    }
}

/// What is marked as sensitive in the very change that takes it out of the stack, or out of an attribute.
#[test]
fn what_becomes_sensitive_as_it_goes_is_hidden_though_nothing_is_made_of_it_any_more() {
    let gone = "[resource.thing.b]\nlabel = \"b\"\n";
    for (before, after) in [
        ("[resource.thing.a]\nlabel = \"${vars.token}\"\n", gone),
        ("[resource.thing.a]\nlabel = \"x-${vars.token}\"\n", "[resource.thing.a]\nlabel = \"plain\"\n"),
        ("[resource.thing.a]\nchosen = \"${base64.encode('ab' + vars.token + 'c')}\"\n", gone),
        ("[resource.thing.a]\nchosen = \"${urlencode('{' + vars.token + '}')}\"\n", gone),
        ("[resource.thing.a]\nmembers = [\"a\", \"${vars.token}\"]\n", gone),
        ("[resource.thing.a]\nmembers = [\"a\", \"${vars.token}\"]\n", "[resource.thing.a]\nmembers = [\"a\"]\n"),
        ("[resource.thing.a]\nrules = [{ name = \"${vars.token}\", value = \"x\" }]\n", gone),
        ("[resource.thing.a]\nrules = [{ name = \"n\", value = \"${vars.token}\" }]\n", "[resource.thing.a]\nrules = [{ name = \"n\" }]\n"),
        ("[resource.thing.a]\nsettings = \"${ {vars.token: 'x'} }\"\n", gone),
        ("[resource.thing.a]\npolicy = { Statement = [{ Resource = [\"${vars.token}\"] }] }\n", gone),
        ("[resource.thing.a]\nbody = { a = [\"${vars.token}\"] }\n", "[resource.thing.a]\nbody = {}\n"),
        ("[resource.thing.a]\nnested = { text = \"${vars.token}\", inner = [\"${vars.token}\"] }\n", gone),
        ("[resource.thing.a]\nlabel = \"l\"\ntags = { T = \"${vars.token}\" }\n", "[resource.thing.a]\nlabel = \"l\"\n"),
        ("[outputs.o]\nvalue = \"x-${vars.token}\"\n", ""),
        ("[outputs.o]\nvalue = \"x-${vars.token}\"\n", "[outputs.o]\nvalue = \"y\"\n"),
        ("[outputs.o]\nvalue = \"${vars.token}\"\n", "[outputs.o]\nvalue = \"y\"\nsensitive = true\n"),
    ] {
        let given = marked(false, before);
        let default = given.replace("sensitive = false", &format!("default = \"{TOKEN}\""));
        for stack in [given, default] {
            let mut state = new_state();
            let stack = loaded_with(stack.clone(), !stack.contains("default")).unwrap();
            let live = applied(&planned(&stack, &state, &BTreeMap::new(), false).unwrap(), &mut state);
            for (after, destroy) in [(after, false), (after, true), (before, true)] {
                // It is another by now: what it was is told by the state alone.
                let other = marked(true, after).replacen("sensitive = true", "sensitive = true\ndefault = \"another\"", 1);
                let plan = planned(&loaded_with(other, false).unwrap(), &state, &live, destroy).unwrap();
                assert!(!shown(&plan).contains(ANY), "{before} {after} {destroy}: {}", shown(&plan));
                let base64 = leoctl_core::model::base64::within(TOKEN.as_bytes());
                assert!(!base64.iter().any(|base64| shown(&plan).contains(base64)), "{before} {after}: {}", shown(&plan));
            }
        }
    }
}

#[test]
fn what_is_public_by_chance_is_not_hidden_again_at_every_apply() {
    let body = "[resource.thing.a]\nlabel = \"m4rk3rInAVariable\"\n[outputs.o]\nvalue = \"${vars.token == '' ? vars.token : 'x'}\"\n[outputs.p]\nvalue = \"${1 > 2 ? vars.token : 'x'}\"\n";
    let mut state = new_state();
    let live = applied(&planned(&loaded(marked(false, body)).unwrap(), &state, &BTreeMap::new(), false).unwrap(), &mut state);
    let after = loaded(marked(true, body)).unwrap();
    let plan = planned(&after, &state, &live, false).unwrap();
    after.hide_in(&mut state, &catalog());
    applied(&plan, &mut state);
    let again = planned(&after, &state, &live, false).unwrap();
    assert!(!after.hide_in(&mut state, &catalog()), "there is nothing to be cleaned any more");
    assert!(!again.has_changes() && again.changes.iter().all(|change| change.state_only.is_empty()), "{}", shown(&again));
}

/// A stack whose env files are what a test says.
struct WithEnv<'a> {
    text: &'a str,
    /// What `.env` says, which comes after what `.env.defaults` says.
    own: Vec<(&'a str, &'a str)>,
    defaults: Vec<(&'a str, &'a str)>,
}

impl Files for WithEnv<'_> {
    fn read(&self, _: &File) -> Result<String, String> {
        Ok(format!("[stack]\nname = \"s\"\nregion = \"us-east-1\"\n[env]\nfiles = [\".env.defaults\", \".env\"]\n{}", self.text))
    }

    fn read_env(&self, path: &File) -> Result<Vec<(String, String)>, String> {
        let pairs = if path.ends_with(".env") { &self.own } else { &self.defaults };
        Ok(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

fn with_env<'a>(text: &'a str, own: &[(&'a str, &'a str)], defaults: &[(&'a str, &'a str)]) -> Arc<Stack> {
    let files = WithEnv { text, own: own.to_vec(), defaults: defaults.to_vec() };
    Arc::new(load(File::new("s.toml"), &files, &Given::default(), &catalog()).stack.unwrap())
}

#[test]
fn what_only_equals_a_value_that_has_become_sensitive_stays_as_it_is() {
    let body = "[resource.thing.a]\nlabel = \"7\"\ncount = 7\ndigits = \"12345678\"\nrules = [{ name = \"web\", port = 7 }]\n\
        settings = { web = \"7\", shared-settings = \"x\" }\ntags = { Stage = \"production\" }\n[outputs]\no = 7\n";
    let moved: [&[(&str, &str)]; 5] =
        [&[("DAYS", "7")], &[("SERVICE", "web")], &[("NAME", "shared-settings")], &[("STAGE", "production")], &[("ACCOUNT", "12345678")]];
    for names in moved {
        // With and without the public value, which is what it was in the end.
        for left in [names, &[]] {
            let mut state = new_state();
            let live = applied(&planned(&with_env(body, &[], names), &state, &BTreeMap::new(), false).unwrap(), &mut state);
            let after = with_env(body, names, left);
            let mut cleaned = state.clone();
            after.hide_in(&mut cleaned, &catalog());
            assert_eq!((&cleaned.resources, &cleaned.outputs), (&state.resources, &state.outputs), "{names:?}");
            let plan = planned(&after, &state, &live, false).unwrap();
            assert!(!plan.has_changes() && plan.drift.is_empty(), "{names:?}: {}", shown(&plan));
        }
    }
}

#[test]
fn what_comes_from_a_name_that_has_become_sensitive_is_hidden_though_its_value_is_short() {
    let body = "[resource.thing.a]\nlabel = \"${env.SERVICE}\"\nsettings = { other = \"web\" }\n";
    let mut state = new_state();
    let before = with_env(body, &[], &[("SERVICE", "web")]);
    let live = applied(&planned(&before, &state, &BTreeMap::new(), false).unwrap(), &mut state);
    let after = with_env(body, &[("SERVICE", "web")], &[]);
    let plan = planned(&after, &state, &live, false).unwrap();
    assert!(plan.drift.is_empty() && plan.changes.iter().all(|change| change.attributes.is_empty()), "{}", shown(&plan));
    applied(&plan, &mut state);
    let saved = state.currents().next().unwrap().1.attributes.clone();
    assert_eq!(saved["label"], state.digest(&Value::string("web")));
    assert_eq!(saved["settings"]["other"], "web");
}

#[test]
fn what_is_written_in_clear_again_is_shown_and_remembered_in_clear() {
    let secret = "[resource.thing.a]\ncount = \"${size(vars.token)}\"\nlabel = \"${vars.token}\"\n";
    let mut state = new_state();
    let live = applied(&planned(&loaded(marked(true, secret)).unwrap(), &state, &BTreeMap::new(), false).unwrap(), &mut state);
    let clear = loaded(marked(false, secret)).unwrap();
    let plan = planned(&clear, &state, &live, false).unwrap();
    let change = plan.changes.first().unwrap();
    assert!(!plan.changes_resources() && !change.state_only.is_empty() && plan.drift.is_empty(), "{}", shown(&plan));
    assert!(!change.before.has_secret(), "what it costs and what runs is read from it");
}

#[test]
fn two_secret_members_are_two_and_each_is_found_again() {
    let list = |members: &str| loaded(format!("{HEAD}[resource.thing.a]\nmembers = [{members}]\n")).unwrap();
    let mut state = new_state();
    let before = list("\"a\", \"${vars.token}\", \"${env.SECRET}\"");
    let live = applied(&planned(&before, &state, &BTreeMap::new(), false).unwrap(), &mut state);
    assert!(planned(&before, &state, &live, false).unwrap().changes.iter().all(|change| change.attributes.is_empty()));

    let paths = |members: &str| {
        let plan = planned(&list(members), &state, &live, false).unwrap();
        let changes = plan.changes.iter().flat_map(|change| &change.attributes);
        changes.map(|change| (change.path.to_string(), change.before.is_some(), change.forces_replacement)).collect::<Vec<_>>()
    };
    let one = |path: &str, was: bool| (path.to_owned(), was, true);
    assert_eq!(paths("\"a\", \"${env.SECRET}\""), [one("members[sensitive 1]", true)]);
    assert_eq!(paths("\"a\""), [one("members[sensitive 1]", true), one("members[sensitive 2]", true)]);
    assert_eq!(paths("\"${vars.token}\", \"b\", \"${env.SECRET}\", \"a\""), [one(r#"members["b"]"#, false)]);
    assert_eq!(
        paths("\"a\", \"${vars.tokens[0]}\", \"${vars.token}\", \"${env.SECRET}\", \"${vars.tokens[1]}\""),
        [one("members[sensitive 1]", false), one("members[sensitive 2]", false)]
    );
}
