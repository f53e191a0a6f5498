//! The catalog of types: how they reach the stack language and the planner as plain data.

use std::fmt;
use std::sync::Arc;

use super::path::Path;
use super::place::Scope;
use super::relation::{After, Governed, Governs, HangsOn, Inside, NamedIn, Release};
use super::schema::{Attribute, TextRule, Type, TypeSchema, Unset};
use super::schemas::{Compile, Schemas};
use super::value::Value;

/// The schemas of every type, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Managed resource types.
    pub resources: Types,
    /// Data sources.
    pub data: Schemas<TypeSchema>,
}

impl Catalog {
    /// The schema of a data source: one with a schema of its own, or a resource type, of which one that is there is read by its id.
    pub fn data_source(&self, name: &str) -> Option<Arc<TypeSchema>> {
        self.data.get(name).cloned().or_else(|| Some(Arc::new(read_by_id(&self.resources.get(name)?.schema))))
    }

    /// The names of the data sources that a stack can mean which writes these, as [`Types::names`] has those of resource types.
    pub fn data_names<'a>(&self, written: impl Iterator<Item = &'a str>) -> Vec<String> {
        let own = self.data.keys().cloned();
        own.chain(self.resources.names(written.filter(|name| !self.data.contains_key(name)))).collect()
    }
}

/// A data source that reads one resource of a type: its argument is the id that `leoctl import` takes, and all else is AWS's
/// answer. What AWS never returns is not part of it.
fn read_by_id(resource: &TypeSchema) -> TypeSchema {
    let is_answered = |attribute: &&Attribute| attribute.name != ID && !attribute.local;
    let answered = resource.attributes.iter().filter(is_answered).cloned().map(|attribute| Attribute {
        computed: true,
        required: false,
        follows: Vec::new(),
        unset: Unset::Absent,
        ..attribute
    });
    let asked =
        Attribute { required: true, ..Attribute::plain(ID, "Which one, as `leoctl import` takes it.", Type::String(TextRule::default())) };
    TypeSchema { name: resource.name.clone(), doc: resource.doc.clone(), attributes: [asked].into_iter().chain(answered).collect() }
}

/// What says which resource a data source reads.
const ID: &str = "id";

/// Types that are read only when a stack names them.
pub trait Further: fmt::Debug + Send + Sync {
    /// The schema of a type.
    fn get(&self, name: &str) -> Option<&Arc<ResourceSchema>>;
    /// The names of all, of which one may have been meant by `given`; none where it looks like no name of theirs.
    fn like(&self, given: &str) -> Vec<String>;
    /// The names of those that end with a word of several parts, such as `lambda_function`.
    fn ending_with(&self, word: &str) -> Vec<String>;
}

/// Managed resource types, by name: those with a schema of their own, and further ones. A type costs nothing until it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Types {
    own: Schemas<ResourceSchema>,
    further: Option<&'static dyn Further>,
}

impl Types {
    /// The types beside those of their own.
    pub fn with_further(mut self, further: &'static dyn Further) -> Self {
        self.further = Some(further);
        self
    }

    /// The schema of a type.
    pub fn get(&self, name: &str) -> Option<&Arc<ResourceSchema>> {
        self.own.get(name).or_else(|| self.further?.get(name))
    }

    /// Whether there is a type of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.further.is_some_and(|further| further.get(name).is_some())
    }

    /// Adds a type, or replaces it.
    pub fn insert(&mut self, name: String, schema: Arc<ResourceSchema>) {
        self.own.insert(name, schema);
    }

    /// Adds a type whose schema is compiled when it is first asked for, or replaces it.
    pub fn insert_compiled(&mut self, name: &str, compile: Compile<ResourceSchema>) {
        self.own.insert_compiled(name, compile);
    }

    /// The names of the further types that end with a word of several parts.
    pub fn ending_with(&self, word: &str) -> Vec<String> {
        self.further.map(|further| further.ending_with(word)).unwrap_or_default()
    }

    /// The names of the types with a schema of their own.
    pub fn keys(&self) -> impl Iterator<Item = &String> + Clone {
        self.own.keys()
    }

    /// The names that may have been meant by one that is no type.
    pub fn like(&self, given: &str) -> Vec<String> {
        let further = self.further.map(|further| further.like(given)).unwrap_or_default();
        self.own.keys().cloned().chain(further).collect()
    }

    /// The names of the types that a stack can mean which writes these: the known ones of them, and of all what unknown ones
    /// may have been meant to be.
    pub fn names<'a>(&self, written: impl Iterator<Item = &'a str>) -> Vec<String> {
        let further = self.further.into_iter();
        let asked = written.filter(|name| !self.own.contains_key(name)).collect::<Vec<_>>();
        let beside = further.flat_map(|further| asked.iter().map(move |name| (further, *name)));
        let beside = beside.flat_map(|(further, name)| match further.get(name) {
            Some(_) => vec![name.to_owned()],
            None => further.like(name),
        });
        self.own.keys().cloned().chain(beside).collect()
    }

    /// The types with a schema of their own.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Arc<ResourceSchema>)> {
        self.own.iter()
    }

    /// How many types have a schema of their own.
    pub fn len(&self) -> usize {
        self.own.keys().count()
    }

    /// Whether no type has a schema of its own.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Extend<(String, Arc<ResourceSchema>)> for Types {
    fn extend<I: IntoIterator<Item = (String, Arc<ResourceSchema>)>>(&mut self, types: I) {
        types.into_iter().for_each(|(name, schema)| self.insert(name, schema));
    }
}

impl<const N: usize> From<[(String, Arc<ResourceSchema>); N]> for Types {
    fn from(types: [(String, Arc<ResourceSchema>); N]) -> Self {
        let mut all = Self::default();
        all.extend(types);
        all
    }
}

impl std::ops::Index<&str> for Types {
    type Output = Arc<ResourceSchema>;

    /// The schema of a type that is known to be there.
    #[expect(clippy::expect_used, reason = "it is an index, whose caller knows that there is one")]
    fn index(&self, name: &str) -> &Self::Output {
        self.own.get(name).expect("a type of this name")
    }
}

/// The attribute that says what another, which is a name, begins with.
pub fn prefix_of(name: &str) -> String {
    format!("{name}_prefix")
}

/// The schema of a managed type and what the planner needs to know of its life.
#[derive(Clone)]
pub struct ResourceSchema {
    /// Its attributes.
    pub schema: TypeSchema,
    /// Within what its ids tell one from another.
    pub scope: Scope,
    /// Whether a replacement is made before the old one goes, unless the stack file says otherwise.
    pub create_before_destroy: bool,
    /// What no two resources can have in common: groups of attributes of which one at least has to differ within
    /// `scope`. A group whose last attribute is absent says nothing.
    pub unique: &'static [&'static [&'static str]],
    /// The attribute of which only the beginning can be written, as another of its name and `_prefix` says.
    pub prefixed: Option<&'static str>,
    /// Lists of which each element can be only one resource's.
    pub exclusive: &'static [&'static str],
    /// An attribute of `unique` that one call gives to many resources at once: those that exchange it do so in one step.
    pub joint: Option<&'static str>,
    /// The lists of others in which it can stand as well.
    pub inside: &'static [Inside],
    /// What a replacement and its predecessor cannot have in common while both exist, beyond that.
    pub conflicts: &'static [&'static [&'static str]],
    /// The types of which one that uses it keeps AWS from deleting it: a text that has its id, or a tag, does not.
    pub held_by: &'static [&'static str],
    /// What deleting it loses that cannot be made again, such as `the objects in it`.
    pub data_loss: Option<&'static str>,
    /// The attribute without which AWS deletes only one that is empty, so that nothing is lost: true where it is emptied.
    pub emptied_by: Option<&'static str>,
    /// Why one is neither made nor deleted in AWS: it is there before leoctl is, is taken over and brought to what is wanted,
    /// and stays when it is forgotten. None for everything else.
    pub stays: Option<&'static str>,
    /// What one is made after and deleted before, though nothing in it refers to these.
    pub after: &'static [After],
    /// Attributes whose values have to stand in another resource.
    pub named_in: &'static [NamedIn],
    /// What one that takes no tags belongs to: with any of these it is the stack's that has that one.
    pub hangs_on: &'static [HangsOn],
    /// What an update can take away only after others have stopped using it.
    pub releases: &'static [Release],
    /// Whether a change takes away what it does not say: then what is taken out of the stack file leaves AWS, at whatever depth.
    pub takes_away: bool,
    /// Attributes whose change interrupts one in place, and how: `restarts it`.
    pub interrupts: &'static [(&'static str, &'static str)],
    /// The type that leoctl has of its own for the same, which knows more of it.
    pub instead: Option<&'static str>,
    /// The type of which it sets an attribute, and the attribute: of one resource, only one of the two can say it.
    pub part_of: Option<(&'static str, &'static str)>,
    /// Checks across attributes: problems with the path each is at. Absent and unknown values are not problems.
    pub check: &'static (dyn Fn(&Value) -> Vec<(Path, String)> + Send + Sync),
    /// Why AWS would refuse to delete a live resource; nothing when it would not.
    pub protected: &'static (dyn Fn(&Value) -> Option<&'static str> + Send + Sync),
    /// What of a live resource (the first) something else in AWS sets, where the second is wanted: what is written of it is not compared.
    pub governed: &'static (dyn Fn(&Value, &Value) -> Vec<Governed> + Send + Sync),
    /// What a live resource lets something else in AWS set of others.
    pub governs: &'static (dyn Fn(&Value) -> Vec<Governs> + Send + Sync),
    /// What is wanted (the first), with what the live one (the second) chooses among these values, as long as both choose among them.
    pub yields: &'static (dyn Fn(&Value, &Value, &[String]) -> Value + Send + Sync),
    /// Whether a change from one to the other may undo what something else in AWS has chosen, so that it is worth asking who
    /// that is; the last says that somebody else has changed the resource since the last apply.
    pub undoes: &'static (dyn Fn(&Value, &Value, bool) -> bool + Send + Sync),
    /// The attributes whose change from one to the other takes a replacement, though not every change of them does.
    pub replaces: &'static (dyn Fn(&Value, &Value) -> &'static [&'static str] + Send + Sync),
    /// What of a live resource (the first) is not in what is wanted (the second) without AWS hearing that it is gone.
    pub unheard: &'static (dyn Fn(&Value, &Value) -> Vec<Path> + Send + Sync),
    /// Why AWS would refuse to make one resource of the other in place, and the way out; nothing when it would not.
    pub refuses: &'static (dyn Fn(&Value, &Value) -> Option<Refusal> + Send + Sync),
}

/// Why AWS refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, such as `a parameter does not become Standard again`.
    pub why: &'static str,
    /// What there is to do instead.
    pub help: &'static str,
}

impl ResourceSchema {
    /// What deleting one with these attributes loses that cannot be made again.
    pub fn loss(&self, attributes: &Value) -> Option<&'static str> {
        let is_emptied = |name| attributes.get(name).is_none_or(|emptied| *emptied.revealed() != Value::Bool(false));
        self.data_loss.filter(|_| self.emptied_by.is_none_or(is_emptied))
    }

    /// The schema of a type with no peculiarities.
    pub fn plain(schema: TypeSchema) -> Self {
        Self {
            schema,
            scope: Scope::Regional,
            create_before_destroy: false,
            unique: &[],
            prefixed: None,
            exclusive: &[],
            inside: &[],
            joint: None,
            conflicts: &[],
            held_by: &[],
            named_in: &[],
            data_loss: None,
            emptied_by: None,
            stays: None,
            after: &[],
            hangs_on: &[],
            releases: &[],
            takes_away: false,
            interrupts: &[],
            instead: None,
            part_of: None,
            check: &|_| Vec::new(),
            protected: &|_| None,
            governed: &|_, _| Vec::new(),
            governs: &|_| Vec::new(),
            yields: &|wanted, _, _| wanted.clone(),
            undoes: &|_, _, _| false,
            replaces: &|_, _| &[],
            unheard: &|_, _| Vec::new(),
            refuses: &|_, _| None,
        }
    }
}

impl fmt::Debug for ResourceSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceSchema").field("schema", &self.schema).field("scope", &self.scope).finish_non_exhaustive()
    }
}
