//! A terminal with a person at it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// What has been written to a terminal, and that there is more.
type Screen = Arc<(Mutex<Vec<u8>>, Condvar)>;

/// What a program asks that wants to know where the cursor is, and what it is told: always at the top.
const QUESTION: &[u8] = b"\x1b[6n";
const PLACE: &[u8] = b"\x1b[1;1R";

/// How often it was asked where the cursor is.
fn questions(shown: &[u8]) -> usize {
    shown.windows(QUESTION.len()).filter(|part| *part == QUESTION).count()
}

/// A terminal.
pub struct Terminal {
    keyboard: File,
    program: File,
    screen: Screen,
    reading: JoinHandle<()>,
}

impl Terminal {
    /// A terminal of this size.
    pub fn new(rows: u16, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let program = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let keyboard = File::from(master);
        let screen = Screen::default();
        let reading = std::thread::spawn({
            let (mut master, screen) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
            move || {
                let mut buffer = [0; 4096];
                // An error says that no program has the terminal open any more.
                while let Ok(read @ 1..) = master.read(&mut buffer) {
                    let mut shown = screen.0.lock().unwrap();
                    let asked = questions(&shown);
                    shown.extend_from_slice(&buffer[..read]);
                    for _ in asked..questions(&shown) {
                        master.write_all(PLACE).unwrap();
                    }
                    drop(shown);
                    screen.1.notify_all();
                }
            }
        });
        let terminal = Self { keyboard, program, screen, reading };
        terminal.resize(rows, columns);
        terminal
    }

    /// Makes it larger or smaller.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keyboard, size).unwrap();
    }

    /// The terminal as a program has it.
    pub fn stdio(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// Types something.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until this is shown.
    pub fn shows(&self, text: &str) {
        let mut shown = self.screen.0.lock().unwrap();
        while !String::from_utf8_lossy(&shown).contains(text) {
            let (more, timeout) = self.screen.1.wait_timeout(shown, std::time::Duration::from_secs(60)).unwrap();
            assert!(!timeout.timed_out(), "never shown: {text}; {}", String::from_utf8_lossy(&more));
            shown = more;
        }
    }

    /// Waits until `next` is shown behind where `text` is shown last.
    pub fn shows_behind(&self, text: &str, next: &str) {
        let mut shown = self.screen.0.lock().unwrap();
        let is_there = |shown: &[u8]| {
            let shown = String::from_utf8_lossy(shown);
            shown.rfind(text).is_some_and(|at| shown[at + text.len()..].contains(next))
        };
        while !is_there(&shown) {
            let (more, timeout) = self.screen.1.wait_timeout(shown, std::time::Duration::from_secs(60)).unwrap();
            assert!(!timeout.timed_out(), "never shown behind {text}: {next}; {}", String::from_utf8_lossy(&more));
            shown = more;
        }
    }

    /// Whether it is as a shell leaves it: keys are shown, and read line by line.
    pub fn is_usual(&self) -> bool {
        tcgetattr(&self.program).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ECHOCTL | LocalModes::ICANON)
    }

    /// All that was shown, after the programs have ended.
    pub fn all(self) -> String {
        let Self { program, screen, reading, .. } = self;
        drop(program);
        reading.join().unwrap();
        let shown = screen.0.lock().unwrap();
        String::from_utf8(shown.clone()).unwrap()
    }
}
