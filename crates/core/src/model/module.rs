//! Where in a stack's modules something is: `module.web["orders"].module.db`.

use std::fmt;

use super::address::is_name;

/// The word that a module's address starts with.
pub const MODULE: &str = "module";

/// One use of a module: its name, and the `for_each` key when it has `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Used {
    /// The name given where the module is used.
    pub name: String,
    /// The `for_each` key; of a use as a whole there is none.
    pub key: Option<String>,
}

/// The modules that something is in, from the stack on; empty for what the stack itself has.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Vec<Used>);

impl ModulePath {
    /// Whether it is the stack itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// A module that is used here.
    #[must_use]
    pub fn inside(&self, name: impl Into<String>, key: Option<String>) -> Self {
        Self(self.0.iter().cloned().chain([Used { name: name.into(), key }]).collect())
    }

    /// Where the module is used, and as what; nothing of the stack itself.
    pub fn split(&self) -> Option<(Self, &Used)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.to_vec()), last))
    }

    /// The use that an instance is one of: this path without the last key.
    #[must_use]
    pub fn used(&self) -> Self {
        let mut path = self.clone();
        if let Some(last) = path.0.last_mut() {
            last.key = None;
        }
        path
    }

    /// How deep it is; the stack itself is at 0.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The uses, from the stack on.
    pub fn iter(&self) -> impl Iterator<Item = &Used> {
        self.0.iter()
    }

    /// The key of the innermost use, when it has one.
    pub fn last_key(&self) -> Option<&str> {
        self.0.last()?.key.as_deref()
    }

    /// Whether this names `other` or a module that it is in. Without a key, every instance is named.
    pub fn covers(&self, other: &Self) -> bool {
        let same = |(one, other): (&Used, &Used)| one.name == other.name && (one.key.is_none() || one.key == other.key);
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(same)
    }

    /// Whether it is `module` or inside of it, keys and their absence alike.
    pub fn is_in(&self, module: &Self) -> bool {
        self.0.starts_with(&module.0)
    }

    /// Whether this names `other` and nothing it is in. Without a key, every instance is named.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.covers(other)
    }

    /// The path with `from` at its beginning replaced by `to`; nothing when it does not begin so. Where neither has a key, an
    /// instance keeps its own, of every module on the way: the two are laid side by side from their ends on.
    pub fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        let (own, rest) = self.0.split_at_checked(from.0.len())?;
        let mut path = to.clone();
        for (from_end, (named, used)) in from.0.iter().zip(own).rev().enumerate() {
            match (&named.key, path.0.iter_mut().rev().nth(from_end)) {
                _ if named.name != used.name => return None,
                (None, Some(new)) if new.key.is_none() => new.key.clone_from(&used.key),
                (key, _) if *key == used.key => {}
                _ => return None,
            }
        }
        path.0.extend(rest.iter().cloned());
        Some(path)
    }

    /// The modules at the start of an address, and what follows them; nothing when they are not well-formed.
    pub fn parse(text: &str) -> Option<(Self, &str)> {
        let (mut path, mut rest) = (Self::default(), text);
        while let Some(inside) = rest.strip_prefix("module.") {
            let end = inside.find(['.', '[']).unwrap_or(inside.len());
            let (name, tail) = inside.split_at_checked(end)?;
            if !is_name(name) {
                return None;
            }
            let (key, tail) = match tail.strip_prefix('[') {
                Some(quoted) => key(quoted).map(|(key, tail)| (Some(key), tail))?,
                None => (None, tail),
            };
            path.0.push(Used { name: name.to_owned(), key });
            rest = match tail.strip_prefix('.') {
                Some("") => return None,
                Some(tail) => tail,
                None if tail.is_empty() => tail,
                None => return None,
            };
        }
        Some((path, rest))
    }
}

/// The key at the start of what follows a `[`, and what follows its `]`. Shells eat double quotes, so a key may come bare.
fn key(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut keys = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let key = keys.next()?.ok()?;
        return Some((key, text.get(keys.byte_offset()..)?.strip_prefix(']')?));
    }
    let (key, tail) = match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once("']")?,
        None => text.split_once(']')?,
    };
    Some((key.to_owned(), tail))
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, used) in self.0.iter().enumerate() {
            let dot = if number == 0 { "" } else { "." };
            write!(f, "{dot}{MODULE}.{}", used.name)?;
            if let Some(key) = &used.key {
                write!(f, "[{}]", serde_json::Value::from(key.as_str()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ModulePath {
        let (path, rest) = ModulePath::parse(text).unwrap();
        assert_eq!(rest, "", "{text}");
        path
    }

    #[test]
    fn a_path_without_a_key_names_every_instance_and_what_is_in_it() {
        let (web, orders) = (path("module.web"), path(r#"module.web["orders"]"#));
        assert!(web.covers(&orders) && web.covers(&path("module.web[orders].module.db")) && !orders.covers(&web));
        assert!(web.matches(&orders) && !web.matches(&path("module.web[orders].module.db")) && !web.covers(&path("module.webs")));
    }

    #[test]
    fn what_moves_with_a_module_keeps_its_keys_unless_another_is_said() {
        let inside = path("module.a[eu].module.db");
        let moved = |from: &str, to: &str| inside.moved(&path(from), &path(to)).map(|path| path.to_string());
        assert_eq!(moved("module.a", "module.b").unwrap(), r#"module.b["eu"].module.db"#);
        assert_eq!(moved("module.a[eu]", "module.b").unwrap(), "module.b.module.db");
        assert_eq!(moved("module.a", "module.b[us]"), None, "which instance becomes one is not said");
        assert_eq!(moved("module.a[eu]", "module.c.module.b[us]").unwrap(), r#"module.c.module.b["us"].module.db"#);
        assert_eq!(moved("module.a[us]", "module.b"), None);
        assert_eq!(moved("module.a.module.db", "module.b.module.store").unwrap(), r#"module.b["eu"].module.store"#);
        assert_eq!(moved("module.a.module.db", "module.store"), None, "what was of several would become one");
        assert_eq!(moved("module.a.module.db.module.c", "module.b"), None);
    }
}
