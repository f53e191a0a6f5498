//! `leoctl fmt`: the layout of stack and module files, and nothing else of them.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use leoctl_core::stack::format::format;

use crate::support::program::{Project, Ran, ran};

const LOOSE: &str = "[stack]\nname=\"web\"\nregion = \"us-west-2\"\n[resource.vpc.main]\ncidr_block=\"10.0.0.0/16\"\n";
const LAID_OUT: &str = "[stack]\nname   = \"web\"\nregion = \"us-west-2\"\n\n[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n";

fn project() -> Project {
    Project::new("http://127.0.0.1:9", "test")
}

fn read(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path().join(name)).unwrap()
}

fn through_stdin(project: &Project, arguments: &[&str], text: &str) -> Ran {
    let mut child = project.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    ran(child.wait_with_output().unwrap())
}

#[test]
fn the_stacks_and_modules_of_this_project_are_laid_out() {
    let files = project().json(&["fmt", "--check", "--json"]);
    assert_eq!(files["would_change"].as_array().unwrap().len(), 0, "run `leoctl fmt`: {files}");
    // Those that only another one extends, too.
    assert_eq!(files["files"].as_u64(), Some(13), "{files}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let starter = std::fs::read_to_string(root.join("templates/stack.toml")).unwrap();
    assert_eq!(format(&starter).unwrap(), starter);
}

#[test]
fn the_examples_of_the_documentation_are_laid_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).chain([root.join("README.md")]);
    for page in pages.filter(|path| path.extension().is_some_and(|ext| ext == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for example in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            // What stands for something is no TOML.
            if let Ok(wanted) = format(example) {
                assert_eq!(example, wanted, "{}", page.display());
            }
        }
    }
}

#[test]
fn a_file_is_formatted_and_only_that_is_said_of_it() {
    let project = project();
    project.write("stacks/web.toml", LOOSE);
    let checked = project.expect(1, &["fmt", "--check"]);
    assert!(checked.stdout.contains("--- stacks/web.toml\n") && checked.stdout.contains("+name   = \"web\"\n"), "{}", checked.stdout);
    assert!(!checked.stdout.contains("leo.toml"), "{}", checked.stdout);
    assert_eq!(read(&project, "stacks/web.toml"), LOOSE, "a check writes nothing");
    assert_eq!(project.expect(0, &["fmt"]).stdout, "stacks/web.toml\n");
    assert_eq!(read(&project, "stacks/web.toml"), LAID_OUT);
    assert_eq!(project.expect(0, &["fmt", "--check", "stacks/web.toml"]).stdout, "");
}

#[test]
fn an_editor_formats_what_is_not_saved_yet() {
    let project = project();
    let done = through_stdin(&project, &["fmt", "-"], LOOSE);
    assert_eq!((done.code, done.stdout.as_str()), (0, LAID_OUT));
    let windows = through_stdin(&project, &["fmt", "-"], &LOOSE.replace('\n', "\r\n"));
    assert_eq!(windows.stdout, LAID_OUT.replace('\n', "\r\n"));
    assert_eq!(through_stdin(&project, &["fmt", "--check", "-"], LOOSE).code, 1);
    let wrong = through_stdin(&project, &["fmt", "-"], "[stack]\nname = \n");
    assert!(wrong.code == 1 && wrong.stdout.is_empty() && wrong.stderr.contains("stdin:2"), "{}", wrong.stderr);
}

#[test]
fn what_cannot_be_read_stays_and_keeps_no_other_file_from_being_formatted() {
    let project = project();
    project.write("stacks/web.toml", LOOSE);
    project.write("stacks/broken.toml", "[stack]\nname=\"x\"\nregion = us-west-2\n");
    let said = project.expect(1, &["fmt", "stacks/broken.toml", "stacks/none.toml", "stacks/web.toml"]);
    assert!(said.stderr.contains("stacks/broken.toml:3") && said.stderr.contains("stacks/none.toml"), "{}", said.stderr);
    assert_eq!(read(&project, "stacks/broken.toml"), "[stack]\nname=\"x\"\nregion = us-west-2\n");
    assert_eq!(read(&project, "stacks/web.toml"), LAID_OUT);
}

#[test]
fn permissions_links_and_line_endings_stay() {
    let project = project();
    let (file, link) = (project.path().join("shared/web.toml"), project.path().join("stacks/web.toml"));
    project.write("shared/web.toml", &LOOSE.replace('\n', "\r\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
    symlink("../shared/web.toml", &link).unwrap();
    project.expect(0, &["fmt", "stacks/web.toml"]);
    assert!(link.is_symlink());
    assert_eq!(read(&project, "shared/web.toml"), LAID_OUT.replace('\n', "\r\n"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o664);
}
