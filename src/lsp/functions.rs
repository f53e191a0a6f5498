//! The functions of the stack language as their documentation has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use leoctl_core::stack::functions::usages;

/// A function.
#[derive(Clone, Debug)]
pub struct Documented {
    /// Its name, with its namespace.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it gives, and an example, in Markdown; empty of those that CEL documents.
    pub doc: &'static str,
}

impl Documented {
    /// Whether it is written behind what it works on.
    pub fn is_method(&self) -> bool {
        !self.usage.starts_with(self.name)
    }

    /// What it gives, and an example below that, in Markdown.
    pub fn text(&self) -> String {
        self.doc.replacen(" | ", "\n\nFor example: ", 1)
    }
}

/// Every function, by name.
pub static ALL: LazyLock<Vec<Documented>> = LazyLock::new(|| {
    let docs = documented();
    let one = |(name, usage): (&'static str, &'static str)| Documented { name, usage, doc: docs.get(name).copied().unwrap_or_default() };
    usages().into_iter().map(one).collect()
});

/// The rows of the page that documents the functions: `| usage | what it gives | example |`.
fn documented() -> BTreeMap<&'static str, &'static str> {
    let page = include_str!("../../docs/stack-language.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    rows.filter_map(|(usage, doc)| Some((usage.split_once('(')?.0, doc.trim_end_matches(" |")))).collect()
}

/// A function by its name.
pub fn find(name: &str) -> Option<&'static Documented> {
    ALL.iter().find(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_leoctl_have_their_documentation() {
        let cidr = find("cidrsubnet").unwrap();
        assert!(cidr.doc.contains("a subnet") && !cidr.is_method(), "{cidr:?}");
        assert!(cidr.text().contains("\n\nFor example: `") && !cidr.text().contains(" | "), "{}", cidr.text());
        assert!(find("map").unwrap().is_method());
        assert!(find("math.ceil").is_some_and(|ceil| !ceil.is_method()));
    }
}
