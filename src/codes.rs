//! The pages of the codes of mistakes and failures: what each means, and what there is to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use leoctl_core::stack::diagnostic::Code;

const PAGES: &str = include_str!("codes.toml");

/// What there is to say of a code.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// What it is, in a few words.
    pub title: String,
    /// What it means, and where it comes from.
    pub meaning: String,
    /// What to do.
    pub cure: String,
    /// A stack that has just this mistake, without its `[stack]` table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    /// The same stack without the mistake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
}

/// Every page, by its code. Empty when they cannot be read, which no build has.
pub fn pages() -> BTreeMap<String, Page> {
    toml::from_str(PAGES).unwrap_or_default()
}

/// The page of a code.
pub fn page(code: Code) -> Option<Page> {
    pages().remove(code.as_str())
}

/// A page as Markdown.
pub fn markdown(code: &str, page: &Page) -> String {
    let Page { title, meaning, cure, wrong, right } = page;
    let example = |what: &str, text: &Option<String>| {
        text.as_ref().map_or_else(String::new, |text| format!("\n{what}:\n\n```toml\n{}\n```\n", text.trim()))
    };
    format!("# {code}: {title}\n\n{meaning}\n\n{cure}\n{}{}", example("Wrong", wrong), example("Right", right))
}

/// All pages as one, with an index.
pub fn reference() -> String {
    let mut text = String::from(
        "# Errors and warnings\n\nWritten from `src/codes.toml`. `leoctl explain CODE` shows the same. A code keeps its meaning.\n",
    );
    for (code, page) in &pages() {
        let page = markdown(code, page).replace("\n# ", "\n## ");
        text.push_str(&format!("\n#{page}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use leoctl_core::stack::vars::Given;
    use leoctl_core::stack::{Files, load};

    use super::*;

    struct One(String);

    impl Files for One {
        fn read(&self, path: &Path) -> Result<String, String> {
            if path == Path::new("s.toml") { Ok(self.0.clone()) } else { Err("there is no such file".to_owned()) }
        }

        fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
            Err("there is no such file".to_owned())
        }
    }

    /// The codes of what is wrong with a stack, each once.
    fn found(text: &str) -> Vec<&'static str> {
        let head = if text.contains("[stack]") { "" } else { "[stack]\nname = \"x\"\nregion = \"us-east-1\"\n" };
        let files = One(format!("{head}{text}"));
        let loaded = load(Path::new("s.toml"), &files, &Given::default(), leoctl_aws::registry::catalog());
        let mut codes: Vec<&str> = loaded.diagnostics.0.iter().map(|one| one.code.as_str()).collect();
        codes.dedup();
        codes
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let pages: BTreeMap<String, Page> = toml::from_str(PAGES).unwrap();
        let known: Vec<&str> = pages.keys().map(String::as_str).collect();
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(known, codes);
        assert_eq!(Code::named("e0301"), Some(Code::UnknownAttribute));
    }

    #[test]
    fn the_examples_have_the_mistake_that_they_show_and_the_others_none() {
        let mut wrong = Vec::new();
        for (code, page) in pages() {
            let examples = [(page.wrong, vec![code.as_str()]), (page.right, Vec::new())];
            let examples = examples.into_iter().filter_map(|(text, has)| Some((text?, has)));
            wrong.extend(
                examples.filter(|(text, has)| found(text) != *has).map(|(text, has)| format!("{has:?}, not {:?}:{text}", found(&text))),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
