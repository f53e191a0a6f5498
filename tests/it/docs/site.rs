//! The documentation as a site: its navigation, and that it needs nothing but itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{assert_current, root};
use crate::support::python;

#[derive(Deserialize)]
struct Navigation {
    section: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    title: String,
    pages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    page: String,
    about: String,
}

fn navigation() -> Navigation {
    toml::from_str(&std::fs::read_to_string(root().join("docs/site/nav.toml")).unwrap()).unwrap()
}

#[test]
fn every_page_is_in_the_navigation() {
    let navigation = navigation();
    let listed: Vec<&str> = navigation.section.iter().flat_map(|section| &section.pages).map(|entry| entry.page.as_str()).collect();
    let pages = super::pages::all();
    let pages = pages.iter().filter_map(|page| page.path.strip_prefix("docs/"));
    // What is for assistants to copy is no page for people.
    let pages = pages.filter(|page| *page != "README.md" && !page.starts_with("agents/"));
    let pages = pages.filter(|page| !page.starts_with("types/") || *page == "types/README.md");
    let missing: Vec<&str> = pages.filter(|page| !listed.contains(page)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "these pages of docs/ are not in docs/site/nav.toml");
    let mut once = listed.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), listed.len(), "a page is twice in docs/site/nav.toml");
}

#[test]
fn the_contents_of_the_documentation_are_current() {
    let page = root().join("docs/README.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let before = text.split("\n## ").next().unwrap();
    assert_current("docs/README.md", &format!("{}\n{}", before.trim_end(), contents()));
}

/// The pages that are there, by section, with their titles.
fn contents() -> String {
    let mut text = String::new();
    for section in navigation().section {
        let there = section.pages.iter().filter_map(|entry| Some((entry, title(&entry.page)?)));
        let lines: String = there.map(|(entry, title)| format!("- [{title}]({}): {}\n", entry.page, entry.about)).collect();
        if !lines.is_empty() {
            text.push_str(&format!("\n## {}\n\n{lines}", section.title));
        }
    }
    text
}

/// The title of a page, if it is there.
fn title(page: &str) -> Option<String> {
    let text = std::fs::read_to_string(root().join("docs").join(page)).ok()?;
    text.lines().find_map(|line| line.strip_prefix("# ")).map(str::to_owned)
}

#[test]
fn the_site_is_built_with_every_link_checked_and_fetches_nothing() {
    if !python::is_installed() {
        eprintln!("NOT TESTED: the site of the documentation, which needs python3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let built = folder.path().join("site");
    let said = Command::new(root().join("scripts/site")).arg(&built).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}");
    let mut pages = Vec::new();
    html(&built, &mut pages);
    assert!(pages.len() > 80, "{} pages", pages.len());
    let wrong: Vec<String> = pages.iter().flat_map(|page| outside(page)).collect();
    assert_eq!(wrong, Vec::<String>::new(), "what a browser would fetch from somewhere else");
    let search = std::fs::read_to_string(built.join("search.js")).unwrap();
    assert!(search.contains("tutorial.html"), "the search knows the pages without asking a server");
    assert!(built.join("assets/javascripts/iframe-worker.js").is_file());
    let leo = std::fs::read_to_string(built.join("leo.html")).unwrap();
    assert!(leo.contains("<pre class=\"mermaid\">"), "a diagram is drawn and not shown as code");
    let scripts = std::fs::read_dir(built.join("assets/javascripts")).unwrap().flatten().map(|entry| entry.path());
    let fetches = |path: &PathBuf| path.is_file() && std::fs::read_to_string(path).unwrap().contains("unpkg.com/mermaid");
    assert_eq!(scripts.filter(fetches).collect::<Vec<_>>(), Vec::<PathBuf>::new(), "what draws it is in the site");
}

fn html(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => html(&entry.path(), pages),
            false => pages.extend(Some(entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "html"))),
        }
    }
}

/// The scripts, styles and pictures of a page that are not in the site.
fn outside(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let tags = text.split('<').filter(|tag| ["script ", "link ", "img "].iter().any(|name| tag.starts_with(name)));
    let values = tags.flat_map(|tag| [" src=\"", " href=\""].into_iter().filter_map(move |name| tag.split_once(name)));
    let values = values.filter_map(|(_, rest)| rest.split('"').next());
    values.filter(|value| value.contains("//")).map(|value| format!("{}: {value}", page.display())).collect()
}
