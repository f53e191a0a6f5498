//! Tables for people: columns by their width, no lines around them.

use ratatui::text::Span;

use super::{FAINT, styled, terminal};

/// Columns are this far apart.
const GAP: usize = 2;

/// A table with a head; cells may be styled, and each is one line.
pub fn render(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|title| styled(FAINT, title.to_uppercase())).collect();
    let rows = std::iter::once(head).chain(rows).map(|row| row.iter().map(|text| terminal::cell(text)).collect());
    let rows: Vec<Vec<String>> = rows.collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| width(text)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    rows.iter().map(|row| line(row, &widths)).collect::<Vec<_>>().join("\n")
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    let mut missing = 0;
    for (text, wide) in row.iter().zip(widths) {
        let own = width(text);
        // Nothing is left over at the end of a line.
        if own > 0 {
            line.push_str(&" ".repeat(missing));
            line.push_str(text);
            missing = 0;
        }
        missing += wide - own + GAP;
    }
    line
}

/// How many columns of a terminal a text takes.
fn width(text: &str) -> usize {
    Span::raw(terminal::plain(text)).width()
}
