//! What systems without Linux's `/proc` say of processes, by the programs they have for that: ps(1) and lsof(8).

#![cfg_attr(target_os = "linux", expect(dead_code, reason = "compiled here for its tests alone"))]

use std::io;
use std::process::{Command, Output};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// How ps is asked to show environments after the commands.
const WITH_ENVIRONMENT: &str = if cfg!(target_os = "macos") { "-Eww" } else { "eww" };
/// What is asked for: number, state, beginning in five words, command.
const COLUMNS: &str = "pid=,stat=,lstart=,command=";

/// A line of the answer.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    pid: u32,
    started: String,
    words: Vec<&'a str>,
}

fn ps(which: &[&str]) -> io::Result<String> {
    let asked = Command::new("ps").args([WITH_ENVIRONMENT, "-o", COLUMNS]).args(which).env("LC_ALL", "C").env("TZ", "UTC").output()?;
    let Output { stdout, stderr, .. } = asked;
    // Its exit code is 1 both when there is no such process and when it failed, which only then it says.
    match stdout.is_empty() && !stderr.is_empty() {
        true => Err(io::Error::other(format!("ps: {}", String::from_utf8_lossy(&stderr).trim()))),
        false => Ok(String::from_utf8_lossy(&stdout).into_owned()),
    }
}

/// The processes of an answer, without those that have ended.
fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines().filter_map(parsed).collect()
}

fn parsed(line: &str) -> Option<Row<'_>> {
    let mut words = line.split_ascii_whitespace();
    let pid = words.next()?.parse().ok()?;
    let state = words.next()?;
    let started: Vec<&str> = words.by_ref().take(5).collect();
    (!state.starts_with('Z') && started.len() == 5).then(|| Row { pid, started: started.join(" "), words: words.collect() })
}

/// When a process began; none when it has ended.
pub fn started(pid: u32) -> io::Result<Option<String>> {
    let text = ps(&["-p", &pid.to_string()])?;
    Ok(rows(&text).into_iter().find(|row| row.pid == pid).map(|row| row.started))
}

/// Whether the environment of a process has this variable with this value.
pub fn has(pid: u32, variable: &str) -> io::Result<bool> {
    let text = ps(&["-p", &pid.to_string()])?;
    Ok(rows(&text).iter().any(|row| row.pid == pid && row.words.contains(&variable)))
}

/// The process whose environment has this variable with this value.
pub fn having(variable: &str) -> io::Result<Option<u32>> {
    let text = ps(&["-x"])?;
    Ok(rows(&text).iter().find(|row| row.words.contains(&variable)).map(|row| row.pid))
}

/// Whether a process listens on a TCP port.
pub fn listens(pid: u32, port: u16) -> io::Result<bool> {
    let (pid, port) = (pid.to_string(), format!("-iTCP:{port}"));
    let asked = Command::new("lsof").args(["-nP", "-a", "-t", "-p", &pid, &port, "-sTCP:LISTEN"]).output()?;
    Ok(String::from_utf8_lossy(&asked.stdout).split_ascii_whitespace().any(|word| word == pid))
}

/// That nothing holds on to a process here.
#[derive(Debug)]
pub struct Unheld;

/// Holds on to whatever process has this number now, where the kernel can.
pub fn hold(_: Pid) -> Unheld {
    Unheld
}

/// Sends a signal.
pub fn send(_: Unheld, pid: Pid, signal: Signal) -> Result<(), Errno> {
    kill_process(pid, signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_with_its_beginning_and_its_environment() {
        let text = "  501 Z    Fri Nov 27 06:41:28 2026 (python3)\n\
                    40213 Ss   Fri Nov 27 06:41:29 2026 /venv/bin/python3 /venv/bin/ministack A=b LEOCTL_SANDBOX_TOKEN=x C=d\n\
                    nonsense\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((rows[0].pid, rows[0].started.as_str()), (40213, "Fri Nov 27 06:41:29 2026"));
        assert!(rows[0].words.contains(&"LEOCTL_SANDBOX_TOKEN=x") && !rows[0].words.contains(&"LEOCTL_SANDBOX_TOKEN="));
    }
}
