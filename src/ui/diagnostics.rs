//! Mistakes in stack files, with the line each is on.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use leoctl_core::stack::diagnostic::{Diagnostic, Diagnostics, Severity, Source};

/// All diagnostics as text.
pub fn render(diagnostics: &Diagnostics, sources: &[Source], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let texts: Vec<String> = diagnostics.0.iter().map(|diagnostic| one(&renderer, diagnostic, sources)).collect();
    texts.join("\n\n")
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic, sources: &[Source]) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str());
    let place = diagnostic.span.as_ref().and_then(|span| Some((sources.get(span.file)?, span.range.clone())));
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
            let annotation = if diagnostic.label.is_empty() { annotation } else { annotation.label(diagnostic.label.as_str()) };
            let snippet = Snippet::source(text).line_start(line).path(source.path.display().to_string()).annotation(annotation);
            title.element(snippet)
        }
        None => Group::with_title(title),
    };
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The line a place is on (or the first of several), its number, and the place inside it: a file of megabytes
/// is not laid out for one mistake.
fn excerpt(text: &str, range: std::ops::Range<usize>) -> (usize, &str, std::ops::Range<usize>) {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (floor(range.start), floor(range.end.max(range.start)));
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let line_end = rest.find('\n').map_or(text.len(), |at| start + at);
    let number = before.matches('\n').count() + 1;
    let line = text.get(line_start..line_end).unwrap_or_default();
    (number, line, start - line_start..end.min(line_end) - line_start)
}
