//! Documentation that is written from the code is current, and the tree is as the architecture says.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reference_of_types_is_current() {
    let folder = root().join("docs/types");
    let pages = leoctl::docs::pages(leoctl_aws::registry::catalog().unwrap());
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

/// Which modules each module may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("stack", &["model"]),
    ("plan", &["model", "stack"]),
    ("cost", &["model", "stack", "plan"]),
    ("engine", &["model", "stack", "plan"]),
    ("aws", &["model", "stack", "plan", "engine"]),
    ("store", &["model", "stack", "plan", "engine"]),
    ("ops", &["model", "stack", "plan", "cost", "engine", "aws"]),
    ("ui", &["model", "stack", "plan", "cost", "engine"]),
    ("sandbox", &[]),
];

#[test]
fn modules_use_only_what_is_further_in() {
    for (module, allowed) in ARROWS {
        for file in rust_files(&root().join("src").join(module)) {
            let text = std::fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let known = ARROWS.iter().any(|(name, _)| *name == used) || used == "cli";
                assert!(!known || used == *module || allowed.contains(&used.as_str()), "{} uses {used}", file.display());
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(rust_files(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}
