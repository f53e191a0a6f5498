//! Every link between pages leads to something, on the site and in the repository.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::pages::{self, Page};
use super::root;

#[test]
fn every_link_between_pages_leads_somewhere() {
    let pages = pages::all();
    let mut wrong = Vec::new();
    for page in &pages {
        for link in links(&page.text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target = resolved(&page.path, file);
            let there = if file.is_empty() { Some(page) } else { pages.iter().find(|other| Path::new(&other.path) == target) };
            let exists = file.is_empty() || root().join(&target).exists();
            if !exists || !(anchor.is_empty() || there.is_some_and(|page| anchors(page).contains(anchor))) {
                wrong.push(format!("{}: {link}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

/// The links of a page to others.
fn links(text: &str) -> Vec<String> {
    let outside = without_code(text);
    let targets = outside.split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned));
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// A text without what stands in fences and backticks.
fn without_code(text: &str) -> String {
    let mut in_fence = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_fence ^= is_fence;
        !in_fence && !is_fence
    });
    lines.flat_map(|line| line.split('`').step_by(2).chain(["\n"])).collect()
}

/// Where a link of a page leads to.
fn resolved(page: &str, link: &str) -> PathBuf {
    let from = Path::new(page).parent().unwrap().join(link);
    from.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
        path
    })
}

/// The anchors of a page: its headings', as GitHub and the site make them, and its own.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut in_fence = false;
    let headings = page.text.lines().filter(|line| {
        in_fence ^= line.trim_start().starts_with("```");
        !in_fence && line.starts_with('#')
    });
    let own = page.text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).chain(own.map(str::to_owned)).collect()
}

fn anchor(heading: &str) -> String {
    let shown = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    // The address of a link is not shown.
    let text: String = heading
        .split("](")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once(')').map_or("", |(_, rest)| rest) })
        .collect();
    text.to_lowercase().chars().filter(shown).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn anchors_are_made_as_the_forge_makes_them() {
    for (heading, wanted) in [
        ("The plan's id", "the-plans-id"),
        ("`plan`: what it does", "plan-what-it-does"),
        ("`[stack]`", "stack"),
        ("`state mv`", "state-mv"),
        ("1. Begin", "1-begin"),
    ] {
        assert_eq!(anchor(heading), wanted);
    }
}
