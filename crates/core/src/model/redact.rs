//! Taking secrets out of texts that others have written: AWS quotes what it refuses, whole or in part, as it was sent.

use std::collections::BTreeSet;

use super::base64;
use super::percent;
use super::value::Value;

/// What stands for a secret.
pub const MASK: &str = "(sensitive)";

/// The shortest secret that is taken out wherever it stands, in bytes: shorter ones are part of ordinary words, and are
/// taken out where they stand by themselves.
const SHORTEST: usize = 4;

/// How others say that a text goes on.
const CUT: [&str; 2] = ["...", "…"];

/// The secrets that are taken out of texts.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// As they are, the longest first: one may be part of another.
    secrets: Vec<String>,
    /// As they stand inside of JSON, URLs and base64, the longest first.
    forms: Vec<String>,
}

impl Redactor {
    /// A redactor of everything secret in some values.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut secrets = BTreeSet::new();
        values.into_iter().for_each(|value| collect(value, false, &mut secrets));
        Self::of(secrets)
    }

    fn of(secrets: BTreeSet<String>) -> Self {
        let forms = secrets.iter().flat_map(|secret| forms(secret)).filter(|form| form.len() >= SHORTEST).collect();
        Self { secrets: longest_first(secrets), forms: longest_first(forms) }
    }

    /// Only those of the secrets, and of their lines, that are as `wanted` says.
    pub fn only(self, wanted: impl Fn(&str) -> bool) -> Self {
        Self::of(self.secrets.into_iter().filter(|secret| wanted(secret)).collect())
    }

    /// A value in which each text that has something secret in it is secret itself: AWS gives back in clear what it was given.
    pub fn hidden(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.is_in(&text) => Value::String(text).into_secret(),
            Value::List(items) => Value::List(items.into_iter().map(|item| self.hidden(item)).collect()),
            Value::Map(map) => Value::Map(map.into_iter().map(|(key, value)| (key, self.hidden(value))).collect()),
            other => other,
        }
    }

    /// This one and another.
    pub fn and(self, other: Self) -> Self {
        let both = |one: Vec<String>, other: Vec<String>| longest_first(one.into_iter().chain(other).collect());
        Self { secrets: both(self.secrets, other.secrets), forms: both(self.forms, other.forms) }
    }

    /// Whether it takes nothing out of any text.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Whether a value that stands by itself is or holds one of the secrets.
    pub fn is_in(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| secret == text) || self.forms.iter().any(|form| text.contains(form.as_str()))
    }

    /// The text with words in the place of secrets.
    pub fn redact(&self, text: &str) -> String {
        let found = self.forms.iter().filter(|form| text.contains(form.as_str()));
        let text = found.fold(text.to_owned(), |text, form| text.replace(form, MASK));
        let short = self.secrets.iter().filter(|secret| secret.len() < SHORTEST);
        let text = short.fold(text, |text, secret| without_word(&text, secret));
        CUT.iter().fold(text, |text, cut| self.without_cut(&text, cut))
    }

    /// The text without the beginnings of secrets that are cut off.
    fn without_cut(&self, text: &str, cut: &str) -> String {
        let mut parts: Vec<String> = text.split(cut).map(str::to_owned).collect();
        let last = parts.len().saturating_sub(1);
        for part in parts.iter_mut().take(last) {
            let begun = self.secrets.iter().filter_map(|secret| begun(part, secret)).max();
            if let Some(length) = begun {
                part.truncate(part.len() - length);
                part.push_str(MASK);
            }
        }
        parts.join(cut)
    }
}

/// How many bytes at the end of a text are the beginning of a secret, if they are enough to tell anything.
fn begun(text: &str, secret: &str) -> Option<usize> {
    let lengths = (SHORTEST..secret.len().min(text.len() + 1)).rev();
    lengths.into_iter().find(|length| secret.get(..*length).is_some_and(|start| text.ends_with(start)))
}

/// The text with words in the place of a short secret, where it is no part of a word.
fn without_word(text: &str, secret: &str) -> String {
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(secret) {
        done.push_str(before);
        let part = is_part(done.chars().next_back().filter(|_| !ends_in_url(&done))) || is_part(after.chars().next());
        done.push_str(if part { secret } else { MASK });
        rest = after;
    }
    done.push_str(rest);
    done
}

/// Whether a text ends with a character as URLs have it, `%22`.
fn ends_in_url(text: &str) -> bool {
    let mut last = text.chars().rev();
    let digits = last.by_ref().take(2).filter(char::is_ascii_hexdigit).count();
    digits == 2 && last.next() == Some('%')
}

fn longest_first(texts: BTreeSet<String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().collect();
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts
}

fn collect(value: &Value, secret: bool, found: &mut BTreeSet<String>) {
    let mut add = |text: String| {
        // Each line of a text may be quoted by itself.
        found.extend(text.lines().map(str::trim).chain([text.as_str()]).filter(|line| !line.is_empty()).map(str::to_owned));
    };
    match value {
        Value::Secret(inner) => collect(inner, true, found),
        Value::List(items) => items.iter().for_each(|item| collect(item, secret, found)),
        Value::Map(map) => {
            for (key, item) in map {
                if secret {
                    collect(&Value::string(key.as_str()), true, found);
                }
                collect(item, secret, found);
            }
        }
        Value::String(text) if secret => add(text.clone()),
        Value::Int(number) if secret => add(number.to_string()),
        Value::Float(number) if secret => add(number.to_string()),
        _ => {}
    }
}

/// A secret as it stands inside of other texts: as it is, in JSON, in a URL (policies come back so), and in base64.
fn forms(secret: &str) -> BTreeSet<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let mut forms: BTreeSet<String> = [secret.to_owned(), escaped.clone()].into();
    if secret.len() >= SHORTEST {
        for plain in [secret, &escaped] {
            let url = percent::encode(plain);
            forms.extend([url.replace("%20", "+"), url]);
            forms.insert(base64::encode(plain.as_bytes()));
            forms.extend(base64::within(plain.as_bytes()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(secret: &str) -> Redactor {
        Redactor::new([&Value::string(secret).into_secret()])
    }

    #[test]
    fn secrets_go_and_what_is_around_them_stays() {
        let map = Value::Map([("a".to_owned(), Value::string("pa\"ss").into_secret()), ("b".to_owned(), Value::string("shown"))].into());
        let nested = Value::from(json!({ "key1": ["longer-than-pass", 47110815] })).into_secret();
        let redactor = Redactor::new([&map, &nested]);
        let text = "'pa\"ss' in {\"x\":\"pa\\\"ss\"}, longer-than-pass, 47110815, key1, shown";
        let expected = "'(sensitive)' in {\"x\":\"(sensitive)\"}, (sensitive), (sensitive), (sensitive), shown";
        assert_eq!(redactor.redact(text), expected);
    }

    #[test]
    fn short_secrets_are_left_where_they_are_part_of_words() {
        let redactor = of("on");
        assert_eq!(redactor.redact("connection 'on' is on"), "connection '(sensitive)' is (sensitive)");
        assert_eq!(redactor.redact("%22on%22 x22on"), "%22(sensitive)%22 x22on");
        assert!(redactor.is_in("on") && !redactor.is_in("connection"));
    }

    #[test]
    fn a_secret_is_found_in_what_was_made_of_it() {
        let redactor = of("pä ss/word{1}");
        assert_eq!(redactor.redact("%22p%C3%A4%20ss%2Fword%7B1%7D%22 p%C3%A4+ss%2Fword%7B1%7D"), "%22(sensitive)%22 (sensitive)");
        for around in ["", "a", "ab", "abc"] {
            let encoded = base64::encode(format!("{around}pä ss/word{{1}}{around}").as_bytes());
            let redacted = redactor.redact(&encoded);
            assert!(redacted.contains(MASK) && redacted.len() <= MASK.len() + 12, "{encoded} {redacted}");
        }
    }

    #[test]
    fn the_beginning_of_a_secret_that_is_cut_off_goes_too() {
        let redactor = of("a-long-secret");
        assert_eq!(redactor.redact("'a-long-se...' or a-lon… is not"), "'(sensitive)...' or (sensitive)… is not");
        assert_eq!(redactor.redact("a-b... goes on"), "a-b... goes on");
    }
}
