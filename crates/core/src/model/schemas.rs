//! Schemas by name, each compiled when it is first asked for: a program that has many of them uses few in a run.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::schema::SchemaError;

/// Compiles a schema.
pub type Compile<T> = fn() -> Result<T, SchemaError>;

/// Schemas, by name.
#[derive(Clone, Debug)]
pub struct Schemas<T>(BTreeMap<String, Entry<T>>);

#[derive(Clone, Debug)]
struct Entry<T> {
    /// What makes it; none for one that was added as it is.
    compile: Option<Compile<T>>,
    /// None inside when it could not be compiled.
    compiled: OnceLock<Option<Arc<T>>>,
}

impl<T> Default for Schemas<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Schemas<T> {
    /// A schema. None too for one that cannot be compiled, which tests of those who add it have to find.
    pub fn get(&self, name: &str) -> Option<&Arc<T>> {
        self.0.get(name)?.get()
    }

    /// Whether there is one of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a schema, or replaces it.
    pub fn insert(&mut self, name: String, schema: Arc<T>) {
        self.0.insert(name, Entry { compile: None, compiled: OnceLock::from(Some(schema)) });
    }

    /// Adds a schema that is compiled when it is first asked for, or replaces it.
    pub fn insert_compiled(&mut self, name: &str, compile: Compile<T>) {
        self.0.insert(name.to_owned(), Entry { compile: Some(compile), compiled: OnceLock::new() });
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> + Clone {
        self.0.keys()
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Arc<T>)> {
        self.0.iter().filter_map(|(name, entry)| Some((name, entry.get()?)))
    }
}

impl<T> Entry<T> {
    fn get(&self) -> Option<&Arc<T>> {
        self.compiled.get_or_init(|| self.compile.and_then(|compile| compile().ok()).map(Arc::new)).as_ref()
    }
}
