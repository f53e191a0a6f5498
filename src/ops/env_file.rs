//! Env files of a project: `.env.defaults`, which is committed, and `.env`, which is not; of a sibling repository, too.

use std::collections::BTreeMap;

/// What the files say; of two the later one.
#[derive(Debug, Default)]
pub struct Variables {
    /// The value of each variable, and which of `files` it is from.
    pub values: BTreeMap<String, (String, usize)>,
    /// The files, in the order they were read.
    pub files: Vec<String>,
}

impl Variables {
    /// Adds a file.
    pub fn add(&mut self, file: String, pairs: impl IntoIterator<Item = (String, String)>) {
        let number = self.files.len();
        self.files.push(file);
        self.values.extend(pairs.into_iter().map(|(name, value)| (name, (value, number))));
    }

    /// The value of a variable; one that is empty has none.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(value, _)| value.as_str()).filter(|value| !value.is_empty())
    }
}
