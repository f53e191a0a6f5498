//! What of a stack file could not be read. An error has been reported for each; whatever names one of these could only
//! repeat that error in other words.

use std::collections::BTreeSet;

use super::diagnostic::nearest;
use super::reference::Reference;
use crate::model::address::Block;
use crate::model::module::MODULE;

/// What could not be read.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    /// Whether anything may be missing: a file cannot be read, or a bracket is never closed.
    pub anything: bool,
    /// Whether variables of env files may be missing.
    pub env: bool,
    /// Resources and data sources, by the type that is written.
    blocks: BTreeSet<(&'static str, Block)>,
    /// Types of resources and data sources of which any may be missing.
    types: BTreeSet<(&'static str, String)>,
}

impl Unread {
    /// Remembers a block that stands in the file, also by the type that is probably meant.
    pub fn block<'a>(&mut self, section: &'static str, block: &Block, known: impl IntoIterator<Item = &'a str>) {
        if let Some(meant) = nearest(&block.type_name, known) {
            self.blocks.insert((section, Block::new(meant, block.name.clone())));
        }
        self.blocks.insert((section, block.clone()));
    }

    /// Remembers that blocks of a type may be missing. Whether that is news.
    pub fn type_name(&mut self, section: &'static str, type_name: &str) -> bool {
        self.types.insert((section, type_name.to_owned()))
    }

    /// Whether a resource may be missing.
    pub fn resource(&self, block: &Block) -> bool {
        self.has("resource", block)
    }

    fn has(&self, section: &'static str, block: &Block) -> bool {
        // What a file says is in no module yet.
        let block = &Block::new(block.type_name.as_str(), block.name.as_str());
        let unnamed = |(of, name): &(&str, String)| *of == section && (*name == block.type_name || *name == block.name);
        self.anything || self.blocks.contains(&(section, block.clone())) || self.types.iter().any(unnamed)
    }

    /// Whether what a reference names may be missing.
    pub fn names(&self, reference: &Reference) -> bool {
        let part = |index| reference.key(index).unwrap_or_default();
        match reference.root() {
            "vars" | "locals" | "each" => self.anything,
            MODULE => self.anything || self.types.contains(&(MODULE, part(1).to_owned())),
            "env" => self.anything || self.env,
            "data" => self.has("data", &Block::new(part(1), part(2))),
            root => self.has("resource", &Block::new(root, part(1))),
        }
    }
}
