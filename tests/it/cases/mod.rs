//! For every resource type: the least that makes one, and a change of every attribute that can be changed.

pub mod balancing;
pub mod compute;
pub mod domains;
pub mod growing;
pub mod platform;
pub mod storage;
pub mod watching;

/// A case of a type, which may have several.
pub struct Case {
    /// The type.
    pub type_name: &'static str,
    /// Resources it needs: names of `NEEDS`, joined by `+`.
    pub needs: &'static str,
    /// The attributes of the smallest one, named `x`.
    pub least: &'static str,
    /// One optional attribute each, added to the least; removing it again must return AWS's default.
    pub optional: &'static [&'static str],
    /// Required attributes changed in place: the line of `least`, and what it becomes.
    pub changed: &'static [(&'static str, &'static str)],
}

const CASES: &[&[Case]] =
    &[platform::CASES, balancing::CASES, storage::CASES, watching::CASES, domains::CASES, compute::CASES, growing::CASES];
const NEEDS: &[&[(&str, &str)]] =
    &[platform::NEEDS, balancing::NEEDS, storage::NEEDS, watching::NEEDS, domains::NEEDS, compute::NEEDS, growing::NEEDS];

/// Every case.
pub fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter().copied().flatten()
}

/// What a case's `needs` stands for.
pub fn scaffold(needs: &str) -> String {
    let known = |part: &str| {
        let mut known = NEEDS.iter().copied().flatten();
        known.find(|(name, _)| *name == part).unwrap_or_else(|| panic!("nothing is called {part}")).1
    };
    needs.split('+').filter(|part| !part.is_empty()).map(known).collect()
}

/// What `KEY` stands for.
pub const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
