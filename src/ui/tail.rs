//! Lines of logs, told apart by the colour of where they are from.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use super::{FAINT, one_line, styled};

/// Colours that are read well on dark and light.
const COLOURS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::BrightRed];

/// Gives each source of lines a colour of its own, in order of appearance.
#[derive(Debug, Default)]
pub struct Painter(BTreeMap<String, Style>);

impl Painter {
    /// A message with its time and source in front of each of its lines.
    pub fn lines(&mut self, time: &str, source: &str, message: &str) -> String {
        let number = self.0.len();
        let colour = || COLOURS.get(number % COLOURS.len()).map_or(FAINT, |colour| colour.on_default());
        let style = *self.0.entry(source.to_owned()).or_insert_with(colour);
        let front = format!("{} {}", styled(FAINT, time), styled(style, one_line(source)));
        let lines: Vec<String> = message.trim_end().split('\n').map(|line| format!("{front} {}", line.trim_end_matches('\r'))).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_where_it_is_from_in_one_colour() {
        let mut painter = Painter::default();
        let two = painter.lines("12:00", "web/1", "a\r\nb\n");
        assert_eq!(anstream::adapter::strip_str(&two).to_string(), "12:00 web/1 a\n12:00 web/1 b");
        let other = painter.lines("12:00", "web/2", "c");
        let again = painter.lines("12:00", "web/1", "d");
        let colour = |text: &str| text.split("web/").next().map(str::to_owned);
        assert_ne!(colour(&two), colour(&other));
        assert_eq!(colour(&two), colour(&again));
    }
}
