//! The live display: a screen that scrolls, and below it how fresh it is.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Drawn, Span, Text};
use ratatui::widgets::Paragraph;

use super::age::ago;
use super::screen::{Cell, Line, Screen, Tone, flowed};

/// Lines of a failed refresh that are shown at most.
const FAILURE_LINES: usize = 6;

/// So many intervals after it was read what is shown is old.
const OLD: u64 = 3;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave.
    Leave,
    /// Read everything now.
    Refresh,
}

/// The display.
#[derive(Debug, Default)]
pub struct Watch {
    /// What is shown, once it has been read, and when that was.
    shown: Option<(Screen, Timestamp)>,
    /// Why the last refresh failed, if it did.
    failure: Vec<String>,
    /// Seconds between two refreshes.
    interval: u64,
    /// The first line that is shown, and how far down that can be.
    top: usize,
    last: usize,
    /// How many lines fit.
    page: usize,
}

impl Watch {
    /// A display that is refreshed every so many seconds.
    pub fn new(interval: u64) -> Self {
        Self { interval, ..Self::default() }
    }

    /// Shows what was read.
    pub fn refreshed(&mut self, screen: Screen, at: Timestamp) {
        self.shown = Some((screen, at));
        self.failure.clear();
    }

    /// Says why nothing was read; what was read before stays.
    pub fn failed(&mut self, why: Vec<String>) {
        self.failure = why;
    }

    /// What a key does.
    pub fn key(&mut self, key: KeyEvent) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let page = self.page.max(1);
        self.top = match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Action::Leave),
            KeyCode::Char('q') | KeyCode::Esc => return Some(Action::Leave),
            KeyCode::Char('r') => return Some(Action::Refresh),
            KeyCode::Down | KeyCode::Char('j') => self.top.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.top.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top.saturating_add(page),
            KeyCode::PageUp => self.top.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => self.last,
            _ => self.top,
        }
        .min(self.last);
        None
    }

    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, now: Timestamp) {
        let width = usize::from(frame.area().width);
        let failure = self.failure_lines(width);
        // How far it can be scrolled is known once it is laid out: until then, what it was before.
        let lines_below = flowed(&self.foot(now), Some(width)).len().saturating_add(failure.len());
        let foot = u16::try_from(lines_below).unwrap_or(u16::MAX);
        let [body, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(foot)]).areas(frame.area());
        let lines = match &self.shown {
            Some((screen, _)) => screen.lines(Some(width)),
            None if failure.is_empty() => vec![vec![Cell::new(Tone::Faint, "Asking AWS …")]],
            None => Vec::new(),
        };
        self.page = usize::from(body.height);
        self.last = lines.len().saturating_sub(self.page);
        self.top = self.top.min(self.last);
        frame.render_widget(Paragraph::new(text(lines.into_iter().skip(self.top).take(self.page))), body);
        let foot = flowed(&self.foot(now), Some(width));
        frame.render_widget(Paragraph::new(text(failure.into_iter().chain(foot))), below);
    }

    fn failure_lines(&self, width: usize) -> Vec<Line> {
        let rows = self.failure.iter().map(|line| vec![Cell::new(Tone::Bad, line)]).collect();
        let section = super::screen::Section { title: "The last refresh failed".to_owned(), rows };
        let screen = Screen { title: Vec::new(), sections: vec![section] };
        screen.lines(Some(width)).into_iter().skip(2).take(FAILURE_LINES).collect()
    }

    fn foot(&self, now: Timestamp) -> Line {
        let every = format!("every {} s", self.interval);
        let fresh = match &self.shown {
            None => Cell::new(Tone::Faint, every),
            Some((_, at)) => {
                let age = u64::try_from(now.as_second() - at.as_second()).unwrap_or_default();
                let tone = if age > self.interval.saturating_mul(OLD) { Tone::Warn } else { Tone::Faint };
                Cell::new(tone, format!("read {}, {every}", ago(*at, now)))
            }
        };
        let more = if self.last > 0 { format!("  ↑↓ line {} of {}", self.top + 1, self.last + self.page) } else { String::new() };
        vec![fresh, Cell::new(Tone::Faint, format!("{more}  q leaves, r refreshes"))]
    }
}

fn text(lines: impl Iterator<Item = Line>) -> Text<'static> {
    let span = |cell: Cell| Span::styled(cell.text, style(cell.tone));
    lines.map(|line| Drawn::from(line.into_iter().map(span).collect::<Vec<_>>())).collect()
}

/// A tone's colour, as [`Tone::style`] has it.
fn style(tone: Tone) -> Style {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => bold,
        Tone::Faint => Style::new().fg(Color::DarkGray),
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Warn => bold.fg(Color::Yellow),
        Tone::Bad => bold.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screen::Section;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn screen(rows: usize) -> Screen {
        let row = |number| vec![Cell::new(Tone::Plain, format!("row {number}")), Cell::new(Tone::Bad, "a reason that is quite long")];
        let rows = (1..=rows).map(row).collect();
        Screen { title: vec![Cell::new(Tone::Strong, "shop")], sections: vec![Section { title: "Services".to_owned(), rows }] }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn shown(watch: &mut Watch, width: u16, height: u16, now: i64) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| watch.draw(frame, at(now))).unwrap();
        terminal.backend().to_string()
    }

    fn press(watch: &mut Watch, code: KeyCode) -> Option<Action> {
        watch.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn it_scrolls_no_further_than_there_is_something() {
        let mut watch = Watch::new(5);
        watch.refreshed(screen(6), at(100));
        insta::assert_snapshot!(shown(&mut watch, 42, 6, 103));
        for _ in 0..20 {
            press(&mut watch, KeyCode::Down);
        }
        insta::assert_snapshot!(shown(&mut watch, 42, 6, 103));
        // A longer terminal, and it is all there.
        insta::assert_snapshot!(shown(&mut watch, 42, 12, 103));
        press(&mut watch, KeyCode::Up);
        assert_eq!(watch.top, 0);
    }

    #[test]
    fn a_failed_refresh_is_said_and_what_was_read_stays() {
        let mut watch = Watch::new(5);
        insta::assert_snapshot!(shown(&mut watch, 42, 3, 100));
        watch.refreshed(screen(1), at(100));
        watch.failed(vec!["the security token included in the request is expired".to_owned(), "help: renew it".to_owned()]);
        insta::assert_snapshot!(shown(&mut watch, 42, 10, 190));
        watch.refreshed(screen(1), at(191));
        assert!(!shown(&mut watch, 42, 10, 191).contains("failed"));
        // Nothing is left to show it in, and nothing breaks.
        shown(&mut watch, 1, 1, 191);
    }

    #[test]
    fn keys() {
        let mut watch = Watch::new(5);
        assert_eq!(press(&mut watch, KeyCode::Char('q')), Some(Action::Leave));
        assert_eq!(press(&mut watch, KeyCode::Esc), Some(Action::Leave));
        assert_eq!(watch.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Action::Leave));
        assert_eq!(press(&mut watch, KeyCode::Char('c')), None);
        assert_eq!(press(&mut watch, KeyCode::Char('r')), Some(Action::Refresh));
    }
}
