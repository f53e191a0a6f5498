//! Files that are not what they should be, by chance: whatever stands in a stack file, a state, a journal or a plan,
//! leoctl says what is wrong and goes on living.

use std::path::Path;

use leoctl::store::LocalStore;
use leoctl_aws::registry;
use leoctl_core::engine::ports::Store;
use leoctl_core::model::state::State;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{self, Files};
use proptest::prelude::*;

use crate::support::program::Project;

const LEO: &str = include_str!("../../stacks/base/leo.toml");

struct Only(String);

impl Files for Only {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

/// Reads a stack text, and shows what is wrong with it.
fn load(text: String) {
    let loaded = stack::load(Path::new("s.toml"), &Only(text), &Given::default(), registry::catalog());
    drop(leoctl::ui::diagnostics::render(&loaded.diagnostics, &loaded.sources, false));
}

/// A piece cut out, doubled, or put in the place of another.
#[derive(Clone, Debug)]
enum Edit {
    Cut(usize, usize),
    Double(usize, usize),
    Put(usize, String),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let words = prop_oneof![
        Just("${"),
        Just("}"),
        Just("\""),
        Just("["),
        Just("]"),
        Just("{"),
        Just("= "),
        Just("\n[resource.vpc.main]\n"),
        Just("null"),
        Just("each.key"),
        Just("99999999999999999999"),
        Just("-1"),
        Just("é\u{202e}\u{0}"),
        Just("for_each = \"${keys(vpc.main)}\"\n"),
        Just("'''"),
    ];
    let edit = prop_oneof![
        (any::<usize>(), 0_usize..200).prop_map(|(at, length)| Edit::Cut(at, length)),
        (any::<usize>(), 0_usize..400).prop_map(|(at, length)| Edit::Double(at, length)),
        (any::<usize>(), words.prop_map(str::to_owned)).prop_map(|(at, text)| Edit::Put(at, text)),
        (any::<usize>(), "\\PC{0,12}").prop_map(|(at, text)| Edit::Put(at, text)),
    ];
    proptest::collection::vec(edit, 1..6)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for edit in edits {
        let length = text.len();
        let place = |at: usize| at.checked_rem(length).unwrap_or(0);
        match edit {
            Edit::Cut(at, long) => drop(text.drain(place(*at)..(place(*at) + long).min(length))),
            Edit::Double(at, long) => {
                let piece: Vec<char> = text[place(*at)..(place(*at) + long).min(length)].to_vec();
                text.splice(place(*at)..place(*at), piece);
            }
            Edit::Put(at, new) => drop(text.splice(place(*at)..place(*at), new.chars()).count()),
        }
    }
    text.into_iter().collect()
}

fn state_text() -> String {
    let mut state = State::new("s", "1", "r", "lineage".to_owned(), "salt".to_owned());
    state.outputs.insert("url".to_owned(), "http://x".into());
    serde_json::to_string_pretty(&state).unwrap()
}

const JOURNAL: &str = concat!(
    r#"{"record":"begin","lineage":"lineage","serial":0}"#,
    "\n",
    r#"{"record":"intent","address":"vpc.main","region":"r","token":"t","attributes":{"cidr_block":"10.0.0.0/16"},"depends_on":[],"guard":{"prevent_destroy":false,"retain":false}}"#,
    "\n",
    r#"{"record":"created","address":"vpc.main","id":"vpc-1"}"#,
    "\n",
    r#"{"record":"moved","from":"vpc.main","to":"vpc.other"}"#,
    "\n",
    r#"{"record":"deleted","address":"vpc.other","id":"vpc-1"}"#,
    "\n",
);

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_of_a_stack_file_is_read_or_refused(edits in edits()) {
        load(edited(LEO, &edits));
    }

    #[test]
    fn any_expression_is_evaluated_or_refused(source in "[a-z\\[\\]{}().,'+*?:<>=!&|%0-9 -]{0,60}") {
        load(format!("[stack]\nname = \"x\"\n[vars]\na.default = [1, 2]\n[resource.vpc.main]\ncidr_block = '''${{{source}}}'''\n"));
    }

    #[test]
    fn any_edit_of_a_state_or_a_journal_is_read_or_refused(state in edits(), journal in edits(), both in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let text = if both { edited(&state_text(), &state) } else { state_text() };
        std::fs::write(folder.path().join("s.json"), &text).unwrap();
        let written = edited(JOURNAL, &journal);
        std::fs::write(folder.path().join("s.journal"), &written).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        drop(runtime.block_on(LocalStore::new(folder.path(), "s").load()));
        // What cannot be read is kept as it is.
        prop_assert_eq!(std::fs::read_to_string(folder.path().join("s.json")).unwrap(), text);
        prop_assert_eq!(std::fs::read_to_string(folder.path().join("s.journal")).unwrap(), written);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_of_a_saved_plan_is_refused(edits in edits()) {
        let project = Project::new("", "test");
        let plan = r#"{"format_version":4,"stack_file":"stacks/none.toml","destroy":false,"targets":["vpc.main"],"excludes":[],"replace":[],"refresh":true,"lineage":"l","serial":1,"salt":"s","inputs":"x","read":"x","plan":{}}"#;
        project.write("p.json", &edited(plan, &edits));
        let ran = project.run(&["apply", "-y", "--plan", "p.json"]);
        prop_assert_eq!(ran.code, 1, "{}", ran.stderr);
    }
}

/// The same once more where the memory of the whole process is bounded: what asks for more dies.
#[cfg(target_os = "linux")]
#[test]
fn and_takes_no_more_than_200_megabytes() {
    let tests = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -d 204800; exec \"$0\" fuzz:: --skip megabytes --test-threads 2"]).arg(tests);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("4 passed"));
}
