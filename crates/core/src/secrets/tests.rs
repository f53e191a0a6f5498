//! Env files joined with stacks: what each line means, and that nothing gets where it is not meant to.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::join::{Files, Joined, Other, join};
use super::names::{Meaning, Names};
use super::value::{self, Write};
use super::{Beside, Open, Owner, Secret, Target, Use};
use crate::stack::env_file;

fn secret(address: &str, name: &str, uses: Vec<Use>) -> Secret {
    Secret { address: address.parse().unwrap(), name: name.to_owned(), uses }
}

fn gets(service: &str, container: &str, variable: &str, key: Option<&str>) -> Use {
    let owner = |kind: &str, name: &str| Owner { address: format!("{kind}.{service}").parse().unwrap(), name: name.to_owned() };
    Use {
        variable: variable.to_owned(),
        key: key.map(str::to_owned),
        container: container.to_owned(),
        owners: vec![
            owner("ecs_service", &format!("shop-{}", service.replace('"', ""))),
            owner("ecs_task_definition", &format!("family-{}", service.replace('"', ""))),
        ],
    }
}

fn files(texts: &[&str]) -> Files {
    let mut files = Files::default();
    for (number, text) in texts.iter().enumerate() {
        files.add(format!("{number}.env"), env_file::parse(text.as_bytes()).unwrap());
    }
    files
}

fn joined(secrets: &[Secret], texts: &[&str]) -> Joined {
    join(secrets, &Names::new(secrets, &Beside::default()), &files(texts))
}

fn writes(joined: &Joined) -> Vec<(String, &str)> {
    joined.writes.iter().map(|(target, entry)| (target.to_string(), entry.value.as_str())).collect()
}

fn others(joined: &Joined) -> Vec<String> {
    joined.others.iter().map(ToString::to_string).collect()
}

/// The only problem, in one text.
fn problem(joined: &Joined) -> String {
    let [problem] = joined.problems.as_slice() else { panic!("{:?}", joined.problems) };
    format!("{}: {}", problem.message, problem.help)
}

/// Two services that get a variable of one name from two secrets, and two secrets of which the names end alike.
fn shop() -> Vec<Secret> {
    vec![
        secret("secretsmanager_secret.web", "shop/web", vec![gets("web", "app", "DATABASE_URL", None)]),
        secret("secretsmanager_secret.worker", "shop/worker", vec![gets("worker", "app", "DATABASE_URL", None)]),
        secret("secretsmanager_secret.one", "one/token", vec![]),
        secret("secretsmanager_secret.two", "two/token", vec![]),
        secret("secretsmanager_secret.db", "shop/db", vec![gets("web", "app", "USER", Some("user")), gets("web", "app", "PW", Some("pw"))]),
    ]
}

#[test]
fn a_variable_that_two_services_get_from_two_secrets_is_for_neither() {
    let joined = joined(&shop(), &["A=1\nDATABASE_URL=hunter2"]);
    assert_eq!(writes(&joined), []);
    assert_eq!(
        problem(&joined),
        "`DATABASE_URL` (0.env:2) may mean several secrets or keys: write which: web.DATABASE_URL, worker.DATABASE_URL"
    );
    assert_eq!(others(&joined), ["A"]);
}

#[test]
fn a_secret_that_no_container_gets_is_set_by_its_whole_name_alone() {
    let secrets = [secret("secretsmanager_secret.session", "shop/session", vec![])];
    let joined = joined(&secrets, &["SESSION=hunter2"]);
    assert_eq!((writes(&joined), others(&joined)), (vec![], vec!["SESSION".to_owned()]));
    let none = Beside::default();
    assert!(Names::new(&secrets, &none).meant("SESSION").ends_with("shop/session"));
    // What a container gets by that name is that container's.
    let plain = Beside { variables: vec![gets("web", "app", "SESSION", None)], open: vec![] };
    assert_eq!(Names::new(&secrets, &plain).unused("SESSION"), None);
}

#[test]
fn a_line_says_which_secret_it_is_for() {
    for (line, target) in [
        ("web.DATABASE_URL", "secretsmanager_secret.web"),
        ("shop-worker.DATABASE_URL", "secretsmanager_secret.worker"),
        ("ecs_service.worker.DATABASE_URL", "secretsmanager_secret.worker"),
        ("ecs_task_definition.worker.DATABASE_URL", "secretsmanager_secret.worker"),
        ("family-worker.app.DATABASE_URL", "secretsmanager_secret.worker"),
        ("one/token", "secretsmanager_secret.one"),
        ("secretsmanager_secret.two", "secretsmanager_secret.two"),
        ("PW", "secretsmanager_secret.db:pw"),
        ("web.USER", "secretsmanager_secret.db:user"),
        ("shop/db:pw", "secretsmanager_secret.db:pw"),
        ("shop/db:[\"a key\"]", "secretsmanager_secret.db:[\"a key\"]"),
        ("secretsmanager_secret.db:host", "secretsmanager_secret.db:host"),
    ] {
        let joined = joined(&shop(), &[&format!("{line}=x")]);
        assert_eq!(joined.problems, [], "{line}");
        assert_eq!(writes(&joined), [(target.to_owned(), "x")], "{line}");
    }
    for line in ["wbe.DATABASE_URL", "worker.PW", "web.other.PW", "shop/dbx", "token"] {
        let joined = joined(&shop(), &[&format!("{line}=x")]);
        assert_eq!(joined.others, [Other { name: line.to_owned(), place: "0.env:1".to_owned() }]);
    }
}

#[test]
fn a_variable_that_another_service_gets_otherwise_is_no_secret_s_alone() {
    let secrets = shop();
    let beside = Beside { variables: vec![gets("batch", "app", "PW", None)], open: vec![] };
    let names = Names::new(&secrets, &beside);
    let joined = |text: &str| join(&secrets, &names, &files(&[text]));
    assert_eq!(writes(&joined("PW=x")), []);
    assert_eq!(
        problem(&joined("PW=x")),
        "`PW` (0.env:1) may mean a secret, or what a container of ecs_service.batch gets otherwise: write which: web.PW"
    );
    assert_eq!(writes(&joined("web.PW=x")), [("secretsmanager_secret.db:pw".to_owned(), "x")]);
    assert_eq!(joined("batch.PW=x").others.len(), 1);
    assert_eq!(joined("PW=x\nweb.PW=y").problems, []);
}

#[test]
fn a_container_with_environment_files_may_get_any_variable_but_those_it_has() {
    let secrets = shop();
    let of = |service: &str, known: &[&str]| {
        let one = gets(service, "app", "X", None);
        Open { container: Some(one.container), owners: one.owners, known: known.iter().map(|name| (*name).to_owned()).collect() }
    };
    let other = Beside { variables: vec![], open: vec![of("batch", &[])] };
    let joined = |beside: &Beside, text: &str| join(&secrets, &Names::new(&secrets, beside), &files(&[text]));
    assert!(problem(&joined(&other, "PW=x")).contains("ecs_service.batch"), "{:?}", joined(&other, "PW=x"));
    for line in ["web.PW=x", "shop/db:pw=x"] {
        assert_eq!(writes(&joined(&other, line)), [("secretsmanager_secret.db:pw".to_owned(), "x")], "{line}");
    }
    let own = Beside { variables: vec![], open: vec![of("web", &["PW"])] };
    assert_eq!(writes(&joined(&own, "PW=x")), [("secretsmanager_secret.db:pw".to_owned(), "x")]);
}

#[test]
fn a_line_that_may_be_a_part_of_a_value_is_not_shown() {
    let joined = joined(&shop(), &["ELSEWHERE=1\nuser:hunter2@host/db=x\naHVudGVyMg==\naHVudGVyMgo=\nEMPTY="]);
    assert_eq!(others(&joined), ["ELSEWHERE", "0.env:2"]);
}

#[test]
fn services_of_one_block_are_told_apart_by_their_keys() {
    let secrets = [
        secret("secretsmanager_secret.db[\"eu\"]", "eu", vec![gets("web[\"eu\"]", "app", "DB", None)]),
        secret("secretsmanager_secret.db[\"us\"]", "us", vec![gets("web[\"us\"]", "app", "DB", None)]),
    ];
    let bare = joined(&secrets, &["DB=x\nweb.DB=y"]);
    assert_eq!((writes(&bare), bare.problems.len()), (vec![], 2));
    assert!(bare.problems.iter().all(|problem| problem.help == "write which: web[\"eu\"].DB, web[\"us\"].DB"), "{:?}", bare.problems);
    for line in ["web[\"us\"].DB", "web[us].DB", "ecs_service.web['us'].DB", "secretsmanager_secret.db[us]", "us"] {
        assert_eq!(writes(&joined(&secrets, &[&format!("{line}=x")])), [("secretsmanager_secret.db[\"us\"]".to_owned(), "x")], "{line}");
    }
}

#[test]
fn a_variable_may_mean_several_when_each_has_a_line_of_its_own() {
    let both = joined(&shop(), &["DATABASE_URL=dev\nweb.DATABASE_URL=1\nworker.DATABASE_URL=2"]);
    assert_eq!(both.problems, []);
    assert_eq!(writes(&both), [("secretsmanager_secret.web".to_owned(), "1"), ("secretsmanager_secret.worker".to_owned(), "2")]);
    assert_eq!(joined(&shop(), &["DATABASE_URL=dev\nweb.DATABASE_URL=1"]).problems.len(), 1);
    assert_eq!(joined(&shop(), &["DATABASE_URL="]).problems, []);
}

#[test]
fn of_two_values_for_one_secret_the_later_file_s_counts_and_within_a_file_neither() {
    assert_eq!(writes(&joined(&shop(), &["PW=1\nPW=2", "web.PW=3"])), [("secretsmanager_secret.db:pw".to_owned(), "3")]);
    assert_eq!(writes(&joined(&shop(), &["PW=1\nPW=2"])), [("secretsmanager_secret.db:pw".to_owned(), "2")]);
    assert_eq!(writes(&joined(&shop(), &["PW=1", "PW="])), []);
    assert_eq!(writes(&joined(&shop(), &["PW=1\nweb.PW=1"])), [("secretsmanager_secret.db:pw".to_owned(), "1")]);
    let two = joined(&shop(), &["PW=hunter1\nweb.PW=hunter2"]);
    assert_eq!(writes(&two), []);
    assert_eq!(problem(&two), "`PW` (0.env:1) and `web.PW` (0.env:2) are one secret, with two values: keep one of the lines");
}

#[test]
fn an_empty_line_hides_the_value_before_it_and_both_are_named() {
    let said = |texts: &[&str]| {
        let joined = joined(&shop(), texts);
        assert_eq!((writes(&joined), joined.problems.len()), (vec![], 0), "{texts:?}");
        let [hidden] = joined.hidden.as_slice() else { panic!("{texts:?}: {:?}", joined.hidden) };
        assert!(!hidden.targets.is_empty());
        hidden.to_string()
    };
    let named = |empty: &str, value: &str| format!("{empty} is empty, and hides the value in {value}: take the line out to use that");
    // In a later file, in one behind that, in the same file, by another name of the secret, and by a name of several secrets.
    assert_eq!(said(&["PW=hunter2", "A=1\nPW="]), named("`PW` (1.env:2)", "0.env:1"));
    assert_eq!(said(&["A=1\nPW=hunter2", "A=1", "PW=''", "PW= # none"]), named("`PW` (3.env:1)", "0.env:2"));
    assert_eq!(said(&["PW=hunter2\nPW="]), named("`PW` (0.env:2)", "0.env:1"));
    assert_eq!(said(&["PW=hunter2", "web.PW="]), named("`web.PW` (1.env:1)", "0.env:1"));
    assert_eq!(said(&["DATABASE_URL=hunter2", "DATABASE_URL="]), named("`DATABASE_URL` (1.env:1)", "0.env:1"));
    // What hides nothing is not said: without a value before it, with one behind it, or of nothing of the stack.
    for texts in [&["PW="][..], &["PW=", "PW=x"], &["PW=a", "PW=", "PW=x"], &["PW=a", "PW=b"], &["OTHER=hunter2", "OTHER="]] {
        assert_eq!(joined(&shop(), texts).hidden, [], "{texts:?}");
    }
}

#[test]
fn all_of_a_secret_is_not_set_so_that_a_key_of_it_is_lost() {
    let lacks = joined(&shop(), &["shop/db={\"user\":\"hunter2\"}"]);
    assert_eq!(writes(&lacks), []);
    assert!(problem(&lacks).contains("`pw`") && problem(&lacks).contains("web.PW"), "{}", problem(&lacks));
    let text = r#"{"user":"u","pw":"p"}"#;
    assert_eq!(writes(&joined(&shop(), &[&format!("shop/db='{text}'")])), [("secretsmanager_secret.db".to_owned(), text)]);
    let both = joined(&shop(), &[&format!("shop/db='{text}'\nPW=1")]);
    assert_eq!((writes(&both), both.problems.len()), (vec![], 1));
}

#[test]
fn the_name_to_write_is_the_shortest_that_says_it() {
    let secrets = shop();
    let none = Beside::default();
    let names = Names::new(&secrets, &none);
    let shortest: Vec<String> = secrets.iter().flat_map(Secret::targets).map(|target| names.shortest(&target)).collect();
    assert_eq!(shortest, ["web.DATABASE_URL", "worker.DATABASE_URL", "one/token", "two/token", "PW", "USER"]);
    assert!(names.meant("wbe.DATABASE_URL").contains("web.DATABASE_URL"));
}

/// What random stacks are made of: few words, so that they meet often.
const VARIABLES: [&str; 3] = ["TOKEN", "DB", "A.B"];
const BLOCKS: [&str; 4] = ["web", "worker", "web[\"eu\"]", "web[\"us\"]"];
const CONTAINERS: [&str; 2] = ["app", "B"];
const NAMES: [&str; 6] = ["one/token", "two/token", "TOKEN", "db", "web.TOKEN", "one/token.x"];
const KEYS: [Option<&str>; 3] = [None, Some("k"), Some("TOKEN")];

/// A variable of a container: service, container, variable, secret, key; by their numbers.
type Slot = (usize, usize, usize, usize, usize);

/// Secrets, and what containers get beside them: what is of no secret has a plain value or comes from elsewhere, and the
/// containers of `files` have environment files.
fn stack(count: usize, slots: &[Slot], with_files: &[(usize, usize)]) -> (Vec<Secret>, Beside) {
    // A container has each variable once.
    let slots: BTreeMap<(usize, usize, usize), (usize, usize)> =
        slots.iter().map(|(service, container, variable, secret, key)| ((*service, *container, *variable), (*secret, *key))).collect();
    let uses = |ours: &dyn Fn(usize) -> bool| {
        let ours = slots.iter().filter(|(_, (secret, _))| ours(*secret));
        let uses = ours.map(|((service, container, variable), (_, key))| {
            gets(BLOCKS[*service], CONTAINERS[*container], VARIABLES[*variable], KEYS[*key])
        });
        uses.collect::<Vec<_>>()
    };
    let secrets =
        (0..count).map(|number| secret(&format!("secretsmanager_secret.s{number}"), NAMES[number], uses(&|secret| secret == number)));
    let open = with_files.iter().map(|(service, container)| {
        let of_it = slots.keys().filter(|(one, other, _)| (one, other) == (service, container));
        let known = of_it.map(|(_, _, variable)| VARIABLES[*variable].to_owned()).collect();
        let any = gets(BLOCKS[*service], CONTAINERS[*container], "X", None);
        Open { container: Some(any.container), owners: any.owners, known }
    });
    (secrets.collect(), Beside { variables: uses(&|secret| secret >= count), open: open.collect() })
}

fn line() -> impl Strategy<Value = String> {
    let variable = || prop::sample::select(&VARIABLES[..]);
    let owner = || {
        let owners =
            ["web", "worker", "web[\"eu\"]", "web[us]", "shop-web", "shop-worker", "ecs_service.web", "ecs_task_definition.worker", "x"];
        prop::sample::select(owners.to_vec())
    };
    let secret =
        || prop::sample::select(NAMES.iter().copied().chain(["secretsmanager_secret.s0", "secretsmanager_secret.s1"]).collect::<Vec<_>>());
    prop_oneof![
        variable().prop_map(str::to_owned),
        (owner(), variable()).prop_map(|(owner, variable)| format!("{owner}.{variable}")),
        (owner(), prop::sample::select(&CONTAINERS[..]), variable())
            .prop_map(|(owner, container, variable)| format!("{owner}.{container}.{variable}")),
        secret().prop_map(str::to_owned),
        (secret(), prop::sample::select(vec!["k", "TOKEN", "other"])).prop_map(|(secret, key)| format!("{secret}:{key}")),
    ]
}

/// All that somebody could mean by a name, found by looking at everything there is; nothing stands for what a container gets otherwise.
fn everything_meant(secrets: &[Secret], beside: &Beside, name: &str) -> BTreeSet<Option<Target>> {
    // An environment file may have every variable that its container has not.
    let from_files = beside.open.iter().flat_map(|open| {
        let absent = VARIABLES.iter().filter(|variable| !variable.contains('.') && !open.known.contains(**variable));
        let container = open.container.clone().unwrap();
        absent.map(move |variable| Use {
            variable: (*variable).to_owned(),
            key: None,
            container: container.clone(),
            owners: open.owners.clone(),
        })
    });
    let others = beside.variables.iter().cloned().chain(from_files);
    let mut meant: BTreeSet<Option<Target>> = others.filter(|one| is_called(one, name)).map(|_| None).collect();
    for secret in secrets {
        let mut mean = |key: Option<&str>| meant.insert(Some(Target { secret: secret.address.clone(), key: key.map(str::to_owned) }));
        for own in [secret.name.clone(), secret.address.to_string()] {
            if name == own {
                mean(None);
            } else if let Some(key) = name.strip_prefix(&format!("{own}:")) {
                mean(Some(key));
            }
        }
        for one in secret.uses.iter().filter(|one| is_called(one, name)) {
            mean(one.key.as_deref());
        }
    }
    meant
}

/// Whether a container's variable is called so, with or without what runs it.
fn is_called(one: &Use, name: &str) -> bool {
    let inside = [one.variable.clone(), format!("{}.{}", one.container, one.variable)];
    let owners = one.owners.iter().flat_map(|owner| {
        let (address, block) = (owner.address.to_string(), owner.address.block.name.clone());
        let indexed = owner.address.key.iter().flat_map(|key| [format!("{block}[\"{key}\"]"), format!("{block}[{key}]")]);
        [address, block.clone(), owner.name.clone()].into_iter().chain(indexed).collect::<Vec<_>>()
    });
    let mut owned = owners.flat_map(|owner| inside.clone().map(|inside| format!("{owner}.{inside}")));
    name == one.variable || owned.any(|owned| owned == name)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn no_secret_of_one_service_ever_reaches_another_s(
        count in 1..=NAMES.len(),
        slots in prop::collection::vec((0..BLOCKS.len(), 0..CONTAINERS.len(), 0..VARIABLES.len(), 0..=NAMES.len(), 0..KEYS.len()), 0..10),
        with_files in prop::collection::vec((0..BLOCKS.len(), 0..CONTAINERS.len()), 0..2),
        lines in prop::collection::vec(prop::collection::vec(line(), 0..6), 1..3),
    ) {
        let (secrets, beside) = stack(count, &slots, &with_files);
        // Every line has a value of its own, that tells where it came from.
        let texts: Vec<String> = lines.iter().enumerate().map(|(file, lines)| {
            lines.iter().enumerate().map(|(line, name)| format!("{name}=hunter2-{file}-{line}\n")).collect()
        }).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let joined = join(&secrets, &Names::new(&secrets, &beside), &files(&texts));

        for (target, entry) in &joined.writes {
            let name = &lines[entry.file][entry.line - 1];
            prop_assert_eq!(everything_meant(&secrets, &beside, name), BTreeSet::from([Some(target.clone())]), "{}", name);
        }
        // What each container then gets is from a line that can mean nothing but that secret.
        for secret in &secrets {
            let ours = joined.writes.iter().filter(|(target, _)| target.secret == secret.address);
            let ours: Vec<Write<'_>> = ours.map(|(target, entry)| Write { key: target.key.as_deref(), text: &entry.value }).collect();
            let Ok(Some(after)) = value::with(None, &ours) else { continue };
            for one in &secret.uses {
                let text = value::text(&after, one.key.as_deref()).ok().flatten().unwrap_or_default();
                for (file, line, name) in lines.iter().enumerate().flat_map(|(file, lines)| lines.iter().enumerate().map(move |(line, name)| (file, line, name))) {
                    if text.contains(&format!("hunter2-{file}-{line}")) {
                        prop_assert!(everything_meant(&secrets, &beside, name).iter().flatten().all(|target| target.secret == secret.address));
                    }
                }
            }
        }
        for problem in &joined.problems {
            prop_assert!(!problem.message.contains("hunter2") && !problem.help.contains("hunter2"), "{problem:?}");
        }
    }

    #[test]
    fn a_name_that_leoctl_says_to_write_means_that(
        count in 1..=NAMES.len(),
        slots in prop::collection::vec((0..BLOCKS.len(), 0..CONTAINERS.len(), 0..VARIABLES.len(), 0..=NAMES.len(), 0..KEYS.len()), 0..10),
        with_files in prop::collection::vec((0..BLOCKS.len(), 0..CONTAINERS.len()), 0..2),
    ) {
        let (secrets, beside) = stack(count, &slots, &with_files);
        let names = Names::new(&secrets, &beside);
        for target in secrets.iter().flat_map(Secret::targets) {
            for name in [names.shortest(&target), names.full(&target)] {
                prop_assert_eq!(names.meaning(&name), Meaning::One(target.clone()), "{}", name);
                prop_assert!(env_file::can_be_a_name(&name), "{}", name);
            }
        }
    }
}

#[test]
fn the_services_of_a_module_are_told_apart_by_their_keys() {
    let of = |key: &str| {
        let address = |kind: &str| format!("module.web[\"{key}\"].{kind}.main");
        let owner = Owner { address: address("ecs_service").parse().unwrap(), name: format!("shop-{key}") };
        let uses = vec![Use { variable: "TOKEN".to_owned(), key: None, container: "app".to_owned(), owners: vec![owner] }];
        secret(&address("secretsmanager_secret"), &format!("shop/{key}/token"), uses)
    };
    let secrets = [of("orders"), of("billing")];
    let beside = Beside::default();
    let names = Names::new(&secrets, &beside);
    let orders = Target { secret: secrets[0].address.clone(), key: None };
    for name in ["orders.TOKEN", "web[orders].TOKEN", "web[\"orders\"].TOKEN", "shop-orders.TOKEN"] {
        assert_eq!(names.meaning(name), Meaning::One(orders.clone()), "{name}");
    }
    for name in ["TOKEN", "web.TOKEN", "main.TOKEN"] {
        assert!(matches!(names.meaning(name), Meaning::Several(both, _) if both.len() == 2), "{name}");
    }
    assert_eq!(names.shortest(&orders), "orders.TOKEN");
}
