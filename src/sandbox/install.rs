//! Installing the emulators: a virtual environment of leoctl's own, made once for all projects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::emulator::without_secrets;
use super::{SandboxError, Stage, folder};

/// The emulators; the Python Package Index keeps these versions.
const MINISTACK: &str = "1.5.33";
const MOTO: &str = "5.2.5";
/// What they take beside that: MiniStack reads and writes CBOR with the first, in which CloudWatch is asked, and without it
/// answers in JSON; Moto takes the names and forms of AWS's calls from the second, and serves with the others.
const REST: [&str; 4] = ["cbor2==6.3.0", "botocore==1.43.106", "flask==3.1.3", "flask-cors==6.0.5"];

/// Where the emulators are, or are to be.
pub struct Installed {
    base: PathBuf,
}

impl Installed {
    /// In a folder that is ours.
    pub fn new(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    fn environment(&self) -> PathBuf {
        self.base.join(format!("ministack-{MINISTACK}-moto-{MOTO}"))
    }

    /// A program of the virtual environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.environment().join("bin").join(name)
    }

    fn lock(&self) -> PathBuf {
        self.base.join("install.lock")
    }

    /// Whether leoctl has installed in the folder, or has begun to: nobody else makes what is there then.
    pub fn has_begun(&self) -> bool {
        self.lock().exists() || self.environment().exists()
    }

    /// Python with one of its own modules. With `-m` alone it would run a file of that name in the folder leoctl is called
    /// in, which is the project's and may be anybody's: it runs in leoctl's own folder, and isolated (`-I`), so that neither
    /// that folder nor PYTHONPATH adds modules. What it starts itself is not told of PYTHONPATH.
    fn module(&self, python: &Path, module: &str) -> Command {
        let mut command = Command::new(python);
        command.args(["-I", "-m", module]).current_dir(&self.base).env_remove("PYTHONPATH");
        without_secrets(&mut command);
        command
    }

    /// Makes the virtual environment, unless it is there.
    ///
    /// # Errors
    /// When Python or the package cannot be had.
    pub fn ensure(&self, stage: &dyn Fn(Stage)) -> Result<(), SandboxError> {
        let _lock = folder::lock(&self.lock(), || stage(Stage::Lock))?;
        let environment = self.environment();
        // What somebody else has put there is not run.
        folder::made_by_us(&environment)?;
        let done = environment.join("complete");
        if done.exists() {
            return Ok(());
        }
        stage(Stage::Python);
        run(self.module(Path::new("python3"), "venv").arg("--clear").arg(&environment)).map_err(|error| {
            SandboxError::new(format!("the sandbox needs python3 with venv: {}", error.message))
                .help("install it: `apt install python3 python3-venv`, `dnf install python3` or `brew install python3`")
        })?;
        stage(Stage::Pip);
        let packages = [format!("ministack=={MINISTACK}"), format!("moto=={MOTO}")];
        let install = ["install", "--quiet", "--disable-pip-version-check"];
        run(self.module(&self.program("python"), "pip").args(install).args(packages).args(REST))?;
        fs::write(&done, MINISTACK).map_err(|error| SandboxError::new(format!("cannot write {}: {error}", done.display())))
    }
}

fn run(command: &mut Command) -> Result<(), SandboxError> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| SandboxError::new(format!("cannot run {program}: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(SandboxError::new(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))),
    }
}
