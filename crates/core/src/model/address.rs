//! Addresses: the names by which a stack file, the state and the user speak of a resource.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::module::{MODULE, ModulePath};

/// The block of a resource in the stack file or in one use of a module: `subnet.public`, `module.web["orders"].lb.main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// The modules it is in.
    pub module: ModulePath,
    /// The resource type, such as `subnet`.
    pub type_name: String,
    /// The name given in the stack file.
    pub name: String,
}

impl Block {
    /// The stack's own block `type_name.name`.
    pub fn new(type_name: impl Into<String>, name: impl Into<String>) -> Self {
        Self { module: ModulePath::default(), type_name: type_name.into(), name: name.into() }
    }

    /// The block of this type and name in a module.
    #[must_use]
    pub fn within(self, module: &ModulePath) -> Self {
        Self { module: module.clone(), ..self }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

/// One resource: a block, and the `for_each` key when the block has one.
///
/// Written `vpc.main`, `subnet.public["us-west-2a"]` or `module.web["orders"].ecs_service.main`; ordered by module, type, name,
/// key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The block this resource comes from.
    pub block: Block,
    /// The `for_each` key, for a block that has `for_each`.
    pub key: Option<String>,
}

impl Address {
    /// The address of a block without `for_each`.
    pub fn single(type_name: impl Into<String>, name: impl Into<String>) -> Self {
        Self { block: Block::new(type_name, name), key: None }
    }

    /// The address as it is in its module.
    pub fn in_module(&self) -> Self {
        Self { block: Block::new(self.block.type_name.as_str(), self.block.name.as_str()), key: self.key.clone() }
    }

    /// The resource type.
    pub fn type_name(&self) -> &str {
        &self.block.type_name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.block.fmt(f)?;
        match &self.key {
            Some(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str())),
            None => Ok(()),
        }
    }
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: expected `type.name` or `type.name[\"key\"]`")]
pub struct ParseAddressError {
    /// What was given.
    pub text: String,
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseAddressError { text: text.to_owned() };
        let (module, resource) = ModulePath::parse(text).ok_or_else(error)?;
        let (block, key) = match resource.split_once('[') {
            None => (resource, None),
            Some((block, rest)) => {
                let quoted = rest.strip_suffix(']').ok_or_else(error)?;
                // Shells eat double quotes, so a bare key is taken as it stands.
                let key = serde_json::from_str(quoted).unwrap_or_else(|_| quoted.trim_matches('\'').to_owned());
                (block, Some(key))
            }
        };
        let (type_name, name) = block.split_once('.').ok_or_else(error)?;
        if !is_name(type_name) || !is_name(name) || type_name == MODULE {
            return Err(error());
        }
        Ok(Self { block: Block::new(type_name, name).within(&module), key })
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether `text` can name a resource, a variable or a type: a letter, then letters, digits and `_`.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in [
            "vpc.main",
            r#"subnet.public["us-west-2a"]"#,
            r#"x.y["a\"b]"]"#,
            "module.web.vpc.main",
            r#"module.web["orders"].ecs_service.main["a"]"#,
            r#"module.a["x]\".module.b[\""].module.b.vpc.main"#,
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_key_may_come_without_its_quotes() {
        assert_eq!("subnet.public[us-west-2a]".parse::<Address>(), r#"subnet.public["us-west-2a"]"#.parse());
        let whole = r#"module.web["a.b"].subnet.public["x"]"#.parse::<Address>();
        for text in ["module.web[a.b].subnet.public[x]", "module.web['a.b'].subnet.public['x']"] {
            assert_eq!(text.parse::<Address>(), whole, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "vpc",
            "vpc.",
            ".main",
            "vpc.main.id",
            "vpc.main[",
            "a b.c",
            "module.a",
            "module.a.b",
            "module.a[x]b.vpc.main",
            "module.a..vpc.main",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
