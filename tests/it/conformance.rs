//! Every resource type through one routine on every emulator, each of which behaves as AWS is documented to (`tests/facts`):
//! create, plan empty, change each attribute and remove it again, each time exactly that shown and the plan empty after,
//! delete, gone, delete again.

use leoctl_core::model::schema::Unset;

use crate::cases::{self, Case, KEY, scaffold};
use crate::gaps;
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::world::{World, shown, upload_certificate};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms_on_fakecloud() {
    conform(Emulator::Fakecloud).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms_on_ministack() {
    conform(Emulator::MiniStack).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms_on_moto() {
    conform(Emulator::Moto).await;
}

async fn conform(emulator: Emulator) {
    let Some(endpoint) = emulator.endpoint() else {
        eprintln!("{emulator:?} is not installed here: skipped");
        return;
    };
    for name in ["a", "b", "c"] {
        upload_certificate(endpoint, name).await;
    }
    let mut problems = Vec::new();
    // While working on a type: only its cases.
    let only = std::env::var("LEOCTL_TEST_TYPE").ok();
    for (number, case) in cases::all().enumerate().filter(|(_, case)| only.as_ref().is_none_or(|only| case.type_name.contains(only))) {
        if ["", case.needs, case.least].iter().all(|lines| gap(emulator, case.type_name, lines).is_none()) {
            let proxy = Proxy::strict(endpoint, emulator);
            let mut found = check(emulator, &proxy.endpoint, case, number).await;
            found.extend(proxy.take_invalid().into_iter().map(|invalid| format!("{} (model): {invalid}", case.type_name)));
            found.iter().for_each(|problem| eprintln!("{emulator:?}: {problem}\n"));
            problems.extend(found);
        }
    }
    assert!(problems.is_empty(), "{emulator:?}:\n\n{}", problems.join("\n\n"));
}

#[test]
fn every_type_has_a_case() {
    let known: Vec<&str> = leoctl_aws::registry::catalog().resources.keys().map(String::as_str).collect();
    let mut cased: Vec<&str> = cases::all().map(|case| case.type_name).collect();
    cased.sort_unstable();
    cased.dedup();
    assert_eq!(cased, known);
    assert!(gaps::all().all(|gap| !gap.evidence.is_empty()));
}

/// The gap that a step with these lines meets; that of the whole type for no lines.
fn gap(emulator: Emulator, type_name: &str, lines: &str) -> Option<&'static str> {
    let known = gaps::all().find(|gap| {
        let meets = if lines.is_empty() { gap.attribute.is_empty() } else { !gap.attribute.is_empty() && lines.contains(gap.attribute) };
        gap.emulator == emulator && gap.type_name == type_name && meets
    });
    known.map(|gap| gap.evidence)
}

/// Whether what AWS has of an attribute stays when its line goes: AWS chooses such a value when nobody does.
fn is_kept(case: &Case, line: &str) -> bool {
    let catalog = leoctl_aws::registry::catalog();
    let name = line.split(' ').next().unwrap();
    let attribute = catalog.resources[case.type_name].schema.attributes.iter().find(|attribute| attribute.name == name);
    attribute.is_some_and(|attribute| attribute.unset == Unset::Server)
}

/// Timeouts of the tests.
const HASTE: &str = "timeouts = { create = \"20s\", update = \"20s\", delete = \"20s\" }\n";

/// Runs one case; what went wrong.
async fn check(emulator: Emulator, endpoint: &str, case: &Case, number: usize) -> Vec<String> {
    let name = format!("c{number}-{}", case.type_name.replace('_', "-"));
    let name: String = name.chars().take(20).collect();
    let world = World::new(endpoint, &name).await;
    // What an emulator never answers as it should is a failure soon, not after AWS's own patience.
    let hasty = |text: String| text.replace(".n]\n", &format!(".n]\n{HASTE}")).replace(".x]\n", &format!(".x]\n{HASTE}"));
    let stack = |body: &str| {
        hasty(
            format!("{}\n[resource.{}.x]\n{body}\n", scaffold(case.needs), case.type_name)
                .replace("NAME", &name)
                .replace("\"KEY\"", &format!("{KEY:?}")),
        )
    };
    let mut problems = Vec::new();
    let mut problem = |what: &str, why: String| problems.push(format!("{} ({what}): {why}", case.type_name));

    let least = stack(case.least);
    if let Err(error) = world.apply(&least).await {
        problem("create", error);
        let _ = world.destroy(&least).await;
        return problems;
    }
    if let Some(why) = not_empty(&world, &least).await {
        problem("plan after create", why);
    }
    let steps = case.optional.iter().map(|line| (*line, format!("{}\n{line}", case.least)));
    let replaced = case.changed.iter().map(|(from, to)| (*to, case.least.replacen(from, to, 1)));
    for (line, body) in steps.chain(replaced) {
        if gap(emulator, case.type_name, line).is_some() {
            continue;
        }
        let steps = [(format!("set {line}"), stack(&body), true), (format!("unset {line}"), least.clone(), !is_kept(case, line))];
        for (what, body, changes) in steps {
            match world.plan(&body).await {
                Err(error) => problem(&what, error),
                Ok(plan) if changes && !plan.has_changes() => problem(&what, "the plan shows no change".to_owned()),
                Ok(plan) => {
                    let others = plan.changes.iter().filter(|change| !change.attributes.is_empty() && change.address.block.name != "x");
                    others.for_each(|change| problem(&what, format!("{} changes too:\n{}", change.address, shown(&plan))));
                }
            }
            if let Err(error) = world.apply(&body).await {
                problem(&what, error);
                continue;
            }
            if let Some(why) = not_empty(&world, &body).await {
                problem(&format!("plan after {what}"), why);
            }
        }
    }
    let id = world.id(&format!("{}.x", case.type_name)).await.unwrap_or_default();
    if let Some(why) = not_imported(&world, case, &least, &id).await {
        problem("import", why);
    }
    if let Some(why) = not_found_again(&world, case, &least).await {
        problem("lost state", why);
    }
    if let Err(error) = world.destroy(&least).await {
        problem("delete", error);
        return problems;
    }
    if world.exists(case.type_name, &id).await {
        problem("delete", format!("{id} still exists"));
    }
    if let Err(error) = world.delete(case.type_name, &id).await {
        problem("delete again", error);
    }
    problems
}

/// What a plan still shows.
async fn not_empty(world: &World, body: &str) -> Option<String> {
    match world.plan(body).await {
        Err(error) => Some(error),
        Ok(plan) if plan.has_changes() || !plan.drift.is_empty() => Some(shown(&plan)),
        Ok(_) => None,
    }
}

/// What is wrong when the resource is forgotten and imported again by its id.
async fn not_imported(world: &World, case: &Case, least: &str, id: &str) -> Option<String> {
    let address = format!("{}.x", case.type_name);
    world.forget(&address).await;
    let importing = format!("{least}\n[[import]]\nto = \"{address}\"\nid = \"{id}\"\n");
    match world.plan(&importing).await {
        Err(error) => return Some(error),
        Ok(plan) => {
            let change = plan.changes.iter().find(|change| change.address.to_string() == address)?;
            // What only leoctl knows of a resource is set anew.
            let known = change.attributes.iter().filter(|attribute| !attribute.sensitive);
            if change.action != leoctl_core::plan::types::Action::Import || known.count() > 0 {
                return Some(shown(&plan));
            }
        }
    }
    if let Err(error) = world.apply(&importing).await {
        return Some(error);
    }
    not_empty(world, least).await
}

/// What is wrong when everything is forgotten and a plan finds it again: of what takes no tags, which is known by what it
/// hangs on.
async fn not_found_again(world: &World, case: &Case, least: &str) -> Option<String> {
    // What waits to be confirmed has no id in any list: it is subscribed once more, which makes no second one.
    let is_pending = case.least.contains("protocol = \"https\"") || case.least.contains("protocol = \"email\"");
    if leoctl_aws::registry::catalog().resources[case.type_name].schema.is_taggable() || is_pending {
        return None;
    }
    world.forget_all().await;
    match world.plan(least).await {
        Err(error) => return Some(error),
        Ok(plan) if plan.changes.iter().any(|change| change.action != leoctl_core::plan::types::Action::Import) => {
            return Some(shown(&plan));
        }
        Ok(_) => {}
    }
    if let Err(error) = world.apply(least).await {
        return Some(error);
    }
    not_empty(world, least).await
}
