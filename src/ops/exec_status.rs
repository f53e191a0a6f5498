//! How a command ended that was run in a container.
//!
//! Neither ECS nor the plugin of Session Manager says so: sessions have no exit status. So the command is run by a shell
//! that prints a line before it and one after it, with its status; both are taken out of what is shown.
//!
//! At a terminal, keys such as Ctrl-C reach every program there: the shell lives on to say how the command took them.

use std::io::{self, Read};

/// Begins the mark at the end: a character that no terminal shows and hardly a program writes. Only after it is output held
/// back, so that every key that is typed is seen at once.
const SEPARATOR: char = '\u{1e}';

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The command has this status.
    With(u8),
    /// The session broke off, and the command's end was not seen.
    Unseen,
    /// The session ended before the command began.
    NeverBegan,
}

/// The marks of one session, which the output of no command has by chance.
#[derive(Clone, Debug)]
pub struct Marks {
    begin: String,
    end: String,
}

impl Marks {
    /// Marks that are told apart from all others by this text, of letters and digits.
    pub fn new(unique: &str) -> Self {
        Self { begin: format!("leoctl-begin-{unique}"), end: format!("{SEPARATOR}leoctl-end-{unique}-") }
    }

    /// The command line that runs `line` between the marks. It needs `/bin/sh` and `printf` in the container.
    ///
    /// The command runs in a shell within the shell: what is a word of shells (`exit 3`) ends that one alone. The trap
    /// keeps the outer one, and is not handed down.
    pub fn around(&self, line: &str) -> String {
        let begin = &self.begin;
        let end = self.end.trim_start_matches(SEPARATOR);
        format!("/bin/sh -c 'trap : INT QUIT; printf \"%s\\n\" {begin}; (\"$@\"); printf \"\\036%s%s\\n\" {end} \"$?\"' leoctl {line}")
    }

    /// Passes on what is between the marks as it comes; how it ended. A session that never
    /// shows the first mark is passed on whole: it says why.
    ///
    /// # Errors
    /// When reading or passing on fails.
    pub fn filter(&self, from: &mut impl Read, pass: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Ended> {
        let mut kept = Vec::new();
        let mut begun = false;
        let mut buffer = [0; 8192];
        loop {
            let read = from.read(&mut buffer)?;
            kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if !begun && let Some(at) = find(&kept, self.begin.as_bytes()) {
                // With the end of its line, which a terminal writes as two characters.
                let rest = kept.split_off(at + self.begin.len());
                let line = find(&rest, b"\n").map_or(0, |end| end + 1);
                if line > 0 || read == 0 {
                    (kept, begun) = (rest.get(line..).unwrap_or_default().to_vec(), true);
                } else {
                    kept = [self.begin.as_bytes(), &rest].concat();
                }
            }
            if begun && let Some(at) = find(&kept, self.end.as_bytes()) {
                pass(kept.get(..at).unwrap_or_default())?;
                let mut tail = kept.split_off(at + self.end.len());
                // Only the session's own words follow.
                from.read_to_end(&mut tail)?;
                return Ok(status(&tail).map_or(Ended::Unseen, Ended::With));
            }
            if read == 0 {
                pass(&kept)?;
                return Ok(if begun { Ended::Unseen } else { Ended::NeverBegan });
            }
            if begun {
                // What may be the beginning of the mark waits for the rest of it.
                let ready = kept.len() - held_back(&kept, self.end.as_bytes());
                pass(kept.get(..ready).unwrap_or_default())?;
                kept.drain(..ready);
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// How many bytes at the end of a text may be the beginning of a mark.
fn held_back(text: &[u8], mark: &[u8]) -> usize {
    (1..mark.len().min(text.len() + 1)).rev().find(|length| text.ends_with(mark.get(..*length).unwrap_or_default())).unwrap_or(0)
}

fn status(tail: &[u8]) -> Option<u8> {
    let digits: String = tail.iter().map(|byte| char::from(*byte)).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// A session's output, in pieces of this many bytes.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = rest;
            Ok(length)
        }
    }

    fn filtered(session: &[u8], piece: usize) -> (String, Ended) {
        let mut shown = Vec::new();
        let status = Marks::new("x1").filter(&mut Pieces(session, piece), &mut |bytes| {
            shown.extend_from_slice(bytes);
            Ok(())
        });
        (String::from_utf8(shown).unwrap(), status.unwrap())
    }

    #[test]
    fn only_what_the_command_wrote_is_passed_on_however_it_comes() {
        let session =
            b"Starting session with SessionId: s\r\nleoctl-begin-x1\r\na \x1eleoctl-end-x\r\nb\x1eleoctl-end-x1-17\r\n\r\nExiting session\r\n";
        for piece in 1..=session.len() {
            assert_eq!(filtered(session, piece), ("a \u{1e}leoctl-end-x\r\nb".to_owned(), Ended::With(17)), "in pieces of {piece}");
        }
    }

    #[test]
    fn a_session_without_marks_is_passed_on_whole() {
        let said = "Starting session\nexec: \"/bin/sh\": no such file\n";
        assert_eq!(filtered(said.as_bytes(), 7), (said.to_owned(), Ended::NeverBegan));
        // It broke off in the middle of the command.
        assert_eq!(filtered(b"leoctl-begin-x1\nhalf", 3), ("half".to_owned(), Ended::Unseen));
        assert_eq!(filtered(b"leoctl-begin-x1\n\x1eleoctl-end-x1-", 3), (String::new(), Ended::Unseen));
        assert_eq!(filtered(b"", 3), (String::new(), Ended::NeverBegan));
    }

    #[test]
    fn a_shell_runs_the_words_as_they_were_given_and_says_how_they_ended() {
        for (line, shown, status) in [
            ("printf '%s|' a 'b c' '$HOME' \"it's\"", "a|b c|$HOME|it's|", 0),
            ("sh -c 'echo out; exit 41'", "out\n", 41),
            ("false", "", 1),
            ("exit 3", "", 3),
        ] {
            let around = Marks::new("x1").around(line);
            let output = Command::new("sh").args(["-c", &around]).stdin(Stdio::null()).output().unwrap();
            assert_eq!(filtered(&output.stdout, 5), (shown.to_owned(), Ended::With(status)), "{line}");
        }
    }

    /// As a terminal does when Ctrl-C is typed. What started the tests may ignore that signal, and a shell that inherits this
    /// cannot change it; `env` of GNU can.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_command_that_is_interrupted_with_all_around_it_has_a_status() {
        use std::os::unix::process::CommandExt;
        let around = Marks::new("x1").around("sh -c 'echo out; kill -INT 0; sleep 100'");
        let output =
            Command::new("env").args(["--default-signal=INT", "sh", "-c", &around]).stdin(Stdio::null()).process_group(0).output().unwrap();
        assert_eq!(filtered(&output.stdout, 5), ("out\n".to_owned(), Ended::With(130)));
    }
}
