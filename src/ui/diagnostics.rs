//! Mistakes in stack files, with the line each is on.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::terminal::{columns_of_stderr, escaped, folded, one_line, styled_by_library};
use leoctl_core::stack::diagnostic::{Diagnostic, Diagnostics, Severity, Source};

/// All diagnostics as text.
pub fn render(diagnostics: &Diagnostics, sources: &[Source], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let columns = columns_of_stderr();
    let renderer = columns.map_or_else(|| renderer.clone(), |columns| renderer.clone().term_width(columns));
    let texts: Vec<String> = diagnostics.0.iter().map(|diagnostic| one(&renderer, diagnostic, sources, columns)).collect();
    styled_by_library(&texts.join("\n\n"))
}

/// How many columns stand before a message: its level and its code, or a frame.
const LEAD: usize = 18;

fn one(renderer: &Renderer, diagnostic: &Diagnostic, sources: &[Source], columns: Option<usize>) -> String {
    let room = columns.map(|columns| columns.saturating_sub(LEAD));
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(folded(&escaped(&diagnostic.message), room)).id(diagnostic.code.as_str());
    let place = diagnostic.span.as_ref().and_then(|span| Some((sources.get(span.file)?, span.range.clone())));
    let helps = diagnostic.help.iter().map(|help| folded(&escaped(help), room));
    let mut group = match place {
        // The line may hold a secret: only where it is can be said.
        Some((source, range)) if source.private => {
            let (line, text, range) = excerpt(&source.text, range);
            let column = text.get(..range.start).map_or(0, |before| before.chars().count()) + 1;
            title.element(Origin::path(source.path.display().to_string()).line(line).char_column(column))
        }
        Some((source, range)) => {
            let (line, text, range) = excerpt(&source.text, range);
            let annotation = AnnotationKind::Primary.span(range);
            let label = one_line(&diagnostic.label).into_owned();
            let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
            let path = one_line(&source.path.display().to_string()).into_owned();
            match another(diagnostic, source) {
                Some(Both { text, line, other, said, own }) => {
                    let first = AnnotationKind::Context.span(other).label(said);
                    let both = Snippet::source(text).line_start(line).path(path).annotation(first);
                    title.element(both.annotation(AnnotationKind::Primary.span(own)))
                }
                None => title.element(Snippet::source(text).line_start(line).path(path).annotation(annotation)),
            }
        }
        // Nothing is framed: between titles that are rendered together there would be an empty frame.
        None => {
            let helps = helps.map(|help| Group::with_title(Level::HELP.secondary_title(help)));
            let titles = std::iter::once(Group::with_title(title)).chain(helps);
            return titles.map(|title| renderer.render(&[title])).collect::<Vec<_>>().join("\n");
        }
    };
    for help in helps {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// How far apart two places are at most, in bytes, that are shown together.
const TOGETHER: usize = 1 << 16;

/// The lines from another place above, that a mistake is about, to its own.
struct Both<'a> {
    text: String,
    /// The number of the first line.
    line: usize,
    /// Where the other place is in the text, and what is said of it.
    other: Range<usize>,
    said: &'a str,
    /// Where the mistake is in the text.
    own: Range<usize>,
}

fn another<'a>(diagnostic: &'a Diagnostic, source: &Source) -> Option<Both<'a>> {
    let (span, (also, said)) = (diagnostic.span.as_ref()?, diagnostic.also.as_ref()?);
    let between = source.text.get(also.range.end..span.range.start).filter(|between| between.len() <= TOGETHER)?;
    let (line, first, other) = excerpt(&source.text, also.range.clone());
    let (_, last, own) = excerpt(&source.text, span.range.clone());
    let lines: Vec<&str> = between.split('\n').collect();
    let [_, middle @ .., _] = lines.as_slice() else { return None };
    let mut text = first;
    for line in middle {
        text.push('\n');
        text.push_str(&escaped(line.strip_suffix('\r').unwrap_or(line)));
    }
    text.push('\n');
    let start = text.len();
    text.push_str(&last);
    (also.file == span.file).then_some(Both { text, line, other, said, own: start + own.start..start + own.end })
}

/// Where something is in a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user would write it.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// The line it ends on.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
}

/// Where a diagnostic is, when it is at a place in a file.
pub fn place(diagnostic: &Diagnostic, sources: &[Source]) -> Option<Place> {
    let span = diagnostic.span.as_ref()?;
    let source = sources.get(span.file)?;
    let (line, column) = position(&source.text, span.range.start);
    let (end_line, end_column) = position(&source.text, span.range.end.max(span.range.start));
    Some(Place { file: source.path.display().to_string(), line, column, end_line, end_column })
}

/// The line and column of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The line a place is on (or the first of several), its number, and the place inside it: a file of megabytes
/// is not laid out for one mistake. Control characters are shown.
fn excerpt(text: &str, range: Range<usize>) -> (usize, String, Range<usize>) {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (floor(range.start), floor(range.end.max(range.start)));
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let line_end = rest.find('\n').map_or(text.len(), |at| start + at);
    let number = before.matches('\n').count() + 1;
    let part = |from: usize, to: usize| escaped(text.get(from..to).unwrap_or_default());
    let (lead, marked) = (part(line_start, start), part(start, end.min(line_end)));
    // The carriage return of a line's end is no part of it.
    let tail = text.get(end.min(line_end)..line_end).unwrap_or_default();
    let line = format!("{lead}{marked}{}", escaped(tail.strip_suffix('\r').unwrap_or(tail)));
    (number, line, lead.len()..lead.len() + marked.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::terminal::{for_terminal, plain};
    use leoctl_core::stack::diagnostic::{Code, Span};

    #[test]
    fn what_is_wrong_at_no_place_has_no_frame() {
        let wrong = Diagnostic::general(Code::UnknownName, "`vpc.x` is not there").help("did you mean `vpc.y`?").help("or leave it out");
        let shown = plain(&render(&Diagnostics::from(vec![wrong]), &[], true));
        assert_eq!(shown, "error[E0402]: `vpc.x` is not there\nhelp: did you mean `vpc.y`?\nhelp: or leave it out");
    }

    #[test]
    fn another_place_is_shown_with_its_line() {
        let text = format!("a = 1\r\n{}a\u{1} = 3\n", "b = 2\r\n".repeat(20));
        let span = |range| Span { file: 0, range };
        let start = text.rfind("a\u{1}").unwrap();
        let wrong = Diagnostic::error(Code::Syntax, &span(start..start + 1), "twice").also(span(0..1), "here first");
        let source = Source { path: "a.toml".into(), text, private: false };
        let shown = plain(&render(&Diagnostics::from(vec![wrong]), &[source], true));
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        let wanted =
            ["error[E0101]: twice", "  --> a.toml:22:1", "   |", " 1 | a = 1", "   | - here first", "...", "22 | a\\u0001 = 3", "   | ^"];
        assert_eq!(lines, wanted, "{shown}");
    }

    #[test]
    fn what_a_file_says_does_not_move_the_terminal_and_the_mark_is_under_it() {
        let text = "a = 1\nb = \"\u{9b}2J\u{202e}\" wrong \u{1b}[2J\r\n";
        let start = text.find("wrong").unwrap();
        let mut diagnostic = Diagnostic::general(Code::UnknownName, "not \u{1b}]0;t\u{7} this".to_owned());
        diagnostic.span = Some(Span { file: 0, range: start..start + 5 });
        diagnostic.label = "here\u{85}".to_owned();
        diagnostic.help = vec!["use \u{1b}[31mthat".to_owned()];
        let source = Source { path: "a\u{7}.toml".into(), text: text.to_owned(), private: false };
        let rendered = render(&Diagnostics::from(vec![diagnostic]), &[source], true);
        let shown = plain(&rendered);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{9b}') && !shown.contains('\r'), "{shown:?}");
        assert!(shown.contains("not \\u001b]0;t\\u0007 this") && shown.contains("a\\u0007.toml:2:"), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines.iter().position(|line| line.contains("wrong")).unwrap();
        assert_eq!(lines[at].find("wrong"), lines[at + 1].find("^^^^^"), "{shown}");
        // The styles of the library are ours.
        assert!(for_terminal(&rendered).contains("\u{1b}["), "{shown}");
    }
}
