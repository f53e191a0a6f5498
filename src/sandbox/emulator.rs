//! The emulators as a program: started, asked, and what they said when they did not come up. MiniStack answers, and Moto for
//! the services that it knows better; `emulators.py` runs both in one process, each on a port of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::TOKEN;
use super::{SandboxError, folder};
use crate::disk;

/// What runs both emulators.
const PROGRAM: &str = include_str!("emulators.py");

/// The services that Moto answers for, as the SDKs call them: networks, load balancers with their certificates, roles,
/// autoscaling and service discovery, of which it has what MiniStack lacks. Those that look each other's resources up are
/// together.
pub const MOTO: &[&str] = &["ACM", "Application Auto Scaling", "EC2", "Elastic Load Balancing v2", "IAM", "ServiceDiscovery"];

/// The file with Moto's data, among the emulators', while they do not run.
pub const MOTO_DATA: &str = "moto";

/// The account that the sandbox is.
const ACCOUNT: &str = "000000000000";

/// Where the emulators listen on loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// MiniStack.
    pub ministack: u16,
    /// Moto.
    pub moto: u16,
}

impl Ports {
    /// Two that nobody listens on.
    ///
    /// # Errors
    /// When there are none.
    pub fn free() -> Result<Self, SandboxError> {
        let listen = || TcpListener::bind("127.0.0.1:0").map_err(|error| SandboxError::new(format!("no free port: {error}")));
        let port = |listener: &TcpListener| {
            listener.local_addr().map(|address| address.port()).map_err(|error| SandboxError::new(format!("no free port: {error}")))
        };
        // Both are held at the same time, so that they differ.
        let (one, other) = (listen()?, listen()?);
        Ok(Self { ministack: port(&one)?, moto: port(&other)? })
    }

    /// Each of them.
    pub fn all(self) -> [u16; 2] {
        [self.ministack, self.moto]
    }
}

/// Starts the program with its Python, on ports of loopback, with its data in a folder. It outlives leoctl, and Ctrl-C in
/// leoctl's terminal is not for it. Python takes no modules from leoctl's current folder, which is the project's. What it
/// writes is its owner's alone.
///
/// # Errors
/// When it cannot be written down, or the system does not start it.
pub fn start(python: &Path, ports: Ports, token: &str, data: &Path, log: &Path) -> Result<Child, SandboxError> {
    let program = disk::folder(log).join("emulators.py");
    disk::replace(&program, PROGRAM).map_err(|failed| SandboxError::new(failed.to_string()))?;
    let output = folder::create(log)?;
    let errors = output.try_clone().map_err(|error| SandboxError::new(format!("cannot write {}: {error}", log.display())))?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 077 && exec \"$0\" -I \"$1\""])
        .args([python, &program])
        .env(TOKEN, token)
        .env("GATEWAY_PORT", ports.ministack.to_string())
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("BIND_HOST", "127.0.0.1")
        .env("PERSIST_STATE", "1")
        .env("S3_PERSIST", "1")
        .env("STATE_DIR", data.join("state"))
        .env("S3_DATA_DIR", data.join("s3"))
        .env("MOTO_PORT", ports.moto.to_string())
        .env("MOTO_DATA", data.join(MOTO_DATA))
        .env("MOTO_ACCOUNT_ID", ACCOUNT)
        .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        // How many seconds it takes to issue a certificate.
        .env("MOTO_ACM_VALIDATION_WAIT", "1")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .current_dir(disk::folder(log))
        .env_remove("PYTHONPATH");
    without_secrets(&mut command);
    command.spawn().map_err(|error| SandboxError::new(format!("cannot start the emulators: {error}")))
}

/// Keeps what is meant for leoctl and AWS from a program that is neither: credentials, variables, identities.
pub fn without_secrets(command: &mut Command) {
    let names = std::env::vars_os().map(|(name, _)| name);
    let meant = names.filter(|name| ["AWS_", "LEOCTL_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)));
    for name in meant {
        command.env_remove(name);
    }
}

/// Whether both answer as they do when they are up. Moto is asked for its settings, which are short. Its `data.json` is
/// 12 MB with IAM's managed policies: on a busy machine that takes longer than a request waits.
pub fn answer(ports: Ports) -> bool {
    request(ports.ministack, "GET", "/_ministack/health").is_ok() && request(ports.moto, "GET", "/moto-api/config").is_ok()
}

/// Has the emulators forget everything.
///
/// # Errors
/// When one refuses.
pub fn reset(ports: Ports) -> Result<(), SandboxError> {
    let asked = request(ports.ministack, "POST", "/_ministack/reset").and_then(|()| request(ports.moto, "POST", "/moto-api/reset"));
    asked.map_err(|error| SandboxError::new(format!("the emulators did not reset: {error}")))
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
    SandboxError::new(format!("the emulators did not come up:\n{said}"))
        .help(format!("see {}; `leoctl sandbox reset` begins with an empty one", log.display()))
}
