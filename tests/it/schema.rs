//! `leoctl schema`: what editors that know nothing of leoctl complete and check its files by. The editors are real: Taplo checks,
//! Tombi's language server completes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use crate::support::program::{Project, Ran, ran};
use crate::support::python;

const PACKAGES: &[&str] = &["taplo==0.9.3", "tombi==1.9.6"];

/// A program of an editor; none where there is no Python.
fn editor(name: &str) -> Option<PathBuf> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = MADE.get_or_init(|| python::is_installed().then(|| python::environment("test-editors", PACKAGES)));
    if folder.is_none() {
        eprintln!("NOT TESTED: what editors make of the JSON Schema, which needs python3");
    }
    folder.as_ref().map(|folder| folder.join("bin").join(name))
}

/// What Taplo says of files: by a schema, or by what their first lines name.
fn checked(taplo: &Path, project: &Project, schema: Option<&str>, files: &[String]) -> Ran {
    let mut command = Command::new(taplo);
    command.args(["check", "--no-auto-config"]).current_dir(project.path());
    if let Some(schema) = schema {
        command.args(["--schema", &format!("file://{}", project.path().join(schema).display())]);
    }
    ran(command.args(files).output().unwrap())
}

fn toml_files(project: &Project, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(project.path().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|ext| ext == "toml"));
    files.map(|path| path.strip_prefix(project.path()).unwrap().display().to_string()).collect()
}

fn project() -> Project {
    Project::new("http://127.0.0.1:9", "test")
}

#[test]
fn the_stacks_and_modules_of_this_project_are_accepted() {
    let Some(taplo) = editor("taplo") else { return };
    let project = project();
    project.expect(0, &["schema", "--out", ".leoctl/stack.json"]);
    project.expect(0, &["schema", "--module", "--out", ".leoctl/module.json"]);
    let stacks = [toml_files(&project, "stacks"), toml_files(&project, "stacks/base")].concat();
    let said = checked(&taplo, &project, Some(".leoctl/stack.json"), &stacks);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/aws/examples");
    let mut modules = toml_files(&project, "modules");
    for folder in [examples.clone(), examples.join("data")] {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        modules.extend(entries.filter(|path| path.is_file()).map(|path| path.display().to_string()));
    }
    let said = checked(&taplo, &project, Some(".leoctl/module.json"), &modules);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[test]
fn what_is_wrong_is_refused_at_its_place() {
    let Some(taplo) = editor("taplo") else { return };
    let project = project();
    project.write("stacks/queue.toml", "[stack]\nname = \"q\"\n[resource.awscc_sqs_queue.main]\nvisibility_timeout = 30\n");
    project.expect(0, &["schema", "--out", "stack.json"]);
    for (wrong, said) in [
        ("[resource.vpc.main]\ncidr_blok = \"10.0.0.0/16\"\n", "'cidr_blok' was unexpected"),
        ("[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\nenable_dns_hostnames = 1\n", "1 is not valid"),
        ("[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\nenable_dns_hostnames = \"yes\"\n", "\"yes\" is not valid"),
        ("[resource.vpcs.main]\ncidr_block = \"10.0.0.0/16\"\n", "'vpcs' was unexpected"),
        (
            "[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\nlifecycle = { prevent_destruction = true }\n",
            "'prevent_destruction' was unexpected",
        ),
        ("[resource.s3_bucket.main]\nversioning = \"On\"\n", "\"On\" is not valid"),
        ("[stack]\nnaem = \"x\"\n", "'naem' was unexpected"),
        ("[vars.x]\ndefalt = 1\n", "'defalt' was unexpected"),
        ("[data.vpc.main]\ndefault = 3\n", "3 is not valid"),
        ("[resource.awscc_sqs_queue.main]\nvisibility = 30\n", "'visibility' was unexpected"),
        ("[resources.vpc.main]\n", "'resources' was unexpected"),
    ] {
        project.write("stacks/wrong.toml", wrong);
        let ran = checked(&taplo, &project, Some("stack.json"), &["stacks/wrong.toml".to_owned()]);
        assert!(ran.code == 1 && ran.stderr.contains(said), "{wrong}{}", ran.stderr);
    }
    for right in [
        "[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\nenable_dns_hostnames = \"${vars.x}\"\nwhen = true\nlifecycle = { prevent_destroy = true }\n",
        "[resource.awscc_events_rule.main]\nwhat_nobody_told_the_editor = 1\n",
        "[data.instance.box]\nid = \"i-1\"\n",
        "[data.awscc_sqs_queue.main]\nid = \"q\"\n",
        "[cost]\nhours = 200\n[cost.lb.main]\nlb_capacity_units = 2\n",
    ] {
        project.write("stacks/right.toml", right);
        let ran = checked(&taplo, &project, Some("stack.json"), &["stacks/right.toml".to_owned()]);
        assert_eq!(ran.code, 0, "{right}{}", ran.stderr);
    }
}

#[test]
fn a_type_that_is_named_is_in_it_and_one_that_there_is_not_is_said() {
    let project = project();
    let schema = project.json(&["schema", "--type", "awscc_events_rule"]);
    assert!(schema["properties"]["resource"]["properties"]["awscc_events_rule"].is_object());
    let said = project.expect(1, &["schema", "--type", "awscc_events_rul"]).stderr;
    assert!(said.contains("`awscc_events_rule`"), "{said}");
}

/// A language server that is talked to.
struct Server {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Server {
    fn start(program: &Path, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(["lsp", "--offline"]).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    fn says(&mut self, message: &Json) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    /// The next message that is wanted; what the server asks is answered with nothing.
    fn hears(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                assert!(self.from.read_line(&mut line).unwrap() > 0, "the language server ended");
                match line.trim().split_once(": ") {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                    Some(_) => {}
                    None => break,
                }
            }
            let mut text = vec![0; length];
            self.from.read_exact(&mut text).unwrap();
            let message: Json = serde_json::from_slice(&text).unwrap();
            if let (Some(id), true) = (message.get("id"), message.get("method").is_some()) {
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": null });
                self.says(&answer);
            }
            if wanted(&message) {
                return message;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn an_editor_completes_and_checks_a_stack_that_init_has_written() {
    let (Some(taplo), Some(tombi)) = (editor("taplo"), editor("tombi")) else { return };
    let project = project();
    std::fs::remove_dir_all(project.path().join("stacks")).unwrap();
    project.expect(0, &["init"]);
    let said = checked(&taplo, &project, None, &["stacks/dev.toml".to_owned()]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let text = std::fs::read_to_string(project.path().join("stacks/dev.toml")).unwrap();
    assert!(text.starts_with("#:schema ../.leoctl/stack.schema.json\n"), "{text}");
    let text = format!("{text}\n[resource.s3_bucket.files]\nversion");
    project.write("stacks/dev.toml", &text);
    let folder = project.path().canonicalize().unwrap();
    let uri = format!("file://{}", folder.join("stacks/dev.toml").display());
    let mut server = Server::start(&tombi, &folder);
    let root = format!("file://{}", folder.display());
    let start = json!({ "processId": null, "rootUri": root, "capabilities": {}, "workspaceFolders": [{ "uri": root, "name": "project" }] });
    server.says(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start }));
    server.hears(|message| message["id"] == 1 && message.get("method").is_none());
    server.says(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
    server.says(&json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } }));
    server.hears(|message| message["method"] == "textDocument/publishDiagnostics");
    let at = json!({ "line": text.lines().count() - 1, "character": "version".len() });
    let asked = json!({ "textDocument": { "uri": uri }, "position": at });
    server.says(&json!({ "jsonrpc": "2.0", "id": 2, "method": "textDocument/completion", "params": asked }));
    let answer = server.hears(|message| message["id"] == 2 && message.get("method").is_none());
    let items = answer["result"].as_array().or_else(|| answer["result"]["items"].as_array()).unwrap_or_else(|| panic!("{answer}"));
    let item = items.iter().find(|item| item["label"] == "versioning").unwrap_or_else(|| panic!("{answer}"));
    assert!(item["documentation"].to_string().contains("overwritten and deleted objects"), "{item}");
}
