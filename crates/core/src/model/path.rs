//! Paths: where inside a resource's attributes a value stands. Paths are shown, logged and stored, so that nothing
//! secret is ever part of one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// An attribute of an object or a key of a map.
    Field(String),
    /// The position in an ordered list.
    Index(usize),
    /// The element of a keyed list whose key attribute has this value, or a member of a set.
    Element(String),
    /// One of several elements or entries whose own name is secret, counted from 1 among those of one comparison: it
    /// tells them apart there, and finds none of them again elsewhere.
    Hidden(usize),
    /// One of several elements whose own name is known only after apply, counted from 1 among those of one comparison.
    Unknown(usize),
}

/// A place in a resource's attributes, such as `containers["app"].environment.PORT`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The attribute `name` of the resource itself.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self(vec![Segment::Field(name.into())])
    }

    /// This path and one step more.
    pub fn join(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The attribute of the resource this path is in.
    pub fn root(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether this path is `prefix` or inside it.
    pub fn starts_with(&self, prefix: &Path) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Reads what [`fmt::Display`] writes. A bare word is a field; `[3]` an index; `["x"]` an element; `[sensitive 1]`
    /// one that has no name to be shown.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((number, tail)) = rest.strip_prefix("[unknown ").and_then(|inner| inner.split_once(']')) {
                segments.push(Segment::Unknown(number.parse().ok()?));
                rest = tail;
            } else if let Some((number, tail)) = rest.strip_prefix("[sensitive ").and_then(|inner| inner.split_once(']')) {
                segments.push(Segment::Hidden(number.parse().ok()?));
                rest = tail;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<serde_json::Value>();
                let segment = match stream.next()?.ok()? {
                    serde_json::Value::String(key) => Segment::Element(key),
                    serde_json::Value::Number(n) => Segment::Index(usize::try_from(n.as_u64()?).ok()?),
                    _ => return None,
                };
                segments.push(segment);
                rest = inner.get(stream.byte_offset()..)?.strip_prefix(']')?;
            } else {
                rest = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, tail) = rest.split_at_checked(end)?;
                if name.is_empty() {
                    return None;
                }
                segments.push(Segment::Field(name.to_owned()));
                rest = tail;
            }
        }
        (!segments.is_empty()).then_some(Self(segments))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if plain(name) => write!(f, "{}{name}", if i == 0 { "" } else { "." })?,
                Segment::Field(name) | Segment::Element(name) => {
                    write!(f, "[{}]", serde_json::Value::from(name.as_str()))?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Hidden(number) => write!(f, "[sensitive {number}]")?,
                Segment::Unknown(number) => write!(f, "[unknown {number}]")?,
            }
        }
        Ok(())
    }
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == ':')
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an attribute path")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_round_trip() {
        for text in ["cidr_block", r#"containers["app"].environment.PORT"#, "a[0].b", "tags.aws:x", r#"x["a]b"].c"#, "a[sensitive 2].b"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Path::parse(""), None);
        assert_eq!(Path::parse("a[1"), None);
    }
}
