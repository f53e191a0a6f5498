//! What a function or operator complains about: words, and the values they speak of, kept apart. Whether the values
//! may be shown is known only where the complaint arrives, and only there they are written.

use super::budget::Exhausted;
use super::expr::EvalError;
use crate::model::value::Value;

/// What stands at a `{}` of a complaint.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Words of leoctl's own, such as the kind of a value: always shown.
    Word(&'static str),
    /// Something of a value, or made from one: hidden when the value is sensitive.
    Value(String),
}

impl From<&'static str> for Said {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<String> for Said {
    fn from(value: String) -> Self {
        Self::Value(value)
    }
}

impl From<i64> for Said {
    fn from(value: i64) -> Self {
        Self::Value(value.to_string())
    }
}

impl From<usize> for Said {
    fn from(value: usize) -> Self {
        Self::Value(value.to_string())
    }
}

impl From<&Value> for Said {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Value(text.clone()),
            other => Self::Value(other.to_public_json(&|_| "(sensitive)".into()).to_string()),
        }
    }
}

/// Why a function or an operator has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Complaint {
    /// Its arguments are wrong.
    Wrong {
        /// What is wrong: a sentence with `{}` where something is said of the arguments.
        sentence: &'static str,
        /// What stands there.
        said: Vec<Said>,
        /// What to do.
        help: Option<(&'static str, Vec<Said>)>,
    },
    /// It costs too much.
    Exhausted(Exhausted),
    /// It names a file that was not read with the stack: what is to be taken where something fails is not for that.
    Unread(Said),
}

impl From<Exhausted> for Complaint {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

/// A complaint: `complaint("`{}` is not a network", [text.into()])`.
pub fn complaint<const N: usize>(sentence: &'static str, said: [Said; N]) -> Complaint {
    Complaint::Wrong { sentence, said: said.to_vec(), help: None }
}

impl Complaint {
    /// This complaint with advice.
    pub fn help<const N: usize>(self, sentence: &'static str, said: [Said; N]) -> Self {
        match self {
            Self::Wrong { sentence: of, said: with, .. } => Self::Wrong { sentence: of, said: with, help: Some((sentence, said.to_vec())) },
            other => other,
        }
    }

    /// The complaint as an error, behind `lead` (the function's name); `hidden` when what it speaks of is sensitive.
    pub fn into_error(self, lead: &str, hidden: bool) -> EvalError {
        match self {
            Self::Wrong { sentence, said, help } => {
                let mut error = EvalError::new(format!("{lead}{}", write(sentence, &said, hidden)));
                let shows_values = |said: &[Said]| said.iter().any(|said| matches!(said, Said::Value(_)));
                error.help = help.filter(|(_, said)| !(hidden && shows_values(said))).map(|(help, said)| write(help, &said, false));
                if hidden && error.help.is_none() && shows_values(&said) {
                    error.help = Some("what it speaks of is sensitive, and so is not shown".to_owned());
                }
                EvalError { hidden, ..error }
            }
            Self::Unread(name) => {
                let what = write("{} was not read with the stack: what names it is known only from AWS", &[name], hidden);
                let error = EvalError { hidden, fatal: true, ..EvalError::new(format!("{lead}{what}")) };
                error.advice("name files by texts, variables, locals, and keys of `for_each` that are known without AWS")
            }
            Self::Exhausted(exhausted) => EvalError::exhausted(exhausted),
        }
    }
}

/// The sentence with everything in its place.
fn write(sentence: &str, said: &[Said], hidden: bool) -> String {
    let mut said = said.iter();
    let mut pieces = sentence.split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match said.next() {
            Some(Said::Word(word)) => text.push_str(word),
            Some(Said::Value(_)) if hidden => text.push_str("(sensitive)"),
            Some(Said::Value(value)) => text.extend(value.chars().take(SHOWN)),
            None => {}
        }
        text.push_str(piece);
    }
    text
}

/// How much of a value is shown, in characters.
const SHOWN: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_sensitive_complaint_are_hidden_and_words_are_not() {
        let complaint = complaint("`{}` is {}, not a network", ["s3cret".to_owned().into(), "a string".into()])
            .help("did you mean {}?", ["s3cret/8".to_owned().into()]);
        let shown = complaint.clone().into_error("cidrsubnet: ", false);
        assert_eq!(shown.message, "cidrsubnet: `s3cret` is a string, not a network");
        assert_eq!(shown.help.as_deref(), Some("did you mean s3cret/8?"));
        let hidden = complaint.into_error("cidrsubnet: ", true);
        assert_eq!(hidden.message, "cidrsubnet: `(sensitive)` is a string, not a network");
        assert!(!hidden.help.unwrap().contains("s3cret"));
    }
}
