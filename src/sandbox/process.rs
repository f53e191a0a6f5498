//! Which process is the sandbox's. A number alone says nothing: the system gives it to others. Ours has the token in
//! its environment and has begun when we saw it begin.

use std::io;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use super::SandboxError;
#[cfg(target_os = "linux")]
use super::proc as system;
#[cfg(not(target_os = "linux"))]
use super::ps as system;

/// The variable in the environment of the sandbox's process.
pub const TOKEN: &str = "LEOCTL_SANDBOX_TOKEN";

/// A process as it was seen, which no other process can be taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it began, as the system says it.
    pub started: String,
    /// What only its environment has.
    pub token: String,
}

impl Process {
    /// The process with this number, which has just been started with the token; none when it has ended already.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn seen(pid: u32, token: &str) -> Result<Option<Self>, SandboxError> {
        let started = system::started(pid).map_err(|error| untold(pid, &error))?;
        Ok(started.map(|started| Self { pid, started, token: token.to_owned() }))
    }

    /// The process with this token, whatever its number.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn with(token: &str) -> Result<Option<Self>, SandboxError> {
        let found = system::having(&variable(token)).map_err(|error| {
            SandboxError::new(format!("cannot look whether the sandbox runs: {error}")).help("see whether its emulators run, and stop them")
        })?;
        found.map_or(Ok(None), |pid| Self::seen(pid, token))
    }

    /// Whether it is still there, and no other.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn runs(&self) -> Result<bool, SandboxError> {
        let told = |error: &_| untold(self.pid, error);
        if system::started(self.pid).map_err(|error| told(&error))?.as_ref() != Some(&self.started) {
            return Ok(false);
        }
        match system::has(self.pid, &variable(&self.token)) {
            Ok(has) => Ok(has),
            // It may have ended in between.
            Err(_) if system::started(self.pid).map_err(|error| told(&error))?.as_ref() != Some(&self.started) => Ok(false),
            Err(error) => Err(told(&error)),
        }
    }

    /// Whether it is the one that listens on a port.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn listens(&self, port: u16) -> Result<bool, SandboxError> {
        Ok(self.runs()? && system::listens(self.pid, port).map_err(|error| untold(self.pid, &error))?)
    }

    /// Sends it a signal; whether it was there to get it. No other process ever does.
    ///
    /// # Errors
    /// When the system does not tell which process it is, or refuses.
    pub fn signal(&self, signal: Signal) -> Result<bool, SandboxError> {
        let failed = |error: io::Error| SandboxError::new(format!("cannot stop process {}: {error}", self.pid));
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        // Held before it is looked at: the number cannot change hands in between.
        let held = system::hold(pid);
        if !self.runs()? {
            return Ok(false);
        }
        match system::send(held, pid, signal) {
            Err(error) if error == rustix::io::Errno::SRCH => Ok(false),
            sent => sent.map(|()| true).map_err(|error| failed(error.into())),
        }
    }
}

fn variable(token: &str) -> String {
    format!("{TOKEN}={token}")
}

fn untold(pid: u32, error: &io::Error) -> SandboxError {
    let message = format!("cannot tell whether process {pid} is the sandbox's, so leoctl leaves it alone: {error}");
    SandboxError::new(message).help("see what it is; if it is `emulators.py`, stop it yourself")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::process::{Child, Command, Stdio};

    /// A program that runs until its input ends.
    fn waiting(token: Option<&str>) -> Child {
        let mut command = Command::new("cat");
        if let Some(token) = token {
            command.env(TOKEN, token);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn end(mut child: Child) {
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn ours_is_known_by_its_token_and_its_beginning_and_nothing_else_is_signalled() {
        let (ours, other) = (waiting(Some("a")), waiting(None));
        let seen = Process::seen(ours.id(), "a").unwrap().unwrap();
        assert!(seen.runs().unwrap());
        // A reused number: another's beginning, another's token, another process under it.
        let late = Process { started: format!("{}0", seen.started), ..seen.clone() };
        let foreign = Process { token: "b".to_owned(), ..seen.clone() };
        let reused = Process { token: "a".to_owned(), ..Process::seen(other.id(), "x").unwrap().unwrap() };
        for wrong in [late, foreign, reused] {
            assert!(!wrong.runs().unwrap() && !wrong.signal(Signal::KILL).unwrap(), "{wrong:?}");
        }
        assert!(seen.runs().unwrap());
        end(other);
        end(ours);
        assert!(!seen.runs().unwrap() && !seen.signal(Signal::KILL).unwrap());
    }

    #[test]
    fn a_process_is_found_by_its_token() {
        let token = uuid::Uuid::new_v4().to_string();
        assert_eq!(Process::with(&token).unwrap(), None);
        let ours = waiting(Some(&token));
        let found = Process::with(&token).unwrap().unwrap();
        assert_eq!(found, Process::seen(ours.id(), &token).unwrap().unwrap());
        end(ours);
        assert_eq!(Process::with(&token).unwrap(), None);
    }

    #[test]
    fn who_listens_on_a_port_is_told_from_who_does_not() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = port.local_addr().unwrap().port();
        let me = std::process::id();
        assert!(system::listens(me, number).unwrap());
        let other = waiting(None);
        assert!(!system::listens(other.id(), number).unwrap());
        end(other);
        drop(port);
        assert!(!system::listens(me, number).unwrap());
    }

    #[test]
    fn a_process_that_has_ended_and_was_not_waited_for_does_not_run() {
        let mut ours = waiting(Some("z"));
        let seen = Process::seen(ours.id(), "z").unwrap().unwrap();
        assert!(seen.signal(Signal::KILL).unwrap());
        while seen.runs().unwrap() {
            std::thread::yield_now();
        }
        ours.wait().unwrap();
    }
}
