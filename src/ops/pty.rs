//! A terminal for a program that leoctl runs at the user's terminal, so that what it writes can be read on its way.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// leoctl's end of a terminal.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
}

impl Pty {
    /// A terminal of the size that ours has, and its other end, for the program. What is written there comes out as it
    /// is: our own terminal does to it what is to be done.
    ///
    /// # Errors
    /// When the system has no more of them.
    pub fn open() -> io::Result<(Self, Stdio)> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        fcntl_setfd(&master, FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let flags = i32::try_from(OFlags::NOCTTY.bits()).map_err(io::Error::other)?;
        let slave = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let mut raw = tcgetattr(&slave)?;
        raw.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &raw)?;
        let pty = Self { master };
        pty.resize();
        Ok((pty, slave.into()))
    }

    /// What the program writes, until it has ended.
    ///
    /// # Errors
    /// When there are no more file descriptors.
    pub fn output(&self) -> io::Result<impl Read + Send + 'static> {
        self.master.try_clone().map(|master| Output(File::from(master)))
    }

    /// Makes it as large as our own terminal is now. Where that has no size, neither has this one.
    pub fn resize(&self) {
        if let Ok(size) = tcgetwinsize(stdout()) {
            // The terminal of a program that has just ended cannot be resized, nor need it.
            let _ = tcsetwinsize(&self.master, size);
        }
    }
}

/// The master's end of a terminal.
#[derive(Debug)]
struct Output(File);

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            // As Linux says that nobody has the other end open any more.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            read => read,
        }
    }
}

/// How our terminal takes input, which is put back when this goes, whatever the program has left.
#[derive(Debug)]
pub struct Restored(Option<Termios>);

impl Restored {
    /// As it is now.
    #[expect(clippy::new_without_default, reason = "it is what it finds, not nothing")]
    pub fn new() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that has gone needs nothing back.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}
