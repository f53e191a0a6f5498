//! The threat model's page names a test for every threat, and these are there. What no other module holds is held here.

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const PAGE: &str = "docs/threat-model.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Every test of the project, as `file::name`, by the path of its file without its ending and `mod` or `tests`.
fn all_tests() -> Vec<(String, String)> {
    let attribute = Regex::new(r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn ([a-z0-9_]+)").unwrap();
    let folders = ["tests/it", "src", "crates/core/src", "crates/core/tests", "crates/aws/src"];
    let mut tests = Vec::new();
    for file in folders.iter().flat_map(|folder| sources(&root().join(folder))) {
        let module = file.strip_prefix(root()).unwrap().with_extension("").display().to_string().replace('/', "::");
        let module = module.trim_end_matches("::mod").trim_end_matches("::tests").to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        tests.extend(attribute.captures_iter(&text).map(|found| (module.clone(), found[1].to_owned())));
    }
    tests
}

/// The rows of the page's tables that have tests: what is tried, and the tests.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let named = Regex::new("`([a-z0-9_]+(?:::[a-z0-9_]+)+)`").unwrap();
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        in_table = line.starts_with('|') && (in_table || cells.last() == Some(&"test"));
        if in_table && cells.last() != Some(&"test") && !line.starts_with("|---") {
            let tests = named.captures_iter(cells.last().unwrap()).map(|found| found[1].to_owned());
            rows.push((cells[0].to_owned(), tests.collect()));
        }
    }
    rows
}

#[test]
fn every_threat_has_its_test() {
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let (rows, tests) = (rows(&page), all_tests());
    assert!(rows.len() > 60 && tests.len() > 1000, "{} rows, {} tests", rows.len(), tests.len());
    let is_there = |named: &str| {
        let (module, name) = named.rsplit_once("::").unwrap();
        tests.iter().any(|(place, test)| test == name && (place == module || place.ends_with(&format!("::{module}"))))
    };
    let mut wrong: Vec<String> = rows.iter().filter(|(_, tests)| tests.is_empty()).map(|(tried, _)| format!("{tried}: no test")).collect();
    let missing = rows.iter().flat_map(|(_, tests)| tests).filter(|named| !is_there(named));
    wrong.extend(missing.map(|named| format!("there is no test {named}")));
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

fn group(name: &str) -> String {
    format!("[stack]\nname = \"{name}\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.g]\nname = \"/threats/{name}\"\n")
}

#[test]
fn an_expression_reads_no_file_outside_of_the_project_and_nothing_of_the_environment() {
    let project = Project::new("", "test");
    std::fs::create_dir_all(project.path().join("p/stacks")).unwrap();
    project.write("private.txt", "privateM4rk3r");
    for (expression, says) in [
        ("${file('../../private.txt')}", "outside of the project"),
        ("${template('../../private.txt', {})}", "outside of the project"),
        ("${fileset('../../*.txt')}", "cannot read"),
        ("${env.AWS_SECRET_ACCESS_KEY}", "there is no environment variable"),
    ] {
        project.write("p/stacks/s.toml", &format!("[stack]\nname = \"s\"\nregion = \"us-east-1\"\n[outputs]\no = \"{expression}\"\n"));
        let refused = project.expect(1, &["validate", "p/stacks/s.toml"]);
        assert!(refused.stderr.contains(says) && !refused.stderr.contains("privateM4rk3r"), "{expression}: {}", refused.stderr);
    }
}

#[test]
fn no_line_of_a_file_outside_of_the_project_is_shown() {
    let (project, outside) = (Project::new("", "460000000109"), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("credentials"), "[default]\naws_secret_access_key = sekretM4rker\n").unwrap();
    std::fs::write(outside.path().join("table.toml"), "[registry]\ntoken = 'sekretM4rker'\n").unwrap();
    for file in ["credentials", "table.toml"] {
        let file = outside.path().join(file);
        project.write("stacks/s.toml", &format!("[stack]\nname = \"s\"\nregion = \"us-east-1\"\nextends = [{file:?}]\n"));
        for more in [&[][..], &["--json"]] {
            let ran = project.expect(1, &[&["validate", "stacks/s.toml"], more].concat());
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("sekret"), "{}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn no_link_leads_what_is_written_out_of_the_project() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "460000000110");
    let (outside, text) = (tempfile::tempdir().unwrap(), "[stack]\nname='o'\n");
    let link = |name: &str, from: &str| {
        std::fs::write(outside.path().join(name), text).unwrap();
        std::os::unix::fs::symlink(outside.path().join(name), project.path().join(from)).unwrap();
    };
    project.write("stacks/s.toml", &group("links"));
    std::fs::create_dir_all(project.path().join("state")).unwrap();
    link("last", "state/.last");
    project.expect(0, &["plan", "stacks/s.toml"]);
    link("lock", "state/links.lock");
    let refused = project.expect(1, &["apply", "-y", "stacks/s.toml"]);
    assert!(refused.stderr.contains("state/links.lock"), "{}", refused.stderr);
    std::fs::remove_file(project.path().join("state/links.lock")).unwrap();
    link("journal", "state/links.journal");
    drop(project.run(&["apply", "-y", "stacks/s.toml"]));
    link("stack.toml", "stacks/linked.toml");
    drop(project.run(&["fmt"]));
    for name in ["last", "lock", "journal", "stack.toml"] {
        assert_eq!(std::fs::read_to_string(outside.path().join(name)).unwrap(), text, "{name}");
    }
}

#[test]
fn a_module_and_another_stack_are_files_of_the_project() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000501");
    project.write("elsewhere/m.toml", "[outputs]\no = \"x\"\n");
    project.write("elsewhere/s.toml", &group("s"));
    let head = "[stack]\nname = \"own\"\nregion = \"us-east-1\"\n";
    project.write("p/stacks/own.toml", &format!("{head}[module.m]\nsource = \"../../elsewhere/m.toml\"\n"));
    let run = |arguments: &[&str]| {
        let output = project.command(arguments).current_dir(project.path().join("p")).output().unwrap();
        crate::support::program::ran(output)
    };
    let refused = run(&["validate", "stacks/own.toml"]);
    assert!(refused.code == 1 && refused.stderr.contains("outside of the project"), "{}", refused.stderr);
    for source in ["https://example.com/m.toml", "git::ssh://git@example.com/m.git"] {
        project.write("p/stacks/own.toml", &format!("{head}[module.m]\nsource = \"{source}\"\n"));
        let refused = run(&["validate", "stacks/own.toml"]);
        assert_eq!(refused.code, 1, "nothing is fetched: {}", refused.stderr);
    }
    let reads = "[data.stack.o]\nfile = \"../../elsewhere/s.toml\"\n[outputs]\no = \"${data.stack.o.name}\"\n";
    project.write("p/stacks/own.toml", &format!("{head}{reads}"));
    let refused = run(&["plan", "stacks/own.toml"]);
    assert!(refused.code == 1 && refused.stderr.contains("outside of the project"), "{}", refused.stderr);
}

#[test]
fn the_state_of_another_stack_or_account_is_refused_and_stays_as_it_is() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "590000000502");
    for name in ["web", "shop"] {
        project.write(&format!("stacks/{name}.toml"), &group(name));
        project.expect(0, &["apply", "-y", &format!("stacks/{name}.toml")]);
    }
    let shop = std::fs::read_to_string(project.path().join("state/shop.json")).unwrap();
    let web = std::fs::read_to_string(project.path().join("state/web.json")).unwrap();
    for (text, what) in [(shop, "stack shop"), (web.replace("590000000502", "590000000503"), "account 590000000503")] {
        project.write("state/web.json", &text);
        for command in [&["plan", "stacks/web.toml"][..], &["destroy", "-y", "stacks/web.toml"]] {
            let refused = project.expect(1, command);
            assert!(refused.stderr.contains(&format!("the state belongs to {what}")), "{}", refused.stderr);
        }
        assert_eq!(std::fs::read_to_string(project.path().join("state/web.json")).unwrap(), text);
    }
}

#[cfg(unix)]
#[test]
fn states_journals_copies_and_plans_are_their_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000504");
    project.write("stacks/web.toml", &group("web"));
    project.expect(0, &["apply", "-y", "stacks/web.toml"]);
    project.expect(0, &["plan", "--out", "state/web.plan", "stacks/web.toml"]);
    project.expect(0, &["state", "mv", "cloudwatch_log_group.g", "cloudwatch_log_group.h", "stacks/web.toml"]);
    let written = sources_of(&project.path().join("state"));
    assert!(written.len() >= 4, "{written:?}");
    for file in written.iter().filter(|file| !file.ends_with(".last")) {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }
}

fn sources_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { sources_of(&path) } else { vec![path] }).collect()
}
