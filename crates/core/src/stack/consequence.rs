//! What is said only because of another mistake at the same place, and is left out beside that one.

use std::ops::Range;

use super::diagnostic::{Code, Diagnostic, Severity, Source, Span};
use super::functions::usages;
use super::mention;

/// The diagnostics without those that only follow from another of them.
pub(super) fn left_out(sources: &[Source], mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    advised(&mut diagnostics);
    placed(sources, &mut diagnostics);
    let broken: Vec<Span> = diagnostics.iter().filter(|one| one.code == Code::Syntax).filter_map(|one| line_of(sources, one)).collect();
    let follows = |one: &Diagnostic| {
        let Some(span) = &one.span else { return false };
        one.code != Code::Syntax && broken.iter().any(|line| line.file == span.file && overlap(&line.range, &span.range))
            || diagnostics.iter().any(|other| other.span.as_ref().is_some_and(|place| said_by(other, place, one, span)))
    };
    let kept: Vec<bool> = diagnostics.iter().map(|one| !follows(one)).collect();
    diagnostics.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept).map(|(one, _)| one).collect()
}

/// Gives an error without advice that of the warning at its place.
fn advised(diagnostics: &mut [Diagnostic]) {
    let warnings: Vec<Diagnostic> = diagnostics.iter().filter(|one| one.code == Code::NameInText).cloned().collect();
    for error in diagnostics.iter_mut().filter(|one| one.severity == Severity::Error && one.help.is_empty()) {
        if let Some(warning) = warnings.iter().find(|warning| warning.span == error.span) {
            error.help.clone_from(&warning.help);
        }
    }
}

/// Says of what is no function where it is called, and not where the whole value is.
fn placed(sources: &[Source], diagnostics: &mut [Diagnostic]) {
    let known: Vec<&str> = usages().into_iter().map(|(name, _)| name).collect();
    for one in diagnostics.iter_mut().filter(|one| one.code == Code::UnknownFunction) {
        let place = one.span.as_ref().and_then(|span| mention::unknown_call(sources.get(span.file)?, span, &known));
        one.span = place.or_else(|| one.span.take());
    }
}

/// The line that a diagnostic begins on, and whatever else it marks.
fn line_of(sources: &[Source], one: &Diagnostic) -> Option<Span> {
    let Span { file, range } = one.span.as_ref()?;
    let text = &sources.get(*file)?.text;
    let start = text.get(..range.start)?.rfind('\n').map_or(0, |end| end + 1);
    let end = text.get(range.start..)?.find('\n').map_or(text.len(), |length| range.start + length);
    Some(Span { file: *file, range: start..end.max(range.end) })
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Whether one diagnostic already says what another does, which stands at the same place or around it.
fn said_by(known: &Diagnostic, place: &Span, one: &Diagnostic, span: &Span) -> bool {
    let is_same = place == span;
    let is_error = known.severity == Severity::Error;
    let is_inside = place.file == span.file && span.range.start <= place.range.start && place.range.end <= span.range.end;
    match (known.code, one.code) {
        (code, Code::NameInText) if is_same && is_error => code != Code::NameInText,
        (Code::NotEvaluated, other) if is_same => other != Code::NotEvaluated,
        // Of a name that is not there the place is known better than where the whole value is evaluated.
        (code, other) => code == other && !is_same && is_inside && known.message == one.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(found: &[(Code, Range<usize>, &str)]) -> Vec<String> {
        let sources = [Source { path: "s.toml".into(), text: "a = 1\nb = \"\nc = [\n 1,\n]\n".to_owned(), private: false }];
        let diagnostics = found.iter().map(|(code, range, message)| {
            let span = Span { file: 0, range: range.clone() };
            match code {
                Code::NameInText => Diagnostic::warning(*code, &span, *message).help("write it so"),
                _ => Diagnostic::error(*code, &span, *message),
            }
        });
        left_out(&sources, diagnostics.collect()).into_iter().map(|one| format!("{} {}", one.message, one.help.concat())).collect()
    }

    #[test]
    fn what_follows_from_a_mistake_at_the_same_place_is_not_said() {
        assert_eq!(said(&[(Code::Syntax, 10..11, "not closed"), (Code::BadAddress, 10..11, "no address")]), ["not closed "]);
        assert_eq!(said(&[(Code::Syntax, 17..18, "no number"), (Code::Contradiction, 16..23, "exactly one")]), ["no number "]);
        assert_eq!(said(&[(Code::Syntax, 10..11, "not closed"), (Code::BadAddress, 4..5, "no address")]).len(), 2);
        assert_eq!(said(&[(Code::NameInText, 4..5, "a text"), (Code::NoValue, 4..5, "no boolean")]), ["no boolean write it so"]);
        assert_eq!(said(&[(Code::NotEvaluated, 4..5, "a text"), (Code::NotAllowed, 4..5, "no ARN")]), ["a text "]);
        assert_eq!(said(&[(Code::NoValue, 0..5, "no `x`"), (Code::NoValue, 4..5, "no `x`")]), ["no `x` "]);
        assert_eq!(said(&[(Code::NoValue, 4..5, "no `x`"), (Code::NoValue, 4..5, "no `y`")]).len(), 2);
    }
}
