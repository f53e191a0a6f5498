//! Markdown as it looks on a forge: real renderers from the Python Package Index, whose HTML a real parser has read.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::python;

const PACKAGES: &[&str] = &["cmarkgfm==2025.10.22", "markdown-it-py==4.3.0", "mdit-py-plugins==0.7.0", "linkify-it-py==2.2.0"];

/// What became of a document.
#[derive(Debug, serde::Deserialize)]
pub struct Document {
    /// Lines that something would obey which goes by lines.
    pub lines: Vec<String>,
    /// What each renderer made of it.
    pub rendered: BTreeMap<String, Rendered>,
}

/// What a renderer made of a document.
#[derive(Debug, serde::Deserialize)]
pub struct Rendered {
    /// Its elements in order, without inline code.
    pub elements: Vec<String>,
    /// Its text.
    pub text: String,
    /// The texts that are code.
    pub code: Vec<String>,
    /// Its hidden comments.
    pub comments: Vec<String>,
    /// What a forge would read as markup of its own, outside code.
    pub found: Vec<String>,
}

/// What becomes of these documents; nothing where there is no Python.
pub fn all(documents: &[String]) -> Option<Vec<Document>> {
    static MADE: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
    let folder = MADE.get_or_init(|| python::is_installed().then(|| python::environment("test-renderers", PACKAGES)));
    let Some(folder) = folder else {
        eprintln!("NOT TESTED: how Markdown looks on a forge, which needs python3");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/render.py");
    let mut child = Command::new(folder.join("bin/python"))
        .args(["-I", script])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = documents.iter().map(|document| format!("{}\n", serde_json::json!(document))).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the renderers failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let seen: Vec<Document> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), documents.len());
    Some(seen)
}
