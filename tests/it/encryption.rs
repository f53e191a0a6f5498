//! Files that are encrypted before they are written: nothing of a stack stands in one, a change of one is noticed, and
//! who can read them changes by rotating alone.

mod kms;
mod rotation;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use age::secrecy::ExposeSecret;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;

const STACK: &str = "stacks/web.toml";
/// What is looked for in files: no secret, but of the stack's own.
const MARKER: &str = "zebraM4rk3r";

/// An identity of age, and its recipient.
struct Key {
    identity: String,
    recipient: String,
}

fn key() -> Key {
    let identity = age::x25519::Identity::generate();
    Key { identity: identity.to_string().expose_secret().to_owned(), recipient: identity.to_public().to_string() }
}

/// A stack of two log groups and an output, with this table for its encryption.
fn stack(encryption: &str) -> String {
    let groups = ["one", "two"].map(|name| format!("[resource.cloudwatch_log_group.{name}]\nname = \"/{MARKER}/{name}\"\n")).concat();
    format!(
        "[stack]\nname = \"web\"\nregion = \"us-east-1\"\n{encryption}\n{groups}[outputs]\ngroup = \"${{cloudwatch_log_group.one.name}}\"\n"
    )
}

fn age_of(keys: &[&Key]) -> String {
    let recipients: Vec<String> = keys.iter().map(|key| format!("\"{}\"", key.recipient)).collect();
    format!("[stack.encryption.age]\nrecipients = [{}]\n", recipients.join(", "))
}

/// A run with this identity in its environment.
fn with(project: &Project, key: &Key, arguments: &[&str]) -> Ran {
    ran(project.command(arguments).env("LEOCTL_AGE_IDENTITY", &key.identity).output().unwrap())
}

fn expect(project: &Project, key: &Key, code: i32, arguments: &[&str]) -> Ran {
    let ran = with(project, key, arguments);
    assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    ran
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] }).collect()
}

/// The files of a project that show something of the stack, beside those that it is written in.
fn shown(project: &Path) -> Vec<PathBuf> {
    let written = ["stacks", "modules"].map(|name| project.join(name));
    let all = files(project).into_iter().filter(|file| !written.iter().any(|folder| file.starts_with(folder)));
    let has = |file: &PathBuf| std::fs::read(file).is_ok_and(|bytes| bytes.windows(MARKER.len()).any(|part| part == MARKER.as_bytes()));
    all.filter(has).collect()
}

fn state_of(project: &Project) -> PathBuf {
    project.path().join("state/web.json")
}

#[test]
fn every_command_works_on_an_encrypted_state_and_no_file_shows_anything_of_it() {
    let key = key();
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000101");
    project.write(STACK, &stack(&age_of(&[&key])));
    expect(&project, &key, 0, &["apply", "-y", STACK]);
    let run = |arguments: &[&str]| expect(&project, &key, 0, &[arguments, &[STACK]].concat()).stdout;
    assert!(run(&["plan", "--detailed-exitcode"]).contains("No changes"));
    assert!(run(&["show"]).contains(MARKER) && run(&["output", "--json"]).contains(MARKER));
    assert!(run(&["state", "list"]).contains("cloudwatch_log_group.one"));
    assert!(run(&["state", "show", "cloudwatch_log_group.one"]).contains(MARKER));
    run(&["state", "mv", "cloudwatch_log_group.one", "cloudwatch_log_group.first"]);
    let pulled = run(&["state", "pull"]);
    assert!(pulled.contains(MARKER));
    run(&["state", "rm", "cloudwatch_log_group.first"]);
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
    // A copy is put back as it is, and so is what `pull` has printed.
    let backups = files(&project.path().join("state/backup"));
    assert_eq!(backups.len(), 2);
    let backup = backups.iter().max().unwrap().to_str().unwrap().to_owned();
    run(&["state", "push", "--force", &backup]);
    assert!(run(&["state", "list"]).contains("cloudwatch_log_group.first"));
    project.write("pulled.json", &pulled);
    run(&["state", "push", "--force", "pulled.json"]);
    std::fs::remove_file(project.path().join("pulled.json")).unwrap();
    let header = std::fs::read_to_string(state_of(&project)).unwrap();
    assert!(header.starts_with("{\"leoctl_encrypted\":1,\"about\":{\"what\":\"state\",\"stack\":\"web\""), "{header}");
    run(&["destroy", "-y"]);
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
}

#[test]
fn without_an_identity_nothing_is_read_or_written_and_it_says_where_one_belongs() {
    let (ours, other) = (key(), key());
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000102");
    project.write(STACK, &stack(&age_of(&[&ours])));
    // The first apply would write what nobody here could read again.
    let refused = project.expect(1, &["apply", "-y", STACK]);
    assert!(refused.stderr.contains("error[E1006]") && refused.stderr.contains("LEOCTL_AGE_IDENTITY is not set"), "{}", refused.stderr);
    assert!(!state_of(&project).exists());
    expect(&project, &ours, 0, &["apply", "-y", STACK]);
    let refused = expect(&project, &other, 1, &["plan", STACK]);
    assert!(refused.stderr.contains("none of the 1 at hand is") && refused.stderr.contains(&ours.recipient), "{}", refused.stderr);
    assert!(!refused.stderr.contains(&other.identity));
    // From a file, beside the stack file or at home.
    let identity_file = |file: &str| project.write(STACK, &stack(&format!("{}identity_file = \"{file}\"\n", age_of(&[&ours]))));
    identity_file("../keys.txt");
    let missing = project.expect(1, &["plan", STACK]);
    assert!(missing.stderr.contains("keys.txt: there is no such file"), "{}", missing.stderr);
    let text = format!("# created: today\n# public key: {}\n{}\n", ours.recipient, ours.identity);
    project.write("keys.txt", &text);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    identity_file("~/home.txt");
    project.write("home.txt", &text);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn an_apply_that_is_killed_anywhere_leaves_nothing_in_the_clear_and_goes_on() {
    let key = key();
    let mut at = 0;
    loop {
        let Some(emulator) = Emulator::Fakecloud.alone() else { return };
        let project = Arc::new(Project::new(&emulator.endpoint, "test"));
        project.write(STACK, &stack(&age_of(&[&key])));
        let (during, scanned) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&project));
        let seen = Arc::clone(&during);
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            // While a call is under way, what was to be durable before it is.
            seen.lock().unwrap().extend(shown(scanned.path()));
            (call.mutation == Some(at)).then_some(if at % 2 == 0 { Fault::KillAfter } else { Fault::KillBefore })
        });
        let mut command = project.command(&["apply", "-y", STACK]);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("LEOCTL_AGE_IDENTITY", &key.identity);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.victim(child.id());
        let ended = ran(child.wait_with_output().unwrap());
        assert_eq!(*during.lock().unwrap(), Vec::<PathBuf>::new());
        assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
        if ended.code == 0 {
            break;
        }
        assert!(project.path().join("state/web.journal").exists());
        expect(&project, &key, 0, &["apply", "-y", STACK]);
        assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
        expect(&project, &key, 0, &["plan", "--detailed-exitcode", STACK]);
        at += 1;
    }
    assert!(at >= 2, "{at} changes");
}

#[test]
fn a_file_that_was_changed_cut_off_or_exchanged_is_refused() {
    let key = key();
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000103");
    project.write(STACK, &stack(&age_of(&[&key])));
    project.write("stacks/shop.toml", &stack(&age_of(&[&key])).replace("\"web\"", "\"shop\"").replace(MARKER, "shop"));
    expect(&project, &key, 0, &["apply", "-y", STACK]);
    expect(&project, &key, 0, &["apply", "-y", "stacks/shop.toml"]);
    let whole = std::fs::read_to_string(state_of(&project)).unwrap();
    let shop = std::fs::read_to_string(project.path().join("state/shop.json")).unwrap();
    let data = whole.find("\"data\":\"").unwrap() + 20;
    let flipped: String = whole.char_indices().map(|(at, c)| if at == data { if c == 'A' { 'B' } else { 'A' } } else { c }).collect();
    let serial = |text: &str, serial: &str| text.replacen("\"serial\":1", &format!("\"serial\":{serial}"), 1);
    let cases = [
        (flipped, "is not as leoctl wrote it"),
        (whole.chars().take(whole.len() - 40).collect(), "cannot be read further"),
        (serial(&whole, "7"), "is not as leoctl wrote it"),
        (shop.clone(), "the state belongs to stack shop, but this is stack web"),
        (shop.replace("\"stack\":\"shop\"", "\"stack\":\"web\""), "is not as leoctl wrote it"),
        (whole.replacen("\"leoctl_encrypted\":1", "\"leoctl_encrypted\":9", 1), "was encrypted by a newer leoctl"),
    ];
    for (text, says) in cases {
        std::fs::write(state_of(&project), &text).unwrap();
        for command in [&["plan", STACK][..], &["apply", "-y", STACK], &["state", "pull", STACK], &["state", "rotate", STACK]] {
            let refused = expect(&project, &key, 1, command);
            // That of a stack with another name is the only one that nobody has to have meddled with.
            let code = if says.starts_with("the state belongs") { "error[E0901]" } else { "error[E1006]" };
            assert!(refused.stderr.contains(code) && refused.stderr.contains(says), "{command:?}, {says}: {}", refused.stderr);
        }
        assert_eq!(std::fs::read_to_string(state_of(&project)).unwrap(), text, "what cannot be read is not overwritten");
    }
    std::fs::write(state_of(&project), whole).unwrap();
    expect(&project, &key, 0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn encryption_is_turned_on_by_the_next_write_and_off_by_a_command_alone() {
    let key = key();
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000104");
    project.write(STACK, &stack(""));
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["state", "mv", "cloudwatch_log_group.one", "cloudwatch_log_group.first", STACK]);
    project.expect(0, &["state", "mv", "cloudwatch_log_group.first", "cloudwatch_log_group.one", STACK]);
    let clear = shown(project.path()).len();
    assert_eq!(clear, 3, "the state and two copies");
    let on = stack(&age_of(&[&key]));
    project.write(STACK, &on);
    let plan = expect(&project, &key, 0, &["plan", STACK]);
    assert!(plan.stderr.contains("state/web.json is not encrypted yet"), "{}", plan.stderr);
    assert_eq!(shown(project.path()).len(), clear, "a plan writes nothing");
    project.write(STACK, &on.replace("/two", "/three"));
    expect(&project, &key, 0, &["apply", "-y", STACK]);
    assert_eq!(shown(project.path()).len(), 2, "the copies are as they were");
    expect(&project, &key, 0, &["state", "rotate", STACK]);
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
    // What is in the clear again is refused where that is asked for.
    let required = on.replace("[stack.encryption.age]", "[stack.encryption]\nrequired = true\n[stack.encryption.age]");
    project.write(STACK, &required.replace("/two", "/three"));
    let sealed = std::fs::read_to_string(state_of(&project)).unwrap();
    let pulled = expect(&project, &key, 0, &["state", "pull", STACK]).stdout;
    std::fs::write(state_of(&project), pulled).unwrap();
    let refused = expect(&project, &key, 1, &["plan", STACK]);
    assert!(refused.stderr.contains("`required = true`"), "{}", refused.stderr);
    std::fs::write(state_of(&project), sealed).unwrap();
    // Without the table nothing is read, let alone written in the clear.
    project.write(STACK, &stack("").replace("/two", "/three"));
    for command in [&["plan", STACK][..], &["apply", "-y", STACK], &["state", "decrypt", STACK]] {
        let refused = expect(&project, &key, 1, command);
        assert!(refused.stderr.contains("the stack file has no [stack.encryption]"), "{command:?}: {}", refused.stderr);
    }
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
    project.write(STACK, &on.replace("/two", "/three"));
    expect(&project, &key, 0, &["state", "decrypt", STACK]);
    project.write(STACK, &stack("").replace("/two", "/three"));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    assert_eq!(shown(project.path()).len(), 3);
}

#[test]
fn a_saved_plan_is_encrypted_and_applied_from_another_checkout() {
    let key = key();
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000105");
    project.write(STACK, &stack(&age_of(&[&key])));
    expect(&project, &key, 0, &["plan", "--out", "web.plan", STACK]);
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
    assert!(expect(&project, &key, 0, &["graph", "--plan", "web.plan", "--format", "mermaid"]).stdout.contains("cloudwatch_log_group"));
    let checkout = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000105");
    checkout.write(STACK, &stack(&age_of(&[&key])));
    checkout.write("web.plan", &std::fs::read_to_string(project.path().join("web.plan")).unwrap());
    std::fs::remove_file(project.path().join(STACK)).unwrap();
    let refused = checkout.expect(1, &["apply", "-y", "--plan", "web.plan"]);
    assert!(refused.stderr.contains("cannot decrypt web.plan"), "{}", refused.stderr);
    // A plan is not taken for a state.
    checkout.write("state/web.json", &std::fs::read_to_string(checkout.path().join("web.plan")).unwrap());
    let refused = expect(&checkout, &key, 1, &["plan", STACK]);
    assert!(refused.stderr.contains("is something else than what belongs there"), "{}", refused.stderr);
    std::fs::remove_file(checkout.path().join("state/web.json")).unwrap();
    expect(&checkout, &key, 0, &["apply", "-y", "--plan", "web.plan"]);
    expect(&checkout, &key, 0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn another_stack_reads_its_outputs_by_the_way_that_its_own_file_says() {
    let (network, app) = (key(), key());
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000106");
    project.write(STACK, &stack(&age_of(&[&network])));
    let reader =
        "[data.stack.web]\nfile = \"web.toml\"\n[resource.cloudwatch_log_group.app]\nname = \"${data.stack.web.outputs.group}/app\"\n";
    let own = format!("[stack]\nname = \"app\"\nregion = \"us-east-1\"\n{}", age_of(&[&app]));
    project.write("stacks/app.toml", &format!("{own}{reader}"));
    expect(&project, &network, 0, &["apply", "-y", STACK]);
    let refused = expect(&project, &app, 1, &["plan", "stacks/app.toml"]);
    assert!(refused.stderr.contains(&network.recipient), "{}", refused.stderr);
    let both = Key { identity: format!("{}\n{}", network.identity, app.identity), recipient: String::new() };
    expect(&project, &both, 0, &["apply", "-y", "stacks/app.toml"]);
    assert!(expect(&project, &both, 0, &["show", "stacks/app.toml"]).stdout.contains(MARKER));
    assert_eq!(shown(project.path()), Vec::<PathBuf>::new());
}

#[test]
fn the_sandbox_has_states_of_nothing_real_and_takes_no_key() {
    let key = key();
    let project = Project::new("", "test");
    project.write(STACK, &stack(&age_of(&[&key])));
    // Without a sandbox that runs it ends there, and not for want of an identity.
    let refused = project.run(&["--sandbox", "state", "list", STACK]);
    assert!(!refused.stderr.contains("E1006"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_with_the_table_is_said_with_its_line() {
    let project = Project::new("", "test");
    for (table, says) in [
        ("[stack.encryption]\n", "has neither `age` and `kms`"),
        ("[stack.encryption]\nage = { recipients = [\"age1wrong!\"] }\n", "is no recipient of age"),
        ("[stack.encryption.age]\nrecipients = [\"AGE-SECRET-KEY-1ABC\"]\n", "has an identity, which is a secret"),
        ("[stack.encryption.age]\nrecipient = []\n", "did you mean `recipients`?"),
        ("[stack.encryption.kms]\nkey_id = \"\"\n", "`key_id` of the encryption is empty"),
        ("[stack.encryption]\nkms = { key_id = \"k\" }\nage = { recipients = [] }\n", "is empty: nobody could read the state"),
    ] {
        project.write(STACK, &stack(table));
        let refused = project.expect(1, &["validate", STACK]);
        assert!(refused.stderr.contains(says), "{table}: {}", refused.stderr);
    }
}
