//! What a secret is set to. What is not written stays as it is, to the letter.

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// What a secret or a key of it is to be.
#[derive(Clone, Copy)]
pub struct Write<'a> {
    /// The key; nothing for all of the secret.
    pub key: Option<&'a str>,
    /// Its new text.
    pub text: &'a str,
}

/// A secret that is to have keys, and has a text that is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoObject;

type Object = IndexMap<String, Box<RawValue>>;

/// The text of a key in a secret, as a container gets it; nothing when it has no such key.
///
/// # Errors
/// When the secret is no JSON object.
pub fn text(current: &str, key: Option<&str>) -> Result<Option<String>, NoObject> {
    let Some(key) = key else { return Ok(Some(current.to_owned())) };
    Ok(object(current)?.get(key).map(|raw| readable(raw)))
}

/// What a secret is set to; nothing when it has all of that already.
///
/// # Errors
/// When keys are written, and the secret is no JSON object.
pub fn with(current: Option<&str>, writes: &[Write<'_>]) -> Result<Option<String>, NoObject> {
    if let Some(whole) = writes.iter().find(|write| write.key.is_none()) {
        return Ok((current != Some(whole.text)).then(|| whole.text.to_owned()));
    }
    let mut object = current.map_or_else(|| Ok(Object::new()), object)?;
    let mut changed = false;
    for write in writes {
        let Some(key) = write.key else { continue };
        let before = object.get(key);
        if before.is_some_and(|before| is(before, write.text)) {
            continue;
        }
        let after = json(write.text, before.map(|before| kind(before.get())));
        object.insert(key.to_owned(), after);
        changed = true;
    }
    Ok(changed.then(|| serde_json::to_string(&object).unwrap_or_default()))
}

fn object(text: &str) -> Result<Object, NoObject> {
    // Not the parser's words: they may have the value in them.
    serde_json::from_str(text).map_err(|_| NoObject)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Null,
    Nested,
}

fn kind(json: &str) -> Kind {
    match json.chars().next() {
        Some('"') => Kind::Text,
        Some('t' | 'f') => Kind::Boolean,
        Some('n') => Kind::Null,
        Some('{' | '[') => Kind::Nested,
        _ => Kind::Number,
    }
}

fn readable(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// Whether a key has this text already.
fn is(before: &RawValue, text: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match kind(before.get()) {
        Kind::Text => readable(before) == text,
        Kind::Nested => before.get() == text || parsed(text).is_some_and(|value| parsed(before.get()) == Some(value)),
        _ => before.get() == text.trim(),
    }
}

/// A text as JSON: of the kind that the key has, where it is of that kind, and else a string.
fn json(text: &str, before: Option<Kind>) -> Box<RawValue> {
    let same = before.filter(|kind| *kind != Kind::Text).and_then(|before| {
        let raw: Box<RawValue> = serde_json::from_str(text.trim()).ok()?;
        (kind(raw.get()) == before).then_some(raw)
    });
    let string = || serde_json::value::to_raw_value(text).unwrap_or_default();
    same.unwrap_or_else(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(current: Option<&str>, writes: &[(&str, &str)]) -> Option<String> {
        let writes: Vec<Write<'_>> = writes.iter().map(|(key, text)| Write { key: Some(*key), text }).collect();
        with(current, &writes).unwrap()
    }

    #[test]
    fn a_key_keeps_its_kind_where_the_new_text_is_of_it() {
        for (before, text, after) in [
            ("5432", "5433", "5433"),
            ("5432", "5432.0", "5432.0"),
            ("5432", "-1e3", "-1e3"),
            ("5432", "05", r#""05""#),
            ("5432", "pw", r#""pw""#),
            ("5432", "true", r#""true""#),
            ("true", "false", "false"),
            ("true", "no", r#""no""#),
            ("null", "x", r#""x""#),
            ("[1]", "[1,2]", "[1,2]"),
            ("{\"a\":1}", "x", r#""x""#),
            (r#""5432""#, "5433", r#""5433""#),
            (r#""x""#, "say \"hi\"\n", r#""say \"hi\"\n""#),
        ] {
            let current = format!(r#"{{"k":{before}}}"#);
            assert_eq!(set(Some(&current), &[("k", text)]), Some(format!(r#"{{"k":{after}}}"#)), "{before} <- {text}");
        }
    }

    #[test]
    fn other_keys_are_left_to_the_letter_and_in_their_order() {
        let current = r#"{"z":1.10,"port":5432,"big":123456789012345678901234567890,"a":"\u00e4"}"#;
        assert_eq!(
            set(Some(current), &[("new", "1"), ("port", "5433")]).unwrap(),
            r#"{"z":1.10,"port":5433,"big":123456789012345678901234567890,"a":"\u00e4","new":"1"}"#
        );
    }

    #[test]
    fn what_is_there_already_is_not_set() {
        let current = r#"{ "port": 5432, "user": "\u0061", "on": true, "list": [1, 2] }"#;
        assert_eq!(set(Some(current), &[("port", "5432"), ("user", "a"), ("on", "true"), ("list", "[1,2]")]), None);
        assert_eq!(with(Some("x"), &[Write { key: None, text: "x" }]), Ok(None));
        assert_eq!(with(None, &[]), Ok(None));
        assert_eq!(with(None, &[Write { key: None, text: "x" }]), Ok(Some("x".to_owned())));
        assert_eq!(set(None, &[("a", "1")]).unwrap(), r#"{"a":"1"}"#);
    }

    #[test]
    fn keys_are_not_set_in_what_is_no_object() {
        for current in ["hunter2", "[1]", "\"x\"", "{", ""] {
            assert_eq!(with(Some(current), &[Write { key: Some("a"), text: "1" }]), Err(NoObject), "{current}");
            assert_eq!(text(current, Some("a")), Err(NoObject));
            assert_eq!(text(current, None), Ok(Some(current.to_owned())));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_set_is_read_and_nothing_else_changes(
            before in prop::collection::vec(("[a-d]", r#"[0-9]{1,20}|"[a-z]{0,3}"|true|null|\[1\]"#), 0..5),
            key in "[a-f]",
            new in "[0-9]{1,4}|[a-z\"]{0,4}|true| 1",
        ) {
            let object: IndexMap<&str, &RawValue> =
                before.iter().map(|(key, json)| (key.as_str(), serde_json::from_str(json).unwrap_or(RawValue::NULL))).collect();
            let current = serde_json::to_string(&object).unwrap();
            let after = with(Some(&current), &[Write { key: Some(&key), text: &new }]).unwrap().unwrap_or_else(|| current.clone());
            let read = text(&after, Some(&key)).unwrap().unwrap();
            prop_assert_eq!(read.trim(), new.trim());
            let kept: IndexMap<String, Box<RawValue>> = serde_json::from_str(&after).unwrap();
            for (name, json) in object.iter().filter(|(name, _)| **name != key) {
                prop_assert_eq!(kept[*name].get(), json.get());
            }
            prop_assert!(kept.keys().map(String::as_str).take(object.len()).eq(object.keys().copied()));
            prop_assert_eq!(with(Some(&after), &[Write { key: Some(&key), text: &new }]), Ok(None));
        }
    }
}
