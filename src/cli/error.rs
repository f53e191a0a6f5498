//! Why a command failed, as text for people, as JSON for programs, and as annotations of the lines of files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::ops::Problem;
use crate::sandbox::SandboxError;
use crate::ui::{self, BAD, diagnostics::Place, failure, styled};
use leoctl_aws::profile::UnknownProfile;
use leoctl_core::engine::EngineError;
use leoctl_core::engine::ports::{Failure, StoreError};
use leoctl_core::stack::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Source, suggestion};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Something is wrong with the stack.
    #[error("{} errors", diagnostics.0.len())]
    Diagnostics {
        /// What.
        diagnostics: Diagnostics,
        /// Where.
        sources: Vec<Source>,
    },
    /// There is no plan.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox does not do it.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The user wanted it to stop.
    #[error("interrupted")]
    Interrupted,
    /// The command does not make sense.
    #[error("{message}")]
    Usage {
        /// Why not.
        message: String,
        /// What would.
        help: String,
    },
    /// Nobody has approved what was asked for.
    #[error("{message}")]
    NotApproved {
        /// What.
        message: String,
        /// How it is approved.
        help: String,
    },
}

impl CliError {
    pub(super) fn usage(message: &str, help: &str) -> Self {
        Self::Usage { message: message.to_owned(), help: help.to_owned() }
    }

    /// AWS did not do what a command was at; `doing` says what, in words.
    pub(super) fn aws(doing: &str, failure: Failure) -> Self {
        EngineError::Aws { doing: doing.to_owned(), failure }.into()
    }

    /// What is wrong with the stack, and its files.
    fn diagnostics(&self) -> Option<(&[Diagnostic], &[Source])> {
        match self {
            Self::Diagnostics { diagnostics, sources } => Some((&diagnostics.0, sources)),
            Self::Engine(EngineError::Diagnostics(diagnostics)) => Some((&diagnostics.0, &[])),
            _ => None,
        }
    }
}

impl From<Diagnostics> for CliError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics { diagnostics, sources: Vec::new() }
    }
}

impl From<UnknownProfile> for CliError {
    fn from(error: UnknownProfile) -> Self {
        let known = error.known.iter().map(String::as_str);
        let help = suggestion(&error.name, known).unwrap_or_else(|| "`aws configure list-profiles` lists those that there are".to_owned());
        Self::usage(&error.to_string(), &help)
    }
}

impl From<Problem> for CliError {
    fn from(Problem { message, help }: Problem) -> Self {
        Self::Usage { message, help }
    }
}

/// An error as text of several lines: everything that is known of it, and what to do.
pub(super) fn text(error: &CliError, colour: bool) -> String {
    let titled = |code: Code, message: &str, rest: Vec<String>| {
        let title = ui::prose(format!("{}: {message}", styled(BAD, format!("error[{}]", code.as_str()))));
        let text = std::iter::once(title).chain(rest).collect::<Vec<_>>().join("\n");
        if colour { text } else { ui::terminal::plain(&text) }
    };
    let helps = |helps: &[String]| helps.iter().map(|help| ui::prose(format!("help: {help}"))).collect();
    match error {
        CliError::Interrupted => {
            if colour {
                styled(BAD, "Interrupted.")
            } else {
                "Interrupted.".to_owned()
            }
        }
        CliError::Diagnostics { diagnostics, sources } => ui::diagnostics::render(diagnostics, sources, colour),
        CliError::Engine(EngineError::Diagnostics(diagnostics)) => ui::diagnostics::render(diagnostics, &[], colour),
        CliError::Engine(EngineError::Aws { doing, failure: why }) => {
            titled(Code::Aws, doing, failure::lines(why).iter().map(|line| ui::prose(format!("  {line}"))).collect())
        }
        CliError::Store(StoreError { message, help, code, .. }) => titled(*code, message, helps(help)),
        CliError::Sandbox(SandboxError { message, help }) => titled(Code::Sandbox, message, helps(help.as_slice())),
        CliError::Usage { message, help } => titled(Code::Usage, message, helps(std::slice::from_ref(help))),
        CliError::NotApproved { message, help } => titled(Code::NotApproved, message, helps(std::slice::from_ref(help))),
    }
}

/// An error as data: one entry for each mistake of a stack, one for everything else. `docs/plan-json.md` has the fields.
pub(super) fn json(error: &CliError) -> Vec<Json> {
    let one = |code: Code, message: &str, help: &[String]| vec![entry(code, message, help)];
    match error {
        CliError::Diagnostics { diagnostics, sources } => of_stack(&diagnostics.0, sources),
        CliError::Engine(EngineError::Diagnostics(diagnostics)) => of_stack(&diagnostics.0, &[]),
        CliError::Engine(EngineError::Aws { doing, failure: why }) => {
            let message = if why.message.is_empty() { doing.clone() } else { format!("{doing}: {}", why.message) };
            let mut entry = entry(Code::Aws, &message, failure::hint(why).as_slice());
            if let Some(entry) = entry.as_object_mut() {
                let called = (!why.operation.is_empty()).then_some(&why.operation);
                entry.insert("aws".to_owned(), json!({ "operation": called, "code": why.code, "request_id": why.request_id }));
            }
            vec![entry]
        }
        CliError::Store(StoreError { message, help, code, .. }) => one(*code, message, help),
        CliError::Sandbox(SandboxError { message, help }) => one(Code::Sandbox, message, help.as_slice()),
        CliError::Interrupted => one(Code::Interrupted, "interrupted", &[]),
        CliError::Usage { message, help } => one(Code::Usage, message, std::slice::from_ref(help)),
        CliError::NotApproved { message, help } => one(Code::NotApproved, message, std::slice::from_ref(help)),
    }
}

/// The arguments make no command, as JSON.
pub(super) fn no_command(message: &str, help: &[String]) -> Json {
    entry(Code::Usage, message, help)
}

/// What is wrong with a stack, or worth knowing of it, as JSON.
pub(super) fn of_stack(diagnostics: &[Diagnostic], sources: &[Source]) -> Vec<Json> {
    let with_place = |one: &Diagnostic| {
        let mut entry = entry(one.code, &one.message, &one.help);
        if let (Some(fields), Some(place)) = (entry.as_object_mut(), ui::diagnostics::place(one, sources)) {
            let Place { file, line, column, end_line, end_column } = place;
            let at = json!({ "file": file, "line": line, "column": column, "end_line": end_line, "end_column": end_column });
            fields.insert("at".to_owned(), at);
        }
        if let (Some(fields), Some(address)) = (entry.as_object_mut(), &one.address) {
            fields.insert("address".to_owned(), json!(address));
        }
        entry
    };
    diagnostics.iter().map(with_place).collect()
}

fn entry(code: Code, message: &str, help: &[String]) -> Json {
    json!({ "code": code.as_str(), "message": ui::terminal::plain(message), "help": help, "at": null, "address": null, "aws": null })
}

/// Shows an error where this run shows errors, on stderr: as text, with `--json` one JSON object a line. In a workflow of
/// GitHub the lines of files that it is about are annotated.
pub(super) fn show(error: &CliError, as_json: bool, colour: bool) {
    match as_json {
        true => json(error).into_iter().for_each(|entry| ui::terminal::object(&json!({ "error": entry }))),
        false => {
            ui::note(text(error, colour));
            if ui::terminal::stderr_is_terminal() {
                more(error).into_iter().for_each(ui::note);
            }
        }
    }
    if !as_json && std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        let (diagnostics, sources) = error.diagnostics().unwrap_or_default();
        diagnostics.iter().filter_map(|one| annotation(one, sources)).for_each(|one| ui::terminal::runner_command(&one));
    }
}

/// Where there is more to read of what is wrong with a stack.
fn more(error: &CliError) -> Option<String> {
    let (diagnostics, _) = error.diagnostics()?;
    let first = diagnostics.iter().find(|one| one.severity == Severity::Error)?;
    Some(ui::prose(format!("\n`leoctl explain {}` says more.", first.code.as_str())))
}

/// What is wrong with a stack, or worth knowing of it, as entries of a code quality report (GitLab Docs, Code Quality report
/// format). What is at no place in particular is shown at the first line of the stack's `file`.
pub(super) fn code_quality(file: &Path, diagnostics: &[Diagnostic], sources: &[Source]) -> Vec<Json> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let here = std::env::current_dir().unwrap_or_default();
    let entry = |one: &Diagnostic| {
        let place = ui::diagnostics::place(one, sources);
        let (begin, end) = place.as_ref().map_or((1, 1), |place| (place.line, place.end_line));
        let path = place.map_or_else(|| file.to_owned(), |place| place.file.into());
        let path = path.strip_prefix(&here).unwrap_or(&path).display().to_string();
        let severity = match one.severity {
            Severity::Error => "critical",
            Severity::Warning => "minor",
        };
        let code = one.code.as_str();
        // The same mistake is the same finding when lines above it change; those that read the same are told by their order.
        let what = format!("{path}\0{code}\0{}", one.message);
        let number = seen.entry(what.clone()).and_modify(|number| *number += 1).or_default();
        let fingerprint = Sha256::digest(format!("{what}\0{number}"));
        json!({
            "description": said(one).join("; "),
            "check_name": code,
            "fingerprint": fingerprint.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "severity": severity,
            "location": { "path": path, "lines": { "begin": begin, "end": end } },
        })
    };
    diagnostics.iter().map(entry).collect()
}

/// What there is to say of a mistake: what is wrong, and what to do.
fn said(diagnostic: &Diagnostic) -> Vec<&str> {
    std::iter::once(diagnostic.message.as_str()).chain(diagnostic.help.iter().map(String::as_str)).collect()
}

/// A mistake as a command to a workflow of GitHub, which shows it at its line (Workflow commands for GitHub Actions).
fn annotation(diagnostic: &Diagnostic, sources: &[Source]) -> Option<String> {
    let Place { file, line, column, end_line, .. } = ui::diagnostics::place(diagnostic, sources)?;
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let place = format!("file={},line={line},col={column},endLine={end_line}", property(&file));
    Some(format!("::{kind} {place},title={}::{}", diagnostic.code.as_str(), data(&said(diagnostic).join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::stack::diagnostic::Span;

    fn wrong() -> (Diagnostics, Vec<Source>) {
        let text = "a = 1\nb = \"é\" wrong\n";
        let start = text.find("wrong").unwrap();
        let one = Diagnostic::error(Code::WrongType, &Span { file: 0, range: start..start + 5 }, "100% wrong")
            .help("write\nright")
            .about("vpc.main");
        (Diagnostics::from(vec![one]), vec![Source { path: "a,b.toml".into(), text: text.to_owned(), private: false }])
    }

    #[test]
    fn a_mistake_has_its_code_its_place_and_its_address_as_json() {
        let (diagnostics, sources) = wrong();
        let shown = json(&CliError::Diagnostics { diagnostics, sources });
        let at = json!({ "file": "a,b.toml", "line": 2, "column": 9, "end_line": 2, "end_column": 14 });
        assert_eq!(
            shown,
            [json!({ "code": "E0303", "message": "100% wrong", "help": ["write\nright"], "at": at, "address": "vpc.main", "aws": null })]
        );
    }

    #[test]
    fn what_aws_refuses_has_its_operation_code_and_request() {
        use leoctl_core::engine::ports::FailureKind;
        let failure = Failure {
            operation: "s3:GetBucketTagging".to_owned(),
            code: Some("AccessDenied".to_owned()),
            request_id: Some("r1".to_owned()),
            ..Failure::new(FailureKind::Invalid, "no")
        };
        let shown = json(&CliError::aws("cannot read s3_bucket.data", failure)).remove(0);
        assert_eq!(shown["code"], "E1001");
        assert_eq!(shown["message"], "cannot read s3_bucket.data: no");
        assert_eq!(shown["aws"], json!({ "operation": "s3:GetBucketTagging", "code": "AccessDenied", "request_id": "r1" }));
    }

    #[test]
    fn a_code_quality_report_has_what_gitlab_needs() {
        let (diagnostics, sources) = wrong();
        let alike = [diagnostics.0[0].clone(), diagnostics.0[0].clone(), Diagnostic::general(Code::Cycle, "nowhere")];
        let found = code_quality(Path::new("s.toml"), &alike, &sources);
        assert_eq!((&found[0]["check_name"], &found[0]["severity"]), (&json!("E0303"), &json!("critical")));
        assert_eq!(found[0]["location"], json!({ "path": "a,b.toml", "lines": { "begin": 2, "end": 2 } }));
        assert_eq!(found[0]["fingerprint"].as_str().map(str::len), Some(64));
        assert_ne!(found[0]["fingerprint"], found[1]["fingerprint"], "two are two");
        assert_eq!(found[2]["location"], json!({ "path": "s.toml", "lines": { "begin": 1, "end": 1 } }));
    }

    #[test]
    fn an_annotation_is_one_line_that_nothing_in_it_ends() {
        let (diagnostics, sources) = wrong();
        let shown = annotation(&diagnostics.0[0], &sources).unwrap();
        assert_eq!(shown, "::error file=a%2Cb.toml,line=2,col=9,endLine=2,title=E0303::100%25 wrong%0Awrite%0Aright");
    }
}
