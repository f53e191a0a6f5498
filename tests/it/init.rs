//! `leoctl init`: what a project begins with, by flags and by what is answered at a terminal.

use std::process::Child;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::terminal::Terminal;

/// A folder with nothing in it.
fn empty(endpoint: &str) -> Project {
    let project = Project::new(endpoint, "test");
    for folder in ["stacks", "modules"] {
        std::fs::remove_dir_all(project.path().join(folder)).unwrap();
    }
    project
}

/// The lines that say what was written and what was left alone.
fn said(stdout: &str) -> Vec<&str> {
    stdout.lines().collect()
}

fn checked(project: &Project) {
    let validated = project.expect(0, &["validate"]);
    assert!(!validated.stderr.contains("warning"), "{}", validated.stderr);
    project.expect(0, &["fmt", "--check"]);
}

#[test]
fn every_beginning_is_without_a_mistake_and_can_be_planned() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    for (with, modules, resources) in [
        ("log-group", &[][..], 2),
        ("network", &["network"], 9),
        ("web", &["network", "web_service"], 27),
        ("web-worker", &["network", "web_service", "worker"], 33),
    ] {
        let project = empty(endpoint);
        let name = "a-very-long-name-of-a-project-1";
        let done = project.expect(0, &["init", "--with", with, "--name", name, "--region", "eu-west-1"]);
        for module in modules {
            let text = std::fs::read_to_string(project.path().join(format!("modules/{module}.toml"))).unwrap();
            let own = format!("{}/modules/{module}.toml", env!("CARGO_MANIFEST_DIR"));
            assert!(text.ends_with(&std::fs::read_to_string(own).unwrap()), "{module}");
            assert!(said(&done.stdout).contains(&format!("+ modules/{module}.toml").as_str()), "{}", done.stdout);
        }
        assert_eq!(done.stdout.matches("+ modules/").count(), modules.len(), "{}", done.stdout);
        checked(&project);
        let plan = project.json(&["plan", "--json"]);
        assert_eq!((&plan["stack"], &plan["region"]), (&format!("{name}-dev").into(), &"eu-west-1".into()));
        assert_eq!(plan["summary"]["create"], resources, "{with}");
        assert_eq!(plan["warnings"], serde_json::json!([]), "{with}");
    }
}

#[test]
fn what_is_there_already_is_left_alone_and_all_of_it_is_named() {
    let project = empty("");
    let first = project.expect(0, &["init", "--with", "web"]);
    project.write("modules/network.toml", "# mine\n");
    let again = project.expect(0, &["init"]);
    let named = |sign: &str, text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(sign)).map(|line| line.split(' ').next().unwrap().to_owned());
        let mut names: Vec<String> = lines.collect();
        names.sort();
        names
    };
    assert_eq!(named("  ", &again.stdout), named("+ ", &first.stdout));
    assert_eq!(named("+ ", &again.stdout), Vec::<String>::new());
    // More is written where it is asked for, and nothing over what is there.
    let more = project.expect(0, &["init", "--with", "web-worker"]);
    assert_eq!(named("+ ", &more.stdout), ["modules/worker.toml"]);
    assert_eq!(std::fs::read_to_string(project.path().join("modules/network.toml")).unwrap(), "# mine\n");
    // A project with a stack of its own is given no other one.
    let own = empty("");
    own.write("stacks/prod.toml", "[stack]\nname = \"own\"\n");
    own.expect(0, &["init"]);
    assert!(!own.path().join("stacks/dev.toml").exists());
}

#[test]
fn nothing_is_begun_beside_what_it_would_not_fit() {
    let project = empty("");
    project.write("modules/web_service.toml", "[vars.mine]\ndefault = 1\n");
    let refused = project.expect(1, &["init", "--with", "web"]);
    assert!(refused.stderr.contains("modules/web_service.toml is there already, and is another module"), "{}", refused.stderr);
    assert!(!project.path().join("stacks").exists() && !project.path().join(".gitignore").exists());
    // The same module is no other one, with the line for editors or without.
    let own = format!("{}/modules/web_service.toml", env!("CARGO_MANIFEST_DIR"));
    project.write("modules/web_service.toml", &std::fs::read_to_string(own).unwrap());
    project.expect(0, &["init", "--with", "web"]);
    checked(&project);
    for begin in [|path: &std::path::Path| std::fs::write(path, "x"), |path: &std::path::Path| std::os::unix::fs::symlink("nowhere", path)]
    {
        let project = empty("");
        begin(&project.path().join("stacks")).unwrap();
        let refused = project.expect(1, &["init"]);
        assert!(refused.stderr.contains("stacks is there, and is no folder"), "{}", refused.stderr);
    }
}

#[test]
fn a_name_that_a_project_cannot_have_is_refused() {
    let refused = empty("").expect(1, &["init", "--name", "My Shop"]);
    assert!(refused.stderr.contains("expected small letters, digits and `-`"), "{}", refused.stderr);
}

fn begun(project: &Project, terminal: &Terminal, arguments: &[&str]) -> Child {
    let mut command = project.command(&[&["init"], arguments].concat());
    command.env("AWS_REGION", "eu-central-1").stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio());
    command.spawn().unwrap()
}

#[test]
fn a_terminal_is_asked_until_the_answers_can_be_used() {
    let project = empty("");
    let mut terminal = Terminal::new(24, 120);
    let mut child = begun(&project, &terminal, &[]);
    let folder = project.path().file_name().unwrap().to_string_lossy().to_lowercase();
    let folder = folder.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).to_owned();
    let question = format!("What is the project called? [{folder}] ");
    terminal.shows(&question);
    terminal.types("My Shop\n");
    terminal.shows_behind("expected small letters, digits and `-`", &question);
    terminal.types("shop\n");
    terminal.shows("In which region is it? [eu-central-1] ");
    terminal.types("\n");
    terminal.shows("1 to 4? [1] ");
    terminal.types("5\n");
    terminal.shows_behind("expected a number from 1 to 4", "1 to 4? [1] ");
    terminal.types("3\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let stack = std::fs::read_to_string(project.path().join("stacks/dev.toml")).unwrap();
    assert!(stack.contains("name   = \"shop-dev\"\nregion = \"eu-central-1\"\n"), "{stack}");
    assert!(project.path().join("modules/web_service.toml").exists() && !project.path().join("modules/worker.toml").exists());
    checked(&project);
    let shown = terminal.all().replace("\r\n", "\n").replace(&format!("[{folder}]"), "[FOLDER]");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_terminal_is_not_asked_for_what_is_given_or_not_to_be_asked() {
    let project = empty("");
    let terminal = Terminal::new(24, 120);
    let mut child = begun(&project, &terminal, &["-y"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!terminal.all().contains('?') && project.path().join(".env.defaults").exists());
    let other = empty("");
    let mut terminal = Terminal::new(24, 120);
    let mut child = begun(&other, &terminal, &["--with", "network", "--name", "shop"]);
    terminal.shows("In which region is it? [eu-central-1] ");
    terminal.types("\u{4}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(terminal.all().contains("Nothing was written.") && !other.path().join("stacks").exists());
}
