//! A line that somebody types at the terminal, with completion and what was typed before.

use std::borrow::Cow;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reedline::{
    ColumnarMenu, Completer, CompletionResult, Emacs, FileBackedHistory, Highlighter, History, HistoryItem, KeyCode, KeyModifiers,
    MenuBuilder, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span, StyledText, Suggestion,
    default_emacs_keybindings,
};

use super::terminal;

/// What the menu of completions is called among the keys.
const MENU: &str = "names";

/// What completes a line.
pub trait Complete: Send + Sync {
    /// Where what is completed begins in the line, and what can stand there.
    fn complete(&self, line: &str) -> (usize, Vec<String>);
}

/// What came of waiting for a line.
pub enum Line {
    /// It was typed.
    Typed(String),
    /// It was given up, with Ctrl-C.
    GivenUp,
}

/// A prompt at the terminal.
pub struct Prompt {
    editor: Reedline,
    reading: Arc<Reading>,
}

/// Whether a line is being read, which changes how the terminal takes keys, and whether one may still be.
#[derive(Default)]
struct Reading {
    /// Held while a line is read.
    now: Mutex<()>,
    is_over: AtomicBool,
    /// Asks the reader to give up the line that is being read. The reader resets it.
    give_up: Arc<AtomicBool>,
}

impl Prompt {
    /// A prompt that knows what was typed before, the oldest first, and at most so many lines. It writes to no file.
    ///
    /// # Errors
    /// When there is no memory of lines.
    pub fn new(before: &[String], most: usize, names: Arc<dyn Complete>) -> io::Result<Self> {
        let mut history = FileBackedHistory::new(most)?;
        for line in before {
            history.save(HistoryItem::from_command_line(line))?;
        }
        let menu = ColumnarMenu::default().with_name(MENU).with_marker("");
        let reading = Arc::new(Reading::default());
        let editor = Reedline::create()
            .with_break_signal(Arc::clone(&reading.give_up))
            .with_history(Box::new(history))
            .with_history_exclusion_prefix(Some(" ".to_owned()))
            .with_completer(Box::new(Names(names)))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(keys()))
            .with_highlighter(Box::new(AsTyped))
            .with_ansi_colors(terminal::stderr_has_colours());
        Ok(Self { editor, reading })
    }

    /// What ends the reading of lines, on whatever thread that is, when it goes.
    pub fn end(&self) -> End {
        End(Arc::clone(&self.reading))
    }

    /// The next line; none when there are no more.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Line>> {
        let _now = self.reading.now.lock().unwrap_or_else(PoisonError::into_inner);
        if self.reading.is_over.load(Ordering::SeqCst) {
            return Ok(None);
        }
        Ok(match self.editor.read_line(&Mark)? {
            Signal::Success(line) => Some(Line::Typed(line)),
            Signal::CtrlD | Signal::ExternalBreak(_) => None,
            _ => Some(Line::GivenUp),
        })
    }
}

/// The keys: those of Emacs, as shells have them, of one line.
fn keys() -> Emacs {
    let mut keys = default_emacs_keybindings();
    let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    for (modifier, key) in
        [(KeyModifiers::ALT, KeyCode::Enter), (KeyModifiers::SHIFT, KeyCode::Enter), (KeyModifiers::CONTROL, KeyCode::Char('o'))]
    {
        keys.remove_binding(modifier, key);
    }
    Emacs::new(keys)
}

/// The end of a prompt: when it goes, the terminal is as it was before, and no line is read any more.
pub struct End(Arc<Reading>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.give_up.store(true, Ordering::SeqCst);
        // Who is reading a line sets the terminal back, and lets go then.
        drop(self.0.now.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What completes, as the editor of lines has it.
struct Names(Arc<dyn Complete>);

impl Completer for Names {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let (start, names) = self.0.complete(line.get(..at).unwrap_or(line));
        let span = Span { start, end: at.max(start) };
        CompletionResult::fresh(names.into_iter().map(|value| Suggestion { value, span, ..Suggestion::default() }).collect::<Vec<_>>())
    }
}

/// A line in no colours.
struct AsTyped;

impl Highlighter for AsTyped {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut text = StyledText::new();
        text.push((Default::default(), line.to_owned()));
        text
    }
}

/// What stands before what is typed.
struct Mark;

impl reedline::Prompt for Mark {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(typed before: {}) ", terminal::one_line(&search.term)))
    }
}
