//! The codes of what leoctl has to say of a mistake or a failure. Each has a page, which `leoctl explain CODE` shows.

/// Writes out everything that goes by the list of codes.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// What kind of mistake or failure it is. A code keeps its meaning, so that what reads it can rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is shown: `E` and four digits for an error, `W` and four digits for a warning.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// The text is not TOML.
    Syntax "E0101",
    /// There is nothing in the file.
    EmptyFile "E0102",
    /// A file cannot be read.
    UnreadableFile "E0103",
    /// There is no such section in a stack or module file.
    UnknownSection "E0201",
    /// There is no such resource type or data source.
    UnknownType "E0202",
    /// There is no such key in a section or block.
    UnknownKey "E0203",
    /// A key that a section or block needs is not there.
    MissingKey "E0204",
    /// A table stands where a list is wanted, or the like.
    WrongShape "E0205",
    /// A name has characters that it cannot have.
    BadName "E0206",
    /// An expression stands where a constant is wanted.
    NotConstant "E0207",
    /// The value of a setting of leoctl's own is not one that it takes.
    BadSetting "E0208",
    /// A text is no address.
    BadAddress "E0209",
    /// `extends` is not a list of paths, or a cycle.
    BadExtends "E0210",
    /// The backend cannot be as it is written.
    BadBackend "E0211",
    /// The encryption cannot be as it is written.
    BadEncryption "E0212",
    /// The type has no such attribute.
    UnknownAttribute "E0301",
    /// An attribute that the type needs is not written.
    MissingAttribute "E0302",
    /// An attribute is of another type than its value.
    WrongType "E0303",
    /// A value is of the right type, and not one that AWS takes.
    NotAllowed "E0304",
    /// An attribute is AWS's answer, and cannot be written.
    SetByAws "E0305",
    /// Two elements of a list have the same key.
    DuplicateElement "E0306",
    /// A document is not JSON.
    BadDocument "E0307",
    /// Attributes contradict each other, or lack each other.
    Contradiction "E0308",
    /// Something sensitive would be shown or stored.
    Exposed "E0309",
    /// An expression cannot be read.
    BadExpression "E0401",
    /// An expression names something that is not there.
    UnknownName "E0402",
    /// An expression has no value.
    NoValue "E0403",
    /// What depends on each other is a cycle.
    Cycle "E0404",
    /// Something has to be known earlier than it is.
    KnownTooLate "E0405",
    /// An expression calls a function that is not there.
    UnknownFunction "E0406",
    /// A reference to a resource stands in a text, and is not evaluated.
    NotEvaluated "E0407",
    /// A variable or an input has no value.
    VariableWithoutValue "E0501",
    /// A value is given to a variable or an input that is not declared.
    UnknownVariable "E0502",
    /// The value of a variable or an input is not one that its declaration allows.
    VariableRefused "E0503",
    /// A module cannot be used so.
    BadModule "E0601",
    /// An account cannot be reached so, or is another than it was.
    BadAccount "E0701",
    /// A text is no region, or none that can be told.
    BadRegion "E0702",
    /// `[[moved]]` and `[[removed]]` contradict each other, or the stack.
    Moves "E0801",
    /// An address is neither in the stack nor in its state.
    NotInStack "E0802",
    /// The state belongs to another stack, account or region.
    ForeignState "E0901",
    /// What is to be made is there already, and not this stack's.
    AlreadyExists "E0902",
    /// What is to be imported is not there, or would be replaced.
    WrongImport "E0903",
    /// AWS does not change one into the other.
    CannotChange "E0904",
    /// What would be deleted is protected.
    Protected "E0905",
    /// Two addresses would be one object in AWS.
    SamePlace "E0906",
    /// A replacement cannot be made in the order that is asked for.
    ReplaceOrder "E0907",
    /// What would be deleted is used.
    InUse "E0908",
    /// A data source could not be read.
    DataNotRead "E0909",
    /// What an earlier apply began cannot be resolved.
    Unresolved "E0910",
    /// The state has a type that this leoctl does not know.
    UnknownStateType "E0911",
    /// What changed outside leoctl cannot be written into the stack file.
    NotAccepted "E0912",
    /// AWS refused a call, or did not answer.
    Aws "E1001",
    /// The state could not be read or written.
    Store "E1002",
    /// The sandbox did not do it.
    Sandbox "E1003",
    /// The command does not make sense.
    Usage "E1004",
    /// The command was interrupted.
    Interrupted "E1005",
    /// What is encrypted cannot be read, or may not be written.
    Encryption "E1006",
    /// Nobody has approved the plan.
    NotApproved "E1007",
    /// Two resources set the same attribute of a third.
    PartOfAnother "W0101",
    /// leoctl has a type of its own for the same.
    OwnType "W0102",
    /// Two sides of different types are compared, which are never equal.
    NeverEqual "W0103",
    /// The name of a variable or a local stands in a text, and is not evaluated.
    NameInText "W0104",
}

impl Code {
    /// The code of this text, in any case.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}
