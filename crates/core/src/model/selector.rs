//! What a person names of a stack: a resource, a block with all its instances, or a module with everything in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{Address, Block, ParseAddressError};
use super::module::ModulePath;

/// One or several resources by their address. Where a key is left out, every instance is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// A resource, or all instances of a block.
    Resource(Address),
    /// Everything in a module.
    Module(ModulePath),
}

impl Selector {
    /// Whether it names an address.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Resource(wanted) => self.names(&address.block) && (wanted.key.is_none() || wanted.key == address.key),
            Self::Module(_) => self.names(&address.block),
        }
    }

    /// Whether it names instances of a block.
    pub fn names(&self, block: &Block) -> bool {
        match self {
            Self::Resource(Address { block: wanted, .. }) => {
                wanted.type_name == block.type_name && wanted.name == block.name && wanted.module.matches(&block.module)
            }
            Self::Module(path) => path.covers(&block.module),
        }
    }

    /// The address, when it is one and no module.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Resource(address) => Some(address),
            Self::Module(_) => None,
        }
    }
}

impl From<Address> for Selector {
    fn from(address: Address) -> Self {
        Self::Resource(address)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(address) => address.fmt(f),
            Self::Module(path) => path.fmt(f),
        }
    }
}

impl FromStr for Selector {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match ModulePath::parse(text) {
            Some((path, "")) if !path.is_root() => Ok(Self::Module(path)),
            _ => text.parse().map(Self::Resource),
        }
    }
}

impl Serialize for Selector {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_names_every_instance() {
        let covers = |selector: &str, address: &str| selector.parse::<Selector>().unwrap().covers(&address.parse().unwrap());
        let address = r#"module.web["orders"].module.db.subnet.all["a"]"#;
        for text in [
            "module.web",
            "module.web[orders]",
            "module.web.module.db",
            "module.web.module.db.subnet.all",
            "module.web[orders].module.db.subnet.all[a]",
        ] {
            assert!(covers(text, address), "{text}");
        }
        for text in ["module.db", "subnet.all", "module.web[billing]", "module.web.subnet.all", "module.web.module.db.subnet.all[b]"] {
            assert!(!covers(text, address), "{text}");
        }
        assert!(covers("subnet.all", "subnet.all[\"a\"]") && !covers("subnet.all[a]", "subnet.all"));
    }
}
