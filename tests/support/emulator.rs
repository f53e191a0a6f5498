//! The emulators: real independent programs, pinned, started once for a test run on a free loopback port.
//!
//! MiniStack and Moto come from the Python Package Index into a virtual environment under `target/`;
//! fakecloud is used when it is installed (`cargo install fakecloud --version 0.51.0 --locked`).

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::python;

/// With AWS's models of its services, which Moto needs as well, and with what MiniStack reads and writes CBOR with.
const PACKAGES: &[&str] = &["ministack==1.5.33", "cbor2==6.3.0", "moto[server]==5.2.5", "botocore==1.43.106"];

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// The most faithful; only where it is installed.
    Fakecloud,
    /// The sandbox.
    MiniStack,
    /// The third opinion.
    Moto,
}

/// A running emulator.
pub struct Running {
    /// Where it listens, behind a proxy that refuses what AWS's models do not allow.
    pub endpoint: String,
    _checking: Proxy,
    // Its standard input: the emulator goes when this process does and the pipe closes.
    _child: Child,
}

impl Emulator {
    /// The endpoint of the emulator, started on first use; none when it is not installed here.
    pub fn endpoint(self) -> Option<&'static str> {
        static FAKECLOUD: OnceLock<Option<Running>> = OnceLock::new();
        static MINISTACK: OnceLock<Option<Running>> = OnceLock::new();
        static MOTO: OnceLock<Option<Running>> = OnceLock::new();
        let slot = match self {
            Self::Fakecloud => &FAKECLOUD,
            Self::MiniStack => &MINISTACK,
            Self::Moto => &MOTO,
        };
        slot.get_or_init(|| self.start()).as_ref().map(|running| running.endpoint.as_str())
    }

    /// The endpoint for who writes what AWS refuses, to see what is made of it where another service or an older resource has it.
    pub fn unchecked(self) -> Option<String> {
        Proxy::behind(self.endpoint()?)
    }

    /// Whether it is installed, or installs itself.
    pub fn is_installed(self) -> bool {
        self != Self::Fakecloud || fakecloud().is_some()
    }

    /// An emulator of one's own, gone when dropped, for who needs an empty account; none when it is not installed here.
    pub fn alone(self) -> Option<Running> {
        self.start()
    }

    fn start(self) -> Option<Running> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = match self {
            Self::Fakecloud => {
                let program = fakecloud();
                // Where it has to be there, its tests do not pass by being left out.
                assert!(program.is_some() || std::env::var_os("LEOCTL_TESTS_NEED_FAKECLOUD").is_none(), "fakecloud is not installed");
                let program = program?;
                guarded(&program, &["--addr", &format!("127.0.0.1:{port}"), "--log-level", "error"])
            }
            Self::MiniStack => {
                let mut command = guarded(&python_environment().join("bin/ministack"), &[]);
                command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1");
                command
            }
            Self::Moto => {
                let mut command = guarded(&python_environment().join("bin/moto_server"), &["-H", "127.0.0.1", "-p", &port.to_string()]);
                command.env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
                command
            }
        };
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(90), "{self:?} does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        let checking = Proxy::refusing_invalid(&format!("http://127.0.0.1:{port}"));
        Some(Running { endpoint: checking.endpoint.clone(), _checking: checking, _child: child })
    }
}

/// A command that ends when its standard input does.
fn guarded(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = r#""$@" & pid=$!; cat >/dev/null; kill $pid 2>/dev/null"#;
    command.args(["-c", script, "emulator"]).arg(program).args(arguments);
    command
}

fn fakecloud() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = std::env::split_paths(&path).chain(home.map(|home| home.join("bin")));
    folders.map(|folder| folder.join("fakecloud")).find(|program| program.is_file())
}

/// The Python that the emulators run in, which reads YAML as well: both need PyYAML.
pub fn python() -> PathBuf {
    python_environment().join("bin/python")
}

/// A folder for sandboxes in which the emulators are installed already.
pub fn sandboxes(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let installed = python().parent().unwrap().parent().unwrap().to_owned();
    std::os::unix::fs::symlink(installed, folder.join("ministack-1.5.33-moto-5.2.5")).unwrap();
}

/// The virtual environment with the emulators, made on first use.
fn python_environment() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| python::environment("test-emulators", PACKAGES)).clone()
}
