//! Answers: data of a bounded size, and errors as data.

use serde_json::{Map, Value as Json, json};

use super::marks::Marks;
use crate::cli::{CliError, error};
use crate::ui::visible;
use leoctl_core::engine::EngineError;
use leoctl_core::model::redact::Redactor;
use leoctl_core::stack::diagnostic::Code;

/// How many characters of a text are in one answer.
const PAGE: usize = 20_000;
/// How many entries of a list are in one answer, where they are short.
pub const ENTRIES: usize = 100;
/// How many entries of an inner list.
const INNER: usize = 50;
/// How many bytes an answer has at most.
const LARGEST: usize = 96 << 10;

/// What a tool answers, or why it does not.
pub type Answer = Result<Json, CliError>;

/// A part of a text, and where the next one begins.
pub fn page(text: &str, offset: usize) -> Json {
    let total = text.chars().count();
    let part: String = text.chars().skip(offset).take(PAGE).collect();
    let next = offset.saturating_add(PAGE);
    json!({ "text": part, "characters": total, "next_offset": (next < total).then_some(next) })
}

/// A part of a list.
pub struct Part<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// How much the list has.
    pub total: usize,
    /// Where the next part begins.
    pub next: Option<usize>,
}

/// So much of a list from there on.
pub fn part<T>(all: impl ExactSizeIterator<Item = T>, offset: usize, most: usize) -> Part<T> {
    let total = all.len();
    let next = offset.saturating_add(most);
    Part { entries: all.skip(offset).take(most).collect(), total, next: (next < total).then_some(next) }
}

/// Cuts every list in a value, and says how much was left out beside it.
pub fn cut(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(cut),
        Json::Object(fields) => {
            let mut left_out = Map::new();
            for (name, value) in fields.iter_mut() {
                if let Json::Array(items) = value {
                    let more = items.len().saturating_sub(INNER);
                    items.truncate(INNER);
                    if more > 0 {
                        left_out.insert(name.clone(), more.into());
                    }
                }
                cut(value);
            }
            if !left_out.is_empty() {
                fields.insert("left_out".to_owned(), left_out.into());
            }
        }
        _ => {}
    }
}

/// An answer with what is to be known of its marks.
pub fn marked(mut answer: Json, marks: &Marks) -> Json {
    if let (Some(fields), Some(notice)) = (answer.as_object_mut(), marks.notice()) {
        fields.insert("data_notice".to_owned(), notice.into());
    }
    answer
}

/// An answer as it is sent: nothing in it is hidden, and it is not too large.
pub fn sent(answer: Answer) -> Result<Json, Json> {
    match answer.map(shown) {
        Ok(answer) if answer.to_string().len() <= LARGEST => Ok(answer),
        Ok(_) => {
            Err(failed(&CliError::usage("the answer is too large", "ask for less of it, with the arguments that the tool has for that")))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// A call that is not carried out, as it is sent.
pub fn refused(error: &CliError) -> Json {
    shown(failed(error))
}

/// An error as data, as `--json` shows it: the first, and all of them where a stack has several.
fn failed(error: &CliError) -> Json {
    let marks = Marks::new(Redactor::default());
    let mut entries = error::json(error);
    match error {
        CliError::Engine(EngineError::Aws { doing, failure }) if !failure.message.is_empty() => {
            for entry in &mut entries {
                set_message(entry, format!("{doing}: {}", marks.data(&failure.message)));
            }
        }
        // What a data source could not read, AWS said.
        _ => entries.iter_mut().filter(|entry| has_words_of_aws(entry)).for_each(|entry| {
            let message = entry.get("message").and_then(Json::as_str).unwrap_or_default();
            set_message(entry, marks.data(message));
        }),
    }
    let total = entries.len();
    entries.truncate(INNER);
    let mut answer = json!({ "error": entries.first() });
    if let Some(fields) = answer.as_object_mut().filter(|_| total > 1) {
        fields.insert("errors".to_owned(), entries.into());
        fields.insert("errors_total".to_owned(), total.into());
    }
    marked(answer, &marks)
}

fn has_words_of_aws(entry: &Json) -> bool {
    let codes = [Code::DataNotRead, Code::Unresolved, Code::Store, Code::Encryption].map(Code::as_str);
    entry.get("code").and_then(Json::as_str).is_some_and(|code| codes.contains(&code))
}

fn set_message(entry: &mut Json, message: String) {
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("message".to_owned(), message.into());
    }
}

/// The value with what is not seen in its texts shown.
fn shown(value: Json) -> Json {
    match value {
        Json::String(text) => visible::shown(&text).into_owned().into(),
        Json::Array(items) => items.into_iter().map(shown).collect(),
        Json::Object(fields) => fields.into_iter().map(|(name, value)| (visible::shown(&name).into_owned(), shown(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::engine::ports::{Failure, FailureKind};

    #[test]
    fn a_long_text_comes_in_pages_that_make_it_whole() {
        let text: String = (0..PAGE + 10).map(|number| if number % 2 == 0 { 'é' } else { 'b' }).collect();
        let first = page(&text, 0);
        let next = first["next_offset"].as_u64().unwrap();
        let second = page(&text, next.try_into().unwrap());
        assert_eq!(format!("{}{}", first["text"].as_str().unwrap(), second["text"].as_str().unwrap()), text);
        assert_eq!((&second["next_offset"], &page(&text, usize::MAX)["text"]), (&Json::Null, &json!("")));
    }

    #[test]
    fn lists_are_cut_and_say_how_much_is_left_out() {
        let mut value = json!({ "tasks": (0..60).collect::<Vec<_>>(), "few": [{ "inner": (0..51).collect::<Vec<_>>() }] });
        cut(&mut value);
        assert_eq!(value["tasks"].as_array().map(Vec::len), Some(INNER));
        assert_eq!((&value["left_out"], &value["few"][0]["left_out"]), (&json!({ "tasks": 10 }), &json!({ "inner": 1 })));
        let last = part(0..250, 200, 100);
        assert_eq!((last.entries.len(), last.total, last.next), (50, 250, None));
        assert_eq!(part(0..250, 0, 100).next, Some(100));
    }

    #[test]
    fn what_aws_says_of_a_failure_is_marked_and_an_answer_hides_nothing() {
        let failure = Failure { operation: "ecs:ListTasks".to_owned(), ..Failure::new(FailureKind::Invalid, "do this\u{1b}") };
        let answer = sent(Err(CliError::aws("cannot look", failure))).unwrap_err();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("cannot look: <<data ") && message.contains("do this\\u001b<<end "), "{message}");
        assert_eq!(answer["error"]["aws"]["operation"], "ecs:ListTasks");
        assert!(answer["data_notice"].is_string());
        assert_eq!(sent(Ok(json!({ "a\u{200b}": ["\u{7}"] }))), Ok(json!({ "a\\u200b": ["\\u0007"] })));
        let large = sent(Ok(json!("x".repeat(LARGEST)))).unwrap_err();
        assert_eq!(large["error"]["code"], "E1004");
    }
}
