//! What happens between the blow and the run after it.

use super::stage::Stage;
use super::subject::Phase;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Nothing.
    Nothing,
    /// The attributes in the stack file are changed.
    Edit,
    /// The block is renamed, with `[[moved]]`.
    Rename,
    /// The block is removed.
    Remove,
    /// The resource is to be in another region.
    Region,
    /// The resource is deleted by hand.
    Delete,
    /// It is deleted and made again by hand, with another stack's tags.
    Foreign,
    /// It is deleted and made again by hand, with this stack's tags.
    Ours,
    /// The state file is replaced by the one from before the blow.
    Older,
}

/// Every deed.
pub const DEEDS: [Deed; 9] =
    [Deed::Nothing, Deed::Edit, Deed::Rename, Deed::Remove, Deed::Region, Deed::Delete, Deed::Foreign, Deed::Ours, Deed::Older];

/// What the stack file says after the deed.
pub struct Goal {
    /// The stack.
    pub body: String,
    /// Whether the resource is in it.
    pub exists: bool,
}

impl Deed {
    /// Whether it can be done here and is not the same as doing nothing.
    pub fn applies(self, stage: &Stage, phase: &Phase) -> bool {
        match self {
            // Some emulators have one region for some services.
            Self::Region => stage.subject.movable && stage.size().regional,
            Self::Remove => phase.to.is_some(),
            _ => true,
        }
    }

    /// What the stack file says then.
    pub fn goal(self, stage: &Stage, phase: &Phase) -> Goal {
        let subject = &stage.subject;
        let some = phase.to.as_deref().or(phase.from.as_deref());
        match self {
            Self::Edit => Goal { body: subject.body(Some(&phase.edited)), exists: true },
            Self::Remove => Goal { body: subject.body(None), exists: false },
            Self::Region => Goal { body: subject.body_of(some, "region = \"us-west-2\"\n", ""), exists: true },
            Self::Rename => Goal { body: subject.body_renamed(some), exists: true },
            _ => Goal { body: subject.body(phase.to.as_deref()), exists: phase.to.is_some() },
        }
    }
}
