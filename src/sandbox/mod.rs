//! A local AWS to try anything on: MiniStack in a virtual environment of leoctl's own, on loopback only.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The emulator's version; the Python Package Index keeps it.
const VERSION: &str = "1.5.33";
/// How long the emulator may take until it stops answering.
const STOP: Duration = Duration::from_secs(20);
/// How long it may take to write its data down.
const WRITE_DOWN: Duration = Duration::from_secs(10);
/// How long the emulator may take until it answers.
const START: Duration = Duration::from_secs(60);

/// Why the sandbox could not do it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SandboxError {
    /// What failed.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

fn failed(message: impl Into<String>) -> SandboxError {
    SandboxError { message: message.into(), help: None }
}

/// A sandbox under the user's cache folder.
#[derive(Debug)]
pub struct Sandbox {
    folder: PathBuf,
}

/// A running sandbox.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Its port on loopback.
    pub port: u16,
}

impl Running {
    /// Where AWS clients reach it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn answers(&self) -> bool {
        request(self.port, "GET", "/_ministack/health").is_ok()
    }
}

impl Sandbox {
    /// The user's sandbox; `LEOCTL_SANDBOX_DIR` puts it somewhere else.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn open() -> Result<Self, SandboxError> {
        if let Some(folder) = std::env::var_os("LEOCTL_SANDBOX_DIR") {
            return Ok(Self { folder: folder.into() });
        }
        let dirs = directories::ProjectDirs::from("", "", "leoctl");
        let dirs = dirs.ok_or_else(|| failed("there is no home folder to keep the sandbox in: set LEOCTL_SANDBOX_DIR"))?;
        Ok(Self { folder: dirs.cache_dir().join("sandbox") })
    }

    /// The running sandbox, if it runs.
    pub fn status(&self) -> Option<Running> {
        let text = fs::read_to_string(self.file("running.json")).ok()?;
        let running: Running = serde_json::from_str(&text).ok()?;
        running.answers().then_some(running)
    }

    /// Starts it unless it runs; `say` hears what takes long.
    ///
    /// # Errors
    /// When Python or the package cannot be had, or the emulator does not come up.
    pub fn start(&self, say: &dyn Fn(&str)) -> Result<Running, SandboxError> {
        if let Some(running) = self.status() {
            return Ok(running);
        }
        self.install(say)?;
        let data = self.file("data");
        let log_path = self.file("ministack.log");
        fs::create_dir_all(&data).map_err(|error| failed(format!("cannot create {}: {error}", data.display())))?;
        let log = fs::File::create(&log_path).map_err(|error| failed(format!("cannot write {}: {error}", log_path.display())))?;
        let port = free_port()?;
        let mut command = Command::new(self.program("ministack"));
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("BIND_HOST", "127.0.0.1")
            .env("PERSIST_STATE", "1")
            .env("S3_PERSIST", "1")
            .env("STATE_DIR", data.join("state"))
            .env("S3_DATA_DIR", data.join("s3"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| failed(format!("cannot write {}: {error}", log_path.display())))?)
            .stderr(log);
        detach(&mut command);
        let mut child = command.spawn().map_err(|error| failed(format!("cannot start MiniStack: {error}")))?;
        let running = Running { pid: child.id(), port };
        let began = Instant::now();
        while !running.answers() {
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || began.elapsed() > START {
                drop(child.kill());
                let tail = fs::read_to_string(&log_path).unwrap_or_default();
                let tail: Vec<&str> = tail.lines().rev().take(5).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                return Err(SandboxError {
                    message: format!("MiniStack did not come up:\n{}", tail.join("\n")),
                    help: Some(format!("see {}", log_path.display())),
                });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let text = serde_json::to_string(&running).map_err(|error| failed(error.to_string()))?;
        let file = self.file("running.json");
        fs::write(&file, text).map_err(|error| failed(format!("cannot write {}: {error}", file.display())))?;
        Ok(running)
    }

    /// Stops it; whether it ran. Its data stays.
    ///
    /// # Errors
    /// When it does not go.
    pub fn stop(&self) -> Result<bool, SandboxError> {
        let Some(running) = self.status() else { return Ok(false) };
        let stopped = Command::new("kill").arg(running.pid.to_string()).status();
        stopped.map_err(|error| failed(format!("cannot stop process {}: {error}", running.pid)))?;
        // It writes its data down after it has stopped answering.
        let began = Instant::now();
        while running.answers() || (alive(running.pid) && began.elapsed() < WRITE_DOWN) {
            if began.elapsed() > STOP {
                return Err(failed(format!("process {} does not stop", running.pid)));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        drop(fs::remove_file(self.file("running.json")));
        Ok(true)
    }

    /// Forgets everything in it.
    ///
    /// # Errors
    /// When its data cannot be removed.
    pub fn reset(&self) -> Result<(), SandboxError> {
        if let Some(running) = self.status() {
            return request(running.port, "POST", "/_ministack/reset").map_err(|error| failed(format!("MiniStack did not reset: {error}")));
        }
        let data = self.file("data");
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(format!("cannot remove {}: {error}", data.display()))),
            _ => Ok(()),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn environment(&self) -> PathBuf {
        self.file(&format!("ministack-{VERSION}"))
    }

    fn program(&self, name: &str) -> PathBuf {
        self.environment().join("bin").join(name)
    }

    /// Makes the virtual environment, once.
    fn install(&self, say: &dyn Fn(&str)) -> Result<(), SandboxError> {
        let done = self.environment().join("complete");
        if done.exists() {
            return Ok(());
        }
        say("Installing MiniStack for the sandbox (once) …");
        let environment = self.environment();
        fs::create_dir_all(&self.folder).map_err(|error| failed(format!("cannot create {}: {error}", self.folder.display())))?;
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment)).map_err(|error| SandboxError {
            message: format!("the sandbox needs python3 with venv: {}", error.message),
            help: Some("install it: `apt install python3 python3-venv`, `dnf install python3` or `brew install python3`".to_owned()),
        })?;
        let package = format!("ministack=={VERSION}");
        run(Command::new(self.program("pip")).args(["install", "--quiet", "--disable-pip-version-check", &package]))?;
        fs::write(&done, VERSION).map_err(|error| failed(format!("cannot write {}: {error}", done.display())))
    }
}

fn run(command: &mut Command) -> Result<(), SandboxError> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| failed(format!("cannot run {program}: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))),
    }
}

/// Whether a process exists.
fn alive(pid: u32) -> bool {
    let asked = Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// A loopback port nobody listens on.
fn free_port() -> Result<u16, SandboxError> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| failed(format!("no free port: {error}")))
}

/// The emulator outlives leoctl, and Ctrl-C in leoctl's terminal is not for it.
#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn detach(_: &mut Command) {}

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
