//! What a reference to an attribute gives, where others refer to something by it: an id, an ARN, or a network.

use crate::model::schema::{Attribute, Format, TextRule, Type, TypeSchema};
use crate::stack::reference::{Reference, Step};

/// What something is referred to by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handle {
    /// The id of a resource of this type.
    Id(String),
    /// An Amazon Resource Name.
    Arn,
    /// A network.
    Network,
}

impl Handle {
    /// What an attribute of a type is; nothing where the schema does not say.
    pub fn of(schema: &TypeSchema, attribute: &Attribute) -> Option<Self> {
        let Type::String(TextRule { format, .. }) = &attribute.ty else { return None };
        match (format, attribute.name.as_str()) {
            (Some(Format::Id { of, .. }), _) => Some(Self::Id(of.clone())),
            (Some(Format::Arn(_)), _) => Some(Self::Arn),
            (Some(Format::Cidr | Format::Cidr4 | Format::Cidr6), _) => Some(Self::Network),
            // A type of AWS's registry may be of the same thing as one with a schema of its own.
            (None, "id") if !schema.is_of_registry() => Some(Self::Id(schema.name.clone())),
            (None, "arn") => Some(Self::Arn),
            _ => None,
        }
    }
}

impl std::fmt::Display for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(of) => write!(f, "the id of {}", a(of)),
            Self::Arn => f.write_str("an ARN"),
            Self::Network => f.write_str("a network"),
        }
    }
}

/// A reference to an attribute by which others refer to something.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// The reference.
    pub reference: &'a Reference,
    /// The type that the attribute is of.
    pub type_name: &'a str,
    /// What it gives.
    pub handle: Handle,
}

impl Named<'_> {
    /// The reference to another attribute of the same.
    pub fn with(&self, attribute: &str) -> Reference {
        let mut other = self.reference.clone();
        if let Some(last) = other.path.last_mut() {
            *last = Step::Key(attribute.to_owned());
        }
        other
    }
}

/// A type with its article.
pub fn a(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{type_name}`")
}
