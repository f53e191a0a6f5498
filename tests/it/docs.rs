//! Documentation that is written from the code is current, and the tree is as the architecture says.

mod compare;
mod lines;
mod links;
mod pages;
mod run;
mod site;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::emulator::Emulator;
use crate::support::program::Project;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reference_of_types_is_current() {
    let folder = root().join("docs/types");
    let pages = leoctl::docs::pages(leoctl_aws::registry::catalog());
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        pages.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
    }
    for (name, text) in &pages {
        let there = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(there == *text, "docs/types/{name} is not current: run the tests once with LEOCTL_WRITE_DOCS=1");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), pages.len());
}

#[test]
fn the_list_of_data_sources_is_complete() {
    let page = root().join("docs/stack-language.md");
    let listed = leoctl::docs::data_sources(leoctl_aws::registry::catalog());
    let text = std::fs::read_to_string(&page).unwrap();
    let line = text.lines().find(|line| line.starts_with("Available: ")).unwrap();
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_some() {
        std::fs::write(&page, text.replace(line, &listed)).unwrap();
        return;
    }
    assert_eq!(line, listed, "docs/stack-language.md is not current: run the tests once with LEOCTL_WRITE_DOCS=1");
}

/// The emulator that answers for a type in the sandbox.
fn answers_in_the_sandbox(type_name: &str) -> Emulator {
    let permissions = leoctl_aws::registry::permissions(type_name).unwrap();
    let reads = permissions.plan.iter().chain(permissions.apply).flat_map(|grant| grant.actions).next().unwrap();
    let service = reads.split(':').next().unwrap();
    let is_moto = leoctl::sandbox::MOTO.iter().any(|name| leoctl_aws::client::service_prefix(name) == service);
    if is_moto { Emulator::Moto } else { Emulator::MiniStack }
}

/// What is known of what the sandbox's emulators do otherwise than AWS, as the rows of a table. What Moto lacks of Application
/// Auto Scaling, the sandbox gives it.
fn sandbox_gaps() -> String {
    let ours = crate::gaps::own().filter(|gap| gap.emulator == answers_in_the_sandbox(gap.type_name));
    let ours = ours.filter(|gap| !gap.type_name.starts_with("appautoscaling_") || !gap.evidence.contains("ListTagsForResource"));
    let generic =
        ("awscc_*", "Cloud Control keeps what is written and makes nothing: what AWS sets is not there, such as a database's endpoint");
    let rows: BTreeSet<(&str, &str)> = ours.map(|gap| (gap.type_name, gap.evidence)).chain([generic]).collect();
    let rows = rows.iter().map(|(type_name, evidence)| format!("| `{type_name}` | {} |\n", evidence.replace('|', "\\|")));
    format!("| type | what is otherwise |\n|---|---|\n{}", rows.collect::<String>())
}

#[test]
fn the_page_of_the_sandbox_says_what_it_lacks() {
    let page = root().join("docs/sandbox.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let before = text.split("| type |").next().unwrap();
    let current = format!("{before}{}", sandbox_gaps());
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_some() {
        std::fs::write(&page, &current).unwrap();
        return;
    }
    assert_eq!(text, current, "docs/sandbox.md is not current: run the tests once with LEOCTL_WRITE_DOCS=1");
}

/// What each module may use beside itself: modules of its own crate, and of the crates further in as `core::…` and
/// `aws`. That the crates know only those further in is the compiler's business.
const ARROWS: &[(&str, &[&str])] = &[
    ("crates/core/src/model", &[]),
    ("crates/core/src/stack", &["model"]),
    ("crates/core/src/plan", &["model", "stack"]),
    ("crates/core/src/engine", &["model", "stack", "plan", "tokio"]),
    ("crates/core/src/cost", &["model", "stack", "plan"]),
    ("crates/core/src/graph", &["model", "stack", "plan"]),
    ("crates/core/src/secrets", &["model", "stack"]),
    ("crates/aws/src", &["core::model", "core::stack", "core::plan", "core::engine", "aws", "tokio"]),
    ("src/disk", &[]),
    ("src/identity", &["disk", "core::engine", "tokio"]),
    ("src/store", &["disk", "core::model", "core::engine", "tokio"]),
    ("src/ui", &["core::model", "core::stack", "core::plan", "core::engine", "core::cost", "core::graph", "tokio"]),
    ("src/ops", &["core::model", "core::stack", "core::plan", "core::engine", "core::cost", "core::secrets", "aws", "tokio"]),
    ("src/sandbox", &["disk"]),
    ("src/lsp", &["ui", "core::model", "core::stack", "core::engine", "tokio"]),
];

/// The modules that the arrows are about.
const MODULES: &[&str] =
    &["model", "stack", "plan", "engine", "cost", "graph", "secrets", "disk", "identity", "store", "ui", "ops", "sandbox", "lsp", "cli"];

#[test]
fn modules_use_only_what_is_further_in() {
    let mut wrong = Vec::new();
    for (module, allowed) in ARROWS {
        let files = rust_files(&root().join(module));
        assert!(!files.is_empty(), "there is no {module} any more");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let used = used_modules(&text).into_iter().filter(|used| !module.ends_with(used.as_str()) && !allowed.contains(&used.as_str()));
            wrong.extend(used.map(|used| format!("{} uses {used}", file.strip_prefix(root()).unwrap().display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The modules and crates that a file names, as [`ARROWS`] calls them.
fn used_modules(text: &str) -> Vec<String> {
    let after = |name: &str| {
        let rest = text.split(name).skip(1).map(str::to_owned);
        rest.flat_map(|rest| first_segments(&rest)).collect::<Vec<_>>()
    };
    let mut used: Vec<String> = after("crate::").into_iter().filter(|name| MODULES.contains(&name.as_str())).collect();
    used.extend(after("leoctl_core::").into_iter().map(|name| format!("core::{name}")));
    used.extend(["leoctl_aws", "aws_sdk_"].iter().filter(|name| text.contains(**name)).map(|_| "aws".to_owned()));
    used.extend(text.contains("tokio::").then(|| "tokio".to_owned()));
    used
}

/// What a path goes on with: one name, or those of a list in braces.
fn first_segments(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    match rest.strip_prefix('{').and_then(|list| list.split_once("};")) {
        Some((list, _)) => list.split(',').map(name).collect(),
        None => vec![name(rest)],
    }
}

#[test]
fn every_path_in_the_documentation_is_there() {
    let mut missing = Vec::new();
    for page in pages_by_hand() {
        let text = std::fs::read_to_string(&page).unwrap();
        for path in source_paths(&text).filter(|path| !root().join(path).exists()) {
            missing.push(format!("{} names {path}", page.strip_prefix(root()).unwrap().display()));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// The pages that people write: README of the repository and of its crates, and `docs/` without the types.
fn pages_by_hand() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "crates/core/README.md", "crates/aws/README.md"].iter().map(|page| root().join(page)).collect();
    let docs = std::fs::read_dir(root().join("docs")).unwrap().flatten().map(|entry| entry.path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages.extend(crate::guides::pages().into_iter().filter(|page| page.parent().is_some_and(|folder| folder.ends_with("guides"))));
    pages
}

/// What stands in backticks and is a path of this repository's sources.
fn source_paths(text: &str) -> impl Iterator<Item = &str> {
    const FOLDERS: [&str; 5] = ["src/", "crates/", "tests/", "scripts/", "docs/"];
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', ' ', '…']))
}

fn rust_files(module: &Path) -> Vec<PathBuf> {
    let file = module.with_extension("rs");
    let mut files: Vec<PathBuf> = file.is_file().then_some(file).into_iter().collect();
    for entry in std::fs::read_dir(module).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(rust_files(&entry.path())),
            false => files.extend(Some(entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "rs"))),
        }
    }
    files
}

#[test]
fn the_reference_of_errors_is_current() {
    assert_current("docs/errors.md", &leoctl::codes::reference());
}

#[test]
fn the_reference_of_commands_is_current() {
    assert_current("docs/commands.md", &leoctl::docs::commands::page());
}

/// A file of the repository is what the code writes, or is written now if that is asked for.
fn assert_current(path: &str, current: &str) {
    let file = root().join(path);
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_some() {
        std::fs::write(&file, current).unwrap();
        return;
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == current, "{path} is not current: run the tests once with LEOCTL_WRITE_DOCS=1");
}

#[test]
fn the_stack_written_in_the_editor_is_valid_and_laid_out() {
    let project = Project::new("", "test");
    project.write("stacks/shop.toml", include_str!("../../docs/editor-tutorial.toml"));
    let valid = project.expect(0, &["validate", "stacks/shop.toml"]);
    let said = "29 resource blocks, 1 data source";
    assert!(valid.stdout.contains(said) && include_str!("../../docs/editor-tutorial.md").contains(said), "{}", valid.stdout);
    project.expect(0, &["fmt", "--check", "stacks/shop.toml"]);
}

/// Where the links of a Markdown text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn the_index_for_language_models_leads_to_every_page() {
    let text = std::fs::read_to_string(root().join("llms.txt")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines[0].starts_with("# ") && lines[1].starts_with("> "), "{text}");
    let listed: BTreeSet<&str> = links(&text).collect();
    let missing: Vec<_> = listed.iter().filter(|link| !root().join(link).is_file()).collect();
    assert!(missing.is_empty(), "llms.txt names {missing:?}");
    // What is of this repository alone is not about using leoctl.
    let own = ["agent.md", "devbox.md", "leo.md", "live.md", "fidelity.md"].map(|page| root().join("docs").join(page));
    let pages = pages_by_hand().into_iter().filter(|page| page.starts_with(root().join("docs")) && !own.contains(page));
    let left_out: Vec<_> = pages.filter(|page| !listed.iter().any(|link| root().join(link) == *page)).collect();
    assert!(left_out.is_empty(), "llms.txt lacks {left_out:?}");
}

#[test]
fn every_assistant_gets_the_same_rules() {
    let read = |name: &str| std::fs::read_to_string(root().join("docs/agents").join(name)).unwrap();
    let rules = read("AGENTS.md");
    assert_eq!(read("copilot-instructions.md"), rules);
    let cursor = read("leoctl.mdc");
    assert_eq!(cursor.splitn(3, "---\n").nth(2).map(str::trim_start), Some(rules.as_str()), "{cursor}");
}

#[test]
fn the_stack_of_the_skill_is_valid_and_the_skill_says_when_it_is_for() {
    let skill = std::fs::read_to_string(root().join("docs/agents/skill/SKILL.md")).unwrap();
    let head = skill.split("---\n").nth(1).unwrap();
    assert!(head.starts_with("name: leoctl\ndescription: "), "{head}");
    let stack = skill.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let project = Project::new("", "test");
    project.write("stacks/skill.toml", stack);
    project.expect(0, &["validate", "stacks/skill.toml"]);
    project.expect(0, &["fmt", "--check", "stacks/skill.toml"]);
}
