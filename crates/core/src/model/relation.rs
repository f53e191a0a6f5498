//! How resources stand to one another beyond what they refer to.

use super::path::Path;

/// An order that AWS needs and that no reference shows: a resource comes after every resource of another type that
/// refers to what it depends on itself, at any distance, of a third type. A written reference the other way round wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// The type of what comes first, such as `lb_listener`.
    pub type_name: &'static str,
    /// The type of what both are made from, such as `lb_target_group`.
    pub through: &'static str,
}

/// An attribute whose values have to stand in another resource, which AWS refuses otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedIn {
    /// The names that lead to the attribute; the lists on the way are not named.
    pub attribute: &'static [&'static str],
    /// The attribute that refers to the other resource.
    pub through: &'static str,
    /// The names that lead to where they stand in the other resource.
    pub names: &'static [&'static str],
    /// What they are there, such as `a container`.
    pub what: &'static str,
    /// The part of the other resource that it is looked up in, where that is named beside it.
    pub part: Option<NamedPart>,
}

/// A part of a resource that another resource names: the container whose port a service names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedPart {
    /// The attribute that names it, beside the one that is looked up in it.
    pub beside: &'static str,
    /// The names that lead to the parts in the other resource.
    pub parts: &'static [&'static str],
    /// The attribute of a part that is its name.
    pub name: &'static str,
    /// What it is, such as `the container`.
    pub what: &'static str,
}

/// Something that AWS does not take away from a resource while others use it: an update that does so waits for theirs. Where
/// these change to what the same update adds to a set, it is done in two steps: added to first, taken away from last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The attribute that the update sets to nothing, or of which it removes elements.
    pub attribute: &'static str,
    /// The type of those that use it; they depend on the resource.
    pub by: &'static str,
    /// Their attribute that stops using it.
    pub using: &'static str,
}

/// A list of another resource in which the same thing can stand that a resource is by itself, such as a rule in its security
/// group: AWS has it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The type of that resource.
    pub of: &'static str,
    /// The attribute that names it by its id.
    pub by: &'static str,
    /// Its list.
    pub list: &'static str,
    /// An attribute and the value with which it is this list.
    pub when: (&'static str, &'static str),
    /// What of an element tells it from no other.
    pub aside: &'static [&'static str],
}

/// What a resource that takes no tags belongs to: it is at a place of that one, or works for it. Whose it is, is told from
/// whose that one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HangsOn {
    /// The names that lead to the attribute that says which one that is.
    pub attribute: &'static [&'static str],
    /// What it says.
    pub names: Named,
}

/// What an attribute names another resource by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An attribute of a resource of a type: the type, and the attribute.
    Attribute(&'static str, &'static str),
    /// The id or the ARN of any resource that this one is made from.
    Reference,
}

/// A part of a live resource that something else in AWS sets: what is written of it is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governed {
    /// Where.
    pub path: Path,
    /// Who sets it; nobody in words where what is written is only a default that does not hold for this resource.
    pub by: Option<&'static str>,
}

/// What a live resource lets something else in AWS set of another one: which of some values it chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governs {
    /// The type of the other one.
    pub type_name: &'static str,
    /// Its id; any of the type when nothing says which one it is.
    pub id: Option<String>,
    /// The values it chooses among.
    pub among: Vec<String>,
    /// The type of which those belong to the values, too, that the governing resource depends on.
    pub and: Option<&'static str>,
    /// Who sets it.
    pub by: &'static str,
}
