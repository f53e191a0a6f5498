//! Paths: where inside a resource's attributes a value stands. Paths are shown, logged and stored, so that nothing
//! secret is ever part of one.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Something that has a name. What it is follows from the value that the path leads through: an attribute of an
    /// object, a key of a map, the element of a keyed list whose key attribute has this value, or a member of a set.
    Name(Name),
    /// The position in an ordered list.
    Index(usize),
    /// One of several elements or entries whose own name is secret, counted from 1 among those of one comparison: it
    /// tells them apart there, and finds none of them again elsewhere.
    Hidden(usize),
    /// One of several elements whose own name is known only after apply, counted from 1 among those of one comparison.
    Unknown(usize),
}

/// A name in a path. It may be written `.PORT` or `["PORT"]`, which is the same name: no value has an attribute or a key
/// and an element of one name at one place, so that how it is written says nothing.
#[derive(Clone, Debug)]
pub struct Name {
    text: String,
    is_element: bool,
}

impl Segment {
    /// An attribute of an object or a key of a map.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Name(Name { text: name.into(), is_element: false })
    }

    /// An element of a keyed list, or a member of a set.
    pub fn element(name: impl Into<String>) -> Self {
        Self::Name(Name { text: name.into(), is_element: true })
    }

    /// The name, where it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name.as_str()),
            Self::Index(_) | Self::Hidden(_) | Self::Unknown(_) => None,
        }
    }
}

impl Name {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it was made as that of an element, which is shown in brackets. It is for showing only: of a name that
    /// was read from a text, nothing follows from it.
    pub fn is_shown_as_element(&self) -> bool {
        self.is_element
    }

    /// Whether it is written as a bare word.
    fn is_bare(&self) -> bool {
        !self.is_element && plain(&self.text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// A place in a resource's attributes, such as `containers["app"].environment.PORT`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The attribute `name` of the resource itself.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self(vec![Segment::field(name)])
    }

    /// This path and one step more.
    pub fn join(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The attribute of the resource this path is in.
    pub fn root(&self) -> Option<&str> {
        self.0.first()?.name()
    }

    /// Whether this path is `prefix` or inside it.
    pub fn starts_with(&self, prefix: &Path) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Reads what [`fmt::Display`] writes. A bare word and `["x"]` are names; `[3]` is an index; `[sensitive 1]` one
    /// that has no name to be shown; and no text at all the value as a whole.
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
                    serde_json::Value::String(key) => Segment::element(key),
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
                segments.push(Segment::field(name));
                rest = tail;
            }
        }
        Some(Self(segments))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 && matches!(segment, Segment::Name(name) if name.is_bare()) {
                f.write_str(".")?;
            }
            segment.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) if name.is_bare() => f.write_str(name.as_str()),
            Self::Name(name) => write!(f, "[{}]", serde_json::Value::from(name.as_str())),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Hidden(number) => write!(f, "[sensitive {number}]"),
            Self::Unknown(number) => write!(f, "[unknown {number}]"),
        }
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in ["", "cidr_block", r#"containers["app"].environment.PORT"#, "a[0].b", "tags.aws:x", r#"x["a]b"].c"#, "a[sensitive 2].b"]
        {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        for text in ["a[1", "a.", ".", "a..b", "[]", "[true]", "[-1]", "[\"a\"", "[sensitive x]"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        assert_eq!(Path::parse("tags.web"), Path::parse(r#"tags["web"]"#));
        assert_eq!(Path::parse(r#"tags["a/b"]"#), Some(Path::attribute("tags").join(Segment::field("a/b"))));
        assert_ne!(Path::parse("a[3]"), Path::parse(r#"a["3"]"#));
        assert_ne!(Path::parse("a[sensitive 1]"), Path::parse(r#"a["sensitive 1"]"#));
    }

    fn segment() -> impl Strategy<Value = Segment> {
        let name = || {
            let made_of = proptest::sample::select(vec![
                "a",
                "B",
                "0",
                ".",
                "[",
                "]",
                "\"",
                "\\",
                "'",
                " ",
                "/",
                ":",
                "-",
                "_",
                "\n",
                "\u{0}",
                "é",
                "\u{1F980}",
                "sensitive 1",
            ]);
            prop_oneof![any::<String>(), proptest::collection::vec(made_of, 0..6).prop_map(|parts| parts.concat())]
        };
        prop_oneof![
            name().prop_map(Segment::field),
            name().prop_map(Segment::element),
            any::<usize>().prop_map(Segment::Index),
            any::<usize>().prop_map(Segment::Hidden),
            any::<usize>().prop_map(Segment::Unknown),
        ]
    }

    proptest! {
        #[test]
        fn a_path_is_read_back_as_what_was_written(segments in proptest::collection::vec(segment(), 0..6)) {
            let path = Path(segments);
            let text = path.to_string();
            let read = Path::parse(&text);
            prop_assert_eq!(read.as_ref(), Some(&path), "{}", text);
            prop_assert_eq!(read.map(|path| path.to_string()), Some(text));
            let json = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<Path>(&json).unwrap(), path);
        }
    }
}
