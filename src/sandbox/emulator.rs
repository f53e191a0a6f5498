//! The emulator as a program: started, asked, and what it said when it did not come up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::process::TOKEN;
use super::{SandboxError, folder};
use crate::disk;

/// Starts the program, on a port of loopback, with its data in a folder. It outlives leoctl, and Ctrl-C in leoctl's
/// terminal is not for it. Python takes no modules from leoctl's current folder, which is the project's. What it writes is its
/// owner's alone.
///
/// # Errors
/// When the system does not start it.
pub fn start(program: &Path, port: u16, token: &str, data: &Path, log: &Path) -> Result<Child, SandboxError> {
    let output = folder::create(log)?;
    let errors = output.try_clone().map_err(|error| SandboxError::new(format!("cannot write {}: {error}", log.display())))?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 077 && exec \"$0\""])
        .arg(program)
        .env(TOKEN, token)
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("BIND_HOST", "127.0.0.1")
        .env("PERSIST_STATE", "1")
        .env("S3_PERSIST", "1")
        .env("STATE_DIR", data.join("state"))
        .env("S3_DATA_DIR", data.join("s3"))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .current_dir(disk::folder(log))
        .env_remove("PYTHONPATH");
    command.spawn().map_err(|error| SandboxError::new(format!("cannot start MiniStack: {error}")))
}

/// A loopback port nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, SandboxError> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| SandboxError::new(format!("no free port: {error}")))
}

/// Whether something on a port answers as the emulator does when it is up.
pub fn answers(port: u16) -> bool {
    request(port, "GET", "/_ministack/health").is_ok()
}

/// Has the emulator forget everything.
///
/// # Errors
/// When it refuses.
pub fn reset(port: u16) -> Result<(), SandboxError> {
    request(port, "POST", "/_ministack/reset").map_err(|error| SandboxError::new(format!("MiniStack did not reset: {error}")))
}

/// One HTTP request on loopback; whether the answer was a success.
fn request(port: u16, method: &str, path: &str) -> std::io::Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    match answer.get(9..10) {
        Some(b"2") => Ok(()),
        _ => Err(std::io::Error::other("the emulator refused")),
    }
}

/// That it did not come up, with the last it said.
pub fn not_up(log: &Path) -> SandboxError {
    let said = folder::read(log).ok().flatten().unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    let said = if last.is_empty() { "it said nothing".to_owned() } else { last.join("\n") };
    SandboxError::new(format!("MiniStack did not come up:\n{said}")).help(format!("see {}", log.display()))
}
