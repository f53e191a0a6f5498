//! Commands run in containers, by a stand-in for the plugin that carries sessions.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use serde_json::Value as Json;

use super::tasks::{STACK, shop, tasks, text};
use crate::support::emulator::{Emulator, Running};
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::terminal::Terminal;

/// A plugin that writes down what it is started with.
fn plugin(project: &Project, version: &str) -> String {
    let folder = project.path().join("bin");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo {version}; exit; fi\n\
         for argument in \"$@\" \"$AWS_SSM_START_SESSION_RESPONSE\"; do echo \"$argument\"; done > plugin.log\nexit 7\n"
    );
    project.write("bin/session-manager-plugin", &script);
    std::fs::set_permissions(folder.join("session-manager-plugin"), std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_command_runs_in_a_service_s_container_through_the_plugin() {
    let Some((emulator, project)) = shop(Emulator::MiniStack) else { return };
    let proxy = Proxy::recording(&emulator.endpoint);
    let exec = |path: &str, arguments: &[&str]| {
        let arguments = [&["exec", "web", "--stack", STACK], arguments].concat();
        let mut command = project.command(&arguments);
        ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("PATH", path).output().unwrap())
    };
    let path = plugin(&project, "1.2.300.0");
    let off = exec(&path, &[]);
    assert!(
        off.code == 1 && off.stderr.contains("enable_execute_command = true") && off.stderr.contains("ecs_service.web"),
        "{}",
        off.stderr
    );
    project.expect(0, &["apply", "-y", "--var", "exec=true", STACK]);
    let before = exec(&path, &[]);
    assert!(before.code == 1 && before.stderr.contains("leoctl redeploy web"), "{}", before.stderr);
    project.expect(0, &["redeploy", "web", "-y", "--stack", STACK]);
    let all = tasks(&project, &["web"]);
    let id = text(all.iter().find(|task| text(task, "status") == "RUNNING").unwrap(), "id");

    let none = exec("/nowhere", &[]);
    assert!(none.code == 1 && none.stderr.contains("install-plugin"), "{}", none.stderr);
    assert!(proxy.calls().iter().all(|call| call.operation != "ExecuteCommand"));

    // An older plugin takes the session as an argument, a newer one from its environment.
    let ran = exec(&path, &["--", "ls", "/a b"]);
    assert!(ran.code == 1 && ran.stderr.contains("it is not known how `ls '/a b'` ended"), "{}", ran.stderr);
    let call = proxy.calls().into_iter().find(|call| call.operation == "ExecuteCommand").unwrap();
    assert!(call.request.contains("ls '/a b'") && call.request.contains("\"container\":\"nginx\""), "{}", call.request);
    let given = std::fs::read_to_string(project.path().join("plugin.log")).unwrap();
    let given: Vec<&str> = given.lines().collect();
    let session: Json = serde_json::from_str(given[0]).unwrap();
    assert!(session["sessionId"].is_string() && session["streamUrl"].is_string() && session["tokenValue"].is_string(), "{session}");
    assert!(!ran.stderr.contains(session["tokenValue"].as_str().unwrap()) && ran.stdout.is_empty());
    assert_eq!(given[1..4], ["us-east-1", "StartSession", ""]);
    let target: Json = serde_json::from_str(given[4]).unwrap();
    assert!(target["Target"].as_str().unwrap().starts_with(&format!("ecs:shop_{id}_")), "{target}");
    assert_eq!(given[5], proxy.endpoint);
    let newer = plugin(&project, "1.2.600.0");
    assert_eq!(exec(&newer, &["--no-shell", "--task", id.get(..8).unwrap(), "--container", "nginx"]).code, 7, "the plugin's own");
    let given = std::fs::read_to_string(project.path().join("plugin.log")).unwrap();
    assert!(given.starts_with("AWS_SSM_START_SESSION_RESPONSE\nus-east-1\n"), "{given}");
    assert!(given.lines().last().unwrap().contains("tokenValue"), "{given}");
    assert!(exec(&newer, &["--container", "ngnix"]).stderr.contains("nginx"));
}

/// A service whose containers take commands. ECS does not run them on an emulator: the plugin's stand-in runs what ECS was
/// asked to run, as its agent would.
struct Carried {
    project: Project,
    proxy: Proxy,
    _emulator: Running,
}

impl Carried {
    fn start() -> Option<Self> {
        let (emulator, project) = shop(Emulator::MiniStack)?;
        project.expect(0, &["apply", "-y", "--var", "exec=true", STACK]);
        project.expect(0, &["redeploy", "web", "-y", "--stack", STACK]);
        let asked = project.path().join("asked.sh");
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            if call.operation == "ExecuteCommand" {
                let request: Json = serde_json::from_str(call.request.split_once(' ').unwrap().1).unwrap();
                std::fs::write(&asked, text(&request, "command")).unwrap();
            }
            None
        });
        let carried = Self { project, proxy, _emulator: emulator };
        plugin(&carried.project, "1.2.600.0");
        carried.carry("sh asked.sh");
        Some(carried)
    }

    /// What the plugin does between its own words.
    fn carry(&self, how: &str) {
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 1.2.600.0; exit; fi\n\
             echo; echo Starting session with SessionId: x\n{how}\necho Exiting session with sessionId: x.\n"
        );
        self.project.write("bin/session-manager-plugin", &script);
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.project.command(&[&["exec", "web", "--stack", STACK], words].concat());
        let path = format!("{}:{}", self.project.path().join("bin").display(), std::env::var("PATH").unwrap());
        command.env("AWS_ENDPOINT_URL", &self.proxy.endpoint).env("PATH", path);
        command
    }

    /// Begins a session at a terminal.
    fn at(&self, terminal: &Terminal, words: &[&str]) -> Child {
        self.command(words).stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio()).spawn().unwrap()
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_command_in_a_script_exits_as_it_does_in_the_container() {
    let Some(carried) = Carried::start() else { return };
    let exec = |command: &[&str]| ran(carried.command(&[&["--"], command].concat()).output().unwrap());
    for (command, shown, code) in [
        (&["sh", "-c", "echo 'a  b'; exit 41"][..], "a  b\n", 41),
        (&["printf", "%s", "no line feed"], "no line feed", 0),
        (&["sh -c 'exit 3'"], "", 3),
        (&["no-such-program"], "", 127),
    ] {
        let ran = exec(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, shown), "{command:?}: {}", ran.stderr);
    }
    // Without a shell in the container it is said why, and that is no success.
    carried.carry("echo 'exec: \"/bin/sh\": not found'");
    let without = exec(&["ls"]);
    assert!(without.code == 1 && without.stdout.contains("/bin/sh"), "{}{}", without.stdout, without.stderr);
    assert!(without.stderr.contains("it is not known how `ls` ended") && without.stderr.contains("--no-shell"), "{}", without.stderr);
}

/// The plugin takes keys as they are typed, and leaves the terminal so.
const KEYS: &str = "stty -echo -icanon\nsh asked.sh";

#[test]
fn a_command_at_a_terminal_has_its_size_and_exits_as_it_does_in_the_container() {
    let Some(carried) = Carried::start() else { return };
    carried.carry(KEYS);
    let terminal = Terminal::new(31, 97);
    let grows = "exec 3<&1; stty size <&3; until [ \"$(stty size <&3)\" = '42 123' ]; do :; done; echo grown; exit 41";
    let mut child = carried.at(&terminal, &["--", "sh", "-c", grows]);
    terminal.shows("31 97\r\n");
    terminal.resize(42, 123);
    signal(&child, "WINCH");
    assert_eq!(child.wait().unwrap().code(), Some(41));
    assert!(terminal.is_usual());
    let shown = terminal.all();
    // A terminal shows neither the marks nor what the plugin says around them, and each line ends once.
    assert!(shown.ends_with("\r\n31 97\r\ngrown\r\n"), "{shown:?}");
    assert!(!shown.contains("leoctl-") && !shown.contains("session"), "{shown:?}");
}

#[test]
fn a_shell_at_a_terminal_gets_every_key_and_its_exit_code_counts() {
    let Some(carried) = Carried::start() else { return };
    carried.carry(KEYS);
    let mut terminal = Terminal::new(24, 80);
    let mut child = carried.at(&terminal, &[]);
    terminal.types("echo he''re\n");
    terminal.shows("here");
    // Keys that send signals are for what runs in the container.
    ["INT", "INT", "QUIT", "TSTP"].iter().for_each(|name| signal(&child, name));
    terminal.types("echo st''ill\n");
    terminal.shows("still");
    terminal.types("exit 9\n");
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert!(terminal.is_usual());
}

#[test]
fn a_session_that_breaks_off_is_no_success_and_leaves_the_terminal_usable() {
    let Some(carried) = Carried::start() else { return };
    carried.carry(KEYS);
    // Wide enough for what it says in one line.
    let terminal = Terminal::new(24, 200);
    let mut child = carried.at(&terminal, &["--", "sh", "-c", "echo half; kill -KILL $PPID"]);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(terminal.is_usual());
    let shown = terminal.all();
    assert!(shown.contains("half") && shown.contains("the session broke off"), "{shown}");
    // Ending leoctl ends the session.
    let terminal = Terminal::new(24, 80);
    let mut child = carried.at(&terminal, &["--", "sh", "-c", "echo be''gun; read line"]);
    terminal.shows("begun");
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(terminal.is_usual());
}

/// Whether the command began is not known then, and a second session would run it again.
#[test]
fn a_session_whose_answer_is_lost_is_not_begun_twice() {
    let Some(carried) = Carried::start() else { return };
    let lost = Proxy::start(&carried.proxy.endpoint, |call| (call.operation == "ExecuteCommand").then_some(Fault::CutAfter));
    let exec = ran(carried.command(&["--", "migrate"]).env("AWS_ENDPOINT_URL", &lost.endpoint).output().unwrap());
    assert_eq!(exec.code, 1, "{}", exec.stderr);
    assert_eq!(lost.calls().iter().filter(|call| call.operation == "ExecuteCommand").count(), 1);
}
