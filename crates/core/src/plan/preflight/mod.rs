//! What would make an apply fail, or hurt, although the plan is right: each check says what has to be asked of AWS
//! about a plan, and what the answers mean. All of it is data; asking is the engine's part.
//!
//! A finding is advice. It is no part of the plan: neither of what apply does, nor of what identifies a plan.

pub mod certificate;
pub mod contents;
pub mod image;
pub mod permission;
pub mod private_dns;
pub mod secret;
pub mod security_group;

use std::path::PathBuf;

use serde::Serialize;

use super::types::{Action, Change, Plan};
use crate::model::address::Address;
use crate::model::redact::Redactor;
use crate::stack::Stack;

/// Which check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether a secret of a wanted name is scheduled for deletion.
    ScheduledSecret,
    /// Whether something is in what is to be deleted.
    NotEmpty,
    /// Whether there are the images that containers run.
    Image,
    /// Whether certificates can be used.
    Certificate,
    /// Whether VPCs give endpoints their private names.
    PrivateDns,
    /// Whether something outside the stack uses a security group that goes.
    SecurityGroup,
    /// Whether whoever applies may do it.
    Permission,
}

impl Check {
    /// What it is about, for people.
    pub fn subject(self) -> &'static str {
        match self {
            Self::ScheduledSecret => "secrets scheduled for deletion",
            Self::NotEmpty => "what is in things that are deleted",
            Self::Image => "images of containers",
            Self::Certificate => "certificates of listeners",
            Self::PrivateDns => "private names of endpoints",
            Self::SecurityGroup => "who uses security groups that are deleted",
            Self::Permission => "permissions",
        }
    }
}

/// Something that would make an apply fail, or hurt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// The resource.
    pub address: Address,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// A check that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    /// Which.
    pub check: Check,
    /// Why not.
    pub why: String,
}

/// What all checks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// What was found, in the order of the checks and of the plan.
    pub findings: Vec<Finding>,
    /// What could not be checked.
    pub unchecked: Vec<Unchecked>,
}

impl Preflight {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.unchecked.is_empty()
    }

    /// The same with words in the place of secrets: names that are looked for may be some, and AWS quotes what it refuses.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let findings =
            self.findings.into_iter().map(|one| Finding { message: redactor.redact(&one.message), fix: redactor.redact(&one.fix), ..one });
        let unchecked = self.unchecked.into_iter().map(|one| Unchecked { why: redactor.redact(&one.why), ..one });
        Self { findings: findings.collect(), unchecked: unchecked.collect() }
    }
}

impl Finding {
    /// The file and line of its resource; none when the stack file no longer has it.
    pub fn place(&self, stack: &Stack) -> Option<(PathBuf, usize)> {
        let span = &stack.config.resources.get(&self.address.block)?.span;
        let source = stack.sources.get(span.file)?;
        let before = source.text.get(..span.range.start)?;
        Some((source.path.clone(), before.matches('\n').count() + 1))
    }
}

/// Whether a change deletes what is there.
fn deletes(change: &Change) -> bool {
    match change.action {
        Action::Delete => true,
        Action::Replace => !change.guard.retain,
        _ => false,
    }
}

/// Whether a change makes or changes something, and the attribute with it.
fn sets(change: &Change, attribute: &str) -> bool {
    match change.action {
        Action::Create | Action::Replace => true,
        Action::Update | Action::Import => change.attributes.iter().any(|one| one.path.root() == Some(attribute)),
        _ => false,
    }
}

/// The changes of a type.
fn of_type<'a>(plan: &'a Plan, type_name: &'static str) -> impl Iterator<Item = &'a Change> {
    plan.changes.iter().filter(move |change| change.address.type_name() == type_name)
}

/// The part of an ARN at a place: partition, service, region, account and the rest are 1 to 5.
fn arn_part(arn: &str, at: usize) -> Option<&str> {
    arn.starts_with("arn:").then(|| arn.splitn(6, ':').nth(at))?
}
