//! A local AWS to try anything on: MiniStack and Moto in a virtual environment of leoctl's own, on loopback only, one for
//! each project. Each service is answered by the emulator that knows it best.
//!
//! A sandbox is a folder that is its owner's alone, with the emulators' data, a lock that is held over every change, and
//! a record of the process. The record is written before the process is started and again once it has a number, so that
//! there is no process without one. A process is the sandbox's when it has the record's token in its environment and
//! began when the record says; nothing else is ever taken for it, used or signalled.

mod emulator;
mod folder;
mod install;
#[cfg(target_os = "linux")]
mod proc;
mod process;
#[cfg(any(not(target_os = "linux"), test))]
mod ps;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk;
pub use emulator::MOTO;
use emulator::Ports;
use install::Installed;
use process::Process;

/// How long the emulators may take until they answer.
const START: Duration = Duration::from_secs(60);
/// How long they may take to write their data down and end.
const STOP: Duration = Duration::from_secs(30);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Why the sandbox could not do it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SandboxError {
    /// What failed.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl SandboxError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// What is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Another leoctl has the sandbox.
    Lock,
    /// The virtual environment is made.
    Python,
    /// The emulators are installed into it.
    Pip,
    /// The emulators come up again after they were killed: with what they last saved, which may be less than there was.
    Again,
    /// The emulators come up.
    Emulator,
    /// The emulators end.
    End,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lock => "another leoctl that starts or stops the sandbox",
            Self::Python => "python3 -m venv",
            Self::Pip => "pip",
            Self::Again | Self::Emulator => "the emulators, until they answer",
            Self::End => "the emulators, until they have written their data down",
        })
    }
}

/// A project's sandbox, under the user's cache folder.
#[derive(Debug)]
pub struct Sandbox {
    base: PathBuf,
    folder: PathBuf,
}

/// A running sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    ports: Ports,
}

impl Running {
    /// Where AWS clients reach it.
    pub fn endpoint(&self) -> String {
        local(self.ports.ministack)
    }

    /// Where they reach the services that are answered elsewhere, by the names that SDKs have for services.
    pub fn endpoints(&self) -> BTreeMap<String, String> {
        emulator::MOTO.iter().map(|service| ((*service).to_owned(), local(self.ports.moto))).collect()
    }
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// How a sandbox is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Runs(Running),
    /// Its process is there, and does not answer yet.
    Starts(u32),
    /// It does not run.
    Stopped,
}

/// What is remembered of the emulators' process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// What only its environment has.
    token: String,
    /// Where it listens; nowhere that is known, where the record is of a time when there was one emulator.
    #[serde(default)]
    ports: Ports,
    /// The process; not known yet while it is being started.
    process: Option<Process>,
}

impl Sandbox {
    /// The sandbox of the project in a folder; `LEOCTL_SANDBOX_DIR` puts those of all projects somewhere else.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn of(project: &Path) -> Result<Self, SandboxError> {
        let base: PathBuf = match std::env::var_os("LEOCTL_SANDBOX_DIR") {
            Some(folder) => folder.into(),
            None => directories::ProjectDirs::from("", "", "leoctl")
                .ok_or_else(|| SandboxError::new("there is no home folder to keep the sandbox in").help("set LEOCTL_SANDBOX_DIR"))?
                .cache_dir()
                .join("sandbox"),
        };
        // What runs there has another current folder than leoctl.
        let base = std::path::absolute(&base).unwrap_or(base);
        let folder = base.join(name_of(project));
        Ok(Self { base, folder })
    }

    /// How it is doing.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn status(&self) -> Result<Status, SandboxError> {
        if !self.folder.exists() {
            return Ok(Status::Stopped);
        }
        self.own()?;
        let Some((record, process)) = self.process()? else { return Ok(Status::Stopped) };
        Ok(up(&process, record.ports)?.map_or(Status::Starts(process.pid), Status::Runs))
    }

    /// Starts it unless it runs; `stage` hears what is waited for. What a leoctl that was killed while it did this has
    /// started is taken over.
    ///
    /// # Errors
    /// When Python or the package cannot be had, or the emulators do not come up.
    pub fn start(&self, stage: &dyn Fn(Stage)) -> Result<Running, SandboxError> {
        let _lock = self.lock(stage)?;
        if let Some((record, process)) = self.process()? {
            self.remember(&Record { process: Some(process.clone()), ..record.clone() })?;
            if let Some(running) = come_up(&process, record.ports, stage)? {
                return Ok(running);
            }
            self.end(&process, Signal::KILL, stage)?;
        }
        if self.was_killed()? {
            stage(Stage::Again);
        }
        let installed = Installed::new(&self.base);
        installed.ensure(stage)?;
        let (data, log) = (self.file("data"), self.file("emulators.log"));
        folder::own(&data)?;
        let mut record = Record { token: uuid::Uuid::new_v4().to_string(), ports: Ports::free()?, process: None };
        self.remember(&record)?;
        let mut child = emulator::start(&installed.program("python"), record.ports, &record.token, &data, &log)?;
        record.process = Process::seen(child.id(), &record.token)?;
        self.remember(&record)?;
        let Some(process) = record.process else { return Err(emulator::not_up(&log)) };
        if let Some(running) = come_up(&process, record.ports, stage)? {
            return Ok(running);
        }
        self.end(&process, Signal::KILL, stage)?;
        // It is a child of this process, and has ended.
        drop(child.wait());
        Err(emulator::not_up(&log))
    }

    /// Stops it; whether it ran. Its data stays.
    ///
    /// # Errors
    /// When it does not go, or it cannot be told which process it is.
    pub fn stop(&self, stage: &dyn Fn(Stage)) -> Result<bool, SandboxError> {
        if !self.folder.exists() {
            return Ok(false);
        }
        let _lock = self.lock(stage)?;
        match self.process()? {
            Some((_, process)) => self.end(&process, Signal::TERM, stage).map(|()| true),
            None => self.forget().map(|()| false),
        }
    }

    /// Forgets everything in it.
    ///
    /// # Errors
    /// When its data cannot be removed.
    pub fn reset(&self, stage: &dyn Fn(Stage)) -> Result<(), SandboxError> {
        let _lock = self.lock(stage)?;
        if let Some((record, process)) = self.process()? {
            return match come_up(&process, record.ports, stage)? {
                Some(running) => {
                    emulator::reset(running.ports)?;
                    // What was in it before it was started is not to come back.
                    removed(fs::remove_file(self.file("data").join(emulator::MOTO_DATA)), &self.file("data"))
                }
                None => Err(SandboxError::new("the emulators do not answer").help("`leoctl sandbox stop` ends it; then reset it")),
            };
        }
        let data = self.file("data");
        removed(fs::remove_dir_all(&data), &data)
    }

    /// Stops it and removes all that is its own; what is installed for all sandboxes stays.
    ///
    /// # Errors
    /// As [`stop`](Self::stop), and when its folder cannot be removed.
    pub fn remove(&self, stage: &dyn Fn(Stage)) -> Result<(), SandboxError> {
        self.stop(stage)?;
        removed(fs::remove_dir_all(&self.folder), &self.folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the folders ours alone.
    fn own(&self) -> Result<(), SandboxError> {
        folder::own_base(&self.base, Installed::new(&self.base).has_begun())?;
        folder::own(&self.folder)
    }

    /// Keeps every other leoctl from changing this sandbox.
    fn lock(&self, stage: &dyn Fn(Stage)) -> Result<File, SandboxError> {
        self.own()?;
        folder::lock(&self.file("lock"), || stage(Stage::Lock))
    }

    /// Whether a process is remembered that nobody has stopped; it is not there any more.
    fn was_killed(&self) -> Result<bool, SandboxError> {
        let Some(text) = folder::read(&self.file("running.json"))? else { return Ok(false) };
        // One that never came up has no process.
        Ok(serde_json::from_str::<Record>(&text).is_ok_and(|record| record.process.is_some()))
    }

    /// What is remembered, with the process, if it is there and ours.
    fn process(&self) -> Result<Option<(Record, Process)>, SandboxError> {
        let path = self.file("running.json");
        let Some(text) = folder::read(&path)? else { return Ok(None) };
        let record: Record = serde_json::from_str(&text).map_err(|error| {
            SandboxError::new(format!("{} does not say which process is the sandbox's: {error}", path.display()))
                .help("see whether such a process runs and stop it, then remove the file")
        })?;
        let process = match &record.process {
            Some(process) => Some(process.clone()),
            None => Process::with(&record.token)?,
        };
        match process {
            Some(process) if process.runs()? => Ok(Some((record, process))),
            _ => Ok(None),
        }
    }

    fn remember(&self, record: &Record) -> Result<(), SandboxError> {
        let text = serde_json::to_string(record).map_err(|error| SandboxError::new(error.to_string()))?;
        disk::replace(&self.file("running.json"), &text).map_err(|failed| SandboxError::new(failed.to_string()))
    }

    fn forget(&self) -> Result<(), SandboxError> {
        let path = self.file("running.json");
        removed(fs::remove_file(&path), &path)
    }

    /// Ends the process, waits until it has gone, and forgets it.
    fn end(&self, process: &Process, signal: Signal, stage: &dyn Fn(Stage)) -> Result<(), SandboxError> {
        process.signal(signal)?;
        stage(Stage::End);
        let began = Instant::now();
        while process.runs()? {
            if began.elapsed() > STOP {
                let help = format!("see {}, and stop it yourself", self.file("emulators.log").display());
                return Err(SandboxError::new(format!("process {} does not stop", process.pid)).help(help));
            }
            std::thread::sleep(LOOK);
        }
        self.forget()
    }
}

/// What came of removing something, which may be gone already.
fn removed(outcome: io::Result<()>, path: &Path) -> Result<(), SandboxError> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SandboxError::new(format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// The process as a running sandbox, once it is it that answers on its ports.
fn up(process: &Process, ports: Ports) -> Result<Option<Running>, SandboxError> {
    for port in ports.all() {
        if !process.listens(port)? {
            return Ok(None);
        }
    }
    Ok(emulator::answer(ports).then_some(Running { pid: process.pid, ports }))
}

/// Waits for the process to answer; none when it has ended, or takes too long.
fn come_up(process: &Process, ports: Ports, stage: &dyn Fn(Stage)) -> Result<Option<Running>, SandboxError> {
    stage(Stage::Emulator);
    let began = Instant::now();
    loop {
        if let Some(running) = up(process, ports)? {
            return Ok(Some(running));
        }
        if ports == Ports::default() || !process.runs()? || began.elapsed() > START {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// What the folder of a project's sandbox is called: readable, and another for each path.
fn name_of(project: &Path) -> String {
    let hash = Sha256::digest(project.as_os_str().as_encoded_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = project.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(32).collect();
    format!("{name}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_of_one_name_have_sandboxes_of_their_own() {
        let (one, two) = (name_of(Path::new("/a/shop")), name_of(Path::new("/b/shop")));
        assert!(one.starts_with("shop-") && two.starts_with("shop-") && one != two, "{one} {two}");
        assert_eq!(one, name_of(Path::new("/a/shop")));
        assert!(!name_of(Path::new("/a/../x\u{1b}y")).contains(['/', '\u{1b}', '.']));
    }
}
