//! Tables for people: columns by their width, no lines around them.

use ratatui::text::Span;

use super::{FAINT, styled, terminal};

/// Columns are this far apart.
const GAP: usize = 2;

/// The last column is parted between words where it has at least so many columns.
const NARROW: usize = 20;

/// A table with a head; cells may be styled, and each is one line: where results go to a terminal that is too narrow, the
/// last one is in several.
pub fn render(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    within(head, rows, terminal::columns_of_stdout())
}

fn within(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width_of_terminal: Option<usize>) -> String {
    let head: Vec<String> = head.iter().map(|title| styled(FAINT, title.to_uppercase())).collect();
    let rows = std::iter::once(head).chain(rows).map(|row| row.iter().map(|text| terminal::cell(text)).collect());
    let rows: Vec<Vec<String>> = rows.collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| width(text)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    rows.iter().map(|row| folded(&line(row, &widths), &widths, width_of_terminal)).collect::<Vec<_>>().join("\n")
}

/// A line whose last column is too wide, in as many as it takes: the others have room for its words below it.
fn folded(line: &str, widths: &[usize], whole: Option<usize>) -> String {
    let at: usize = widths.iter().rev().skip(1).map(|wide| wide + GAP).sum();
    let Some(whole) = whole.filter(|whole| width(line) > *whole && at + NARROW <= *whole) else { return line.to_owned() };
    let (mut shown, mut column) = (String::new(), 0);
    for (number, word) in line.split(' ').enumerate() {
        let wide = width(word);
        if number > 0 && column >= at && column + 1 + wide > whole && column > at {
            shown.push_str(&format!("\n{:at$}", ""));
            column = at;
        } else if number > 0 {
            shown.push(' ');
            column += 1;
        }
        shown.push_str(word);
        column += wide;
    }
    shown
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_goes_on_below_itself() {
        let rows = || vec![vec!["one".to_owned(), "$9.00".to_owned(), styled(FAINT, "vCPU on Fargate: 1,460 hours at $0.04048")]];
        let shown = |width| terminal::plain(&within(&["resource", "a month", "for"], rows(), width));
        let whole = "RESOURCE  A MONTH  FOR\none       $9.00    vCPU on Fargate: 1,460 hours at $0.04048";
        assert_eq!(shown(None), whole);
        assert_eq!(shown(Some(80)), whole);
        let narrow = "RESOURCE  A MONTH  FOR\none       $9.00    vCPU on Fargate: 1,460\n                   hours at $0.04048";
        assert_eq!(shown(Some(42)), narrow);
        assert_eq!(shown(Some(30)), whole, "there is no room below it");
    }
}
