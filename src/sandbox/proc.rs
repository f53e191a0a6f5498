//! What Linux says of processes, in `/proc` (proc(5)).

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// The state of a socket that listens, as in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// For how many milliseconds a program that is just being started is waited for.
const BEGINNING: u32 = 1000;

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is not as Linux writes it"))
}

/// A file of a process; none when there is no such process.
fn of(pid: u32, name: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(format!("/proc/{pid}/{name}")) {
        Ok(bytes) => Ok(Some(bytes)),
        // Without `/proc` nothing is known of any process.
        Err(error) if is_gone(&error) && Path::new("/proc/self/stat").exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// When a process began, in ticks of the system's clock; none when it has ended.
pub fn started(pid: u32) -> io::Result<Option<String>> {
    let Some(stat) = of(pid, "stat")? else { return Ok(None) };
    let stat = String::from_utf8_lossy(&stat).into_owned();
    // The second field is the program's name, in which anything may be. The state is the third, the beginning the 22nd.
    let (_, rest) = stat.rsplit_once(')').ok_or_else(|| invalid("stat"))?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    match (fields.first(), fields.get(19)) {
        (Some(&("Z" | "X")), _) => Ok(None),
        (Some(_), Some(ticks)) => Ok(Some((*ticks).to_owned())),
        _ => Err(invalid("stat")),
    }
}

/// Whether the environment of a process has this variable with this value.
pub fn has(pid: u32, variable: &str) -> io::Result<bool> {
    let mut environment = of(pid, "environ")?.unwrap_or_default();
    for _ in 0..BEGINNING {
        if !environment.is_empty() || !is_beginning(pid)? {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
        environment = of(pid, "environ")?.unwrap_or_default();
    }
    Ok(environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes()))
}

/// Whether a program is just being started: for a moment it has neither arguments nor an environment.
fn is_beginning(pid: u32) -> io::Result<bool> {
    Ok(of(pid, "cmdline")?.is_some_and(|arguments| arguments.is_empty()) && started(pid)?.is_some())
}

/// The process whose environment has this variable with this value.
pub fn having(variable: &str) -> io::Result<Option<u32>> {
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // The kernel's own threads have no program, and never get one.
        if fs::read_link(format!("/proc/{pid}/exe")).is_err() {
            continue;
        }
        // Other people's environments cannot be read: ours is not among them.
        if has(pid, variable).unwrap_or(false) && started(pid)?.is_some() {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// Whether a process listens on a TCP port.
pub fn listens(pid: u32, port: u16) -> io::Result<bool> {
    let Some(table) = of(pid, "net/tcp")? else { return Ok(false) };
    let table = String::from_utf8_lossy(&table).into_owned();
    let port = format!(":{port:04X}");
    let sockets: Vec<String> = table
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.get(1).is_some_and(|local| local.ends_with(&port)) && fields.get(3) == Some(&LISTENS))
        .filter_map(|fields| fields.get(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    let open = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Err(error) if is_gone(&error) => return Ok(false),
        open => open?,
    };
    let mut links = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(links.any(|link| link.to_str().is_some_and(|link| sockets.iter().any(|socket| socket == link))))
}

/// Holds on to whatever process has this number now, where the kernel can.
pub fn hold(pid: Pid) -> Option<OwnedFd> {
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Sends a signal to the process that is held.
pub fn send(held: Option<OwnedFd>, pid: Pid, signal: Signal) -> Result<(), Errno> {
    match held {
        Some(held) => pidfd_send_signal(held, signal),
        None => kill_process(pid, signal),
    }
}
