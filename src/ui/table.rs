//! Tables for people: columns by their width, no lines around them.

use comfy_table::{ContentArrangement, Table, presets};

use super::{FAINT, styled};

/// A table with a head; cells may be styled.
pub fn render(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.iter().map(|title| styled(FAINT, title.to_uppercase())));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
