//! Each package, installed as its users do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{done, has, is_linux, made, package, package_of, script, works};
use crate::support::python;

#[test]
fn the_archive_has_the_program_with_manual_pages_completions_and_licences() {
    if !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = package("archive", folder.path());
    done(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()));
    let unpacked = folder.path().join(archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz"));
    works(&unpacked.join("leoctl"));
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "man/leoctl.1", "man/leoctl-state-mv.1", "completions/_leoctl"] {
        assert!(unpacked.join(file).is_file(), "{file}");
    }
    // What unpacks it in a workflow (action/install.sh) looks for the one file of that name.
    let found = done(Command::new("find").arg(&unpacked).args(["-type", "f", "-name", "leoctl"]));
    assert_eq!(found.lines().count(), 1, "{found}");
    done(Command::new("bash").arg("-n").arg(unpacked.join("completions/leoctl.bash")));
}

#[test]
fn the_same_program_makes_the_same_bytes() {
    if !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // It is packed whatever it is, and a small one takes less time.
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/dist");
    let bytes = |kind: &str, round: &str| std::fs::read(package_of(&program, kind, &folder.path().join(round))).unwrap();
    let by_ourselves = ["archive", "npm", "wheel", "rootfs"].map(|kind| (kind, None));
    let programs = by_ourselves.into_iter().chain([("deb", Some("dpkg-deb")), ("rpm", Some("rpmbuild"))]);
    for (kind, _) in programs.filter(|(_, program)| program.is_none_or(has)) {
        assert!(bytes(kind, "one") == bytes(kind, "another"), "{kind} is not the same");
    }
}

#[test]
fn the_package_for_debian_installs_the_program() {
    if !is_linux() || !has("dpkg-deb") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = package("deb", folder.path());
    assert_eq!(done(Command::new("dpkg-deb").arg("--field").arg(&package).arg("Depends")), "ca-certificates\n");
    let root = folder.path().join("root");
    for part in ["info", "updates"] {
        std::fs::create_dir_all(root.join("var/lib/dpkg").join(part)).unwrap();
    }
    std::fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let mut dpkg = Command::new("dpkg");
    // In an empty system, and by a user without rights: what it depends on is not there.
    dpkg.args(["--force-not-root", "--force-depends", "--force-bad-path", "--log=/dev/null"]).arg(format!("--root={}", root.display()));
    done(dpkg.arg("--install").arg(package));
    works(&root.join("usr/bin/leoctl"));
    assert!(root.join("usr/share/man/man1/leoctl-plan.1.gz").is_file());
    assert!(root.join("usr/share/bash-completion/completions/leoctl").is_file());
    assert!(root.join("usr/share/doc/leoctl/copyright").is_file());
}

#[test]
fn the_package_for_fedora_has_the_program() {
    if !is_linux() || !has("rpmbuild") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = package("rpm", folder.path());
    let says = done(
        Command::new("rpm").args(["--query", "--package", "--queryformat", "%{NAME} %{VERSION} %{LICENSE} %{BUILDHOST}"]).arg(&package),
    );
    assert_eq!(says, concat!("leoctl ", env!("CARGO_PKG_VERSION"), " MIT OR Apache-2.0 localhost"));
    // As `rpm --install` unpacks it, which only root may do.
    let unpacked = folder.path().join("root");
    std::fs::create_dir(&unpacked).unwrap();
    done(Command::new("rpm2archive").arg(&package));
    done(Command::new("tar").arg("-xzf").arg(package.with_added_extension("tgz")).arg("-C").arg(&unpacked));
    works(&unpacked.join("usr/bin/leoctl"));
    assert!(unpacked.join("usr/share/zsh/site-functions/_leoctl").is_file());
}

/// A registry of npm and an index of PyPI, with what is in a folder.
struct Site {
    server: Child,
    address: String,
}

impl Site {
    fn of(folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/release/site.py");
        let mut server = Command::new("python3").arg(script).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { server, address: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[test]
fn npm_installs_the_program_of_the_platform() {
    if !is_linux() || !has("npm") {
        return;
    }
    let (packages, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    package("npm", packages.path());
    script(&["npm-main"], packages.path());
    let site = Site::of(packages.path());
    std::fs::write(project.path().join("package.json"), "{}").unwrap();
    let npm = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(project.path()).env("HOME", project.path());
        command.env("npm_config_registry", &site.address).env("npm_config_cache", project.path().join("cache"));
        command.envs([("npm_config_audit", "false"), ("npm_config_fund", "false"), ("npm_config_update_notifier", "false")]);
        command
    };
    // No script of a package is needed.
    done(&mut npm("npm", &["install", "--ignore-scripts", "leoctl"]));
    let there = std::fs::read_dir(project.path().join("node_modules/@leoctl")).unwrap().count();
    assert_eq!(there, 1, "only the platform's own is installed");
    let version = done(&mut npm("npx", &["--offline", "leoctl", "--version"]));
    assert_eq!(version, concat!("leoctl ", env!("CARGO_PKG_VERSION"), "\n"));
    let launcher = project.path().join("node_modules/.bin/leoctl");
    works(&launcher);
    // The exit code is leoctl's own.
    let failed = Command::new(&launcher).args(["validate", "nothing.toml"]).current_dir(project.path()).output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    std::fs::remove_dir_all(project.path().join("node_modules/@leoctl")).unwrap();
    let lacking = Command::new(&launcher).arg("--version").output().unwrap();
    assert!(lacking.status.code() == Some(1) && String::from_utf8_lossy(&lacking.stderr).contains("optional dependencies"), "{lacking:?}");
}

#[test]
fn pip_installs_the_program() {
    if !is_linux() || !python::is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    package("wheel", folder.path());
    let site = Site::of(folder.path());
    let environment = folder.path().join("environment");
    done(Command::new("python3").args(["-m", "venv"]).arg(&environment));
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--index-url", &format!("{}/simple", site.address)]);
    done(pip.arg("leoctl"));
    works(&environment.join("bin/leoctl"));
}

#[test]
fn the_files_of_the_image_are_all_that_the_program_needs() {
    if !is_linux() || !has("unshare") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = package("rootfs", folder.path());
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    // What belongs to others in the image is the tester's own here.
    done(Command::new("tar").arg("--no-same-owner").arg("-xf").arg(files).arg("-C").arg(&root));
    let passwd = std::fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(passwd.contains("nonroot:x:65532:"), "{passwd}");
    assert!(std::fs::metadata(root.join("etc/ssl/certs/ca-certificates.crt")).unwrap().len() > 0);
    if !with_libraries(&root) {
        return;
    }
    let inside = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "chroot"]).arg(&root).arg("/usr/bin/leoctl");
        command
    };
    if !inside().arg("--version").output().unwrap().status.success() {
        eprintln!("skipped: this system lets nobody make a root of their own");
        return;
    }
    let version = done(inside().arg("--version"));
    assert_eq!(version, concat!("leoctl ", env!("CARGO_PKG_VERSION"), "\n"));
    // The folder that people mount their project on.
    done(inside().args(["schema", "--out", "/project/stack.schema.json"]));
    assert!(root.join("project/stack.schema.json").is_file());
}

/// The program under test is not static, as the one of a release is: its libraries go with it.
fn with_libraries(root: &Path) -> bool {
    let listed = done(Command::new("ldd").arg(made().join("leoctl")));
    for library in listed.split_whitespace().filter(|word| word.starts_with('/')) {
        let place = root.join(library.trim_start_matches('/'));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(library, place).unwrap();
    }
    listed.contains("libc.so")
}
