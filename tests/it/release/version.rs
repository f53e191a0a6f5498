//! What leoctl says of itself, and the manual pages it writes.

use serde_json::json;

use crate::support::program::Project;

#[test]
fn version_says_what_it_was_built_for_and_which_formats_it_knows() {
    let project = Project::new("", "test");
    let version = project.json(&["version", "--json"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["formats"]["state"], json!({ "writes": 2, "reads": [1, 2] }));
    assert_eq!(version["formats"]["saved_plan"], json!({ "writes": 4, "reads": [4] }));
    assert_eq!(version["formats"]["plan_json"], json!({ "writes": 1, "reads": null }));
    assert_eq!(version["formats"]["language"], json!({ "writes": 1, "reads": [1] }));
    let target = version["target"].as_str().unwrap();
    assert!(target.starts_with(std::env::consts::ARCH), "{target}");
    let day = regex_lite::Regex::new(r"^\d{4}-\d{2}-\d{2}$").unwrap();
    for date in [&version["aws_schemas"]["date"], &version["prices"]] {
        assert!(day.is_match(date.as_str().unwrap()), "{version}");
    }
    // The build of the tests gives no commit, so that every commit has the same.
    assert!(version["commit"].is_null() || std::env::var_os("LEOCTL_BUILD_COMMIT").is_some(), "{version}");

    let shown = project.expect(0, &["version"]).stdout;
    assert!(shown.contains("state") && shown.contains("2, reads 1 to 2") && shown.contains(target), "{shown}");
    assert_eq!(project.expect(0, &["--version"]).stdout, concat!("leoctl ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_command_that_is_shown_has_a_manual_page() {
    let project = Project::new("", "test");
    project.expect(0, &["man", "--out", "pages/man1"]);
    let page = |name: &str| std::fs::read_to_string(project.path().join("pages/man1").join(name));
    let help = project.expect(0, &["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?.split_whitespace().next());
    let commands: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(commands.len() > 30, "{commands:?}");
    for command in commands {
        assert!(page(&format!("leoctl-{command}.1")).unwrap().contains(".SH SYNOPSIS"), "{command}");
    }
    assert!(page("leoctl.1").unwrap().starts_with(".ie"), "{}", page("leoctl.1").unwrap());
    assert!(page("leoctl-state-mv.1").is_ok());
    assert!(page("leoctl-man.1").is_err(), "what help hides has no page");
    project.write("a-file", "");
    assert!(project.expect(1, &["man", "--out", "a-file"]).stderr.contains("cannot write to a-file"));
}

#[test]
fn the_page_of_changes_has_this_version() {
    let page = include_str!("../../../CHANGELOG.md");
    assert!(page.contains(concat!("## [", env!("CARGO_PKG_VERSION"), "]")), "CHANGELOG.md lacks {}", env!("CARGO_PKG_VERSION"));
}
