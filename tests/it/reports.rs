//! What the workflows put on a forge beside plans: drift, what a command has said, stacks that are not planned. All of it
//! is whole, short enough, and text.

use std::io::Write;
use std::process::Stdio;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::{render, sdk};

const HOSTILE: &str = "an odd ` <!-- @user </details>";

/// Runs leoctl with a text on its standard input.
fn piped(project: &Project, arguments: &[&str], text: &str) -> Ran {
    let mut child = project.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    ran(child.wait_with_output().unwrap())
}

/// Asserts that nothing in these documents is markup that is not in the first of them.
fn alike(documents: &[&str]) {
    let documents: Vec<String> = documents.iter().map(|document| (*document).to_owned()).collect();
    let Some(seen) = render::all(&documents) else { return };
    for (document, one) in documents.iter().zip(&seen) {
        assert!(one.lines.is_empty(), "{:?}\n{document}", one.lines);
        for (renderer, rendered) in &one.rendered {
            assert_eq!(rendered.elements, seen[0].rendered[renderer].elements, "{renderer}\n{document}");
            assert!(rendered.found.is_empty(), "{renderer} {:?}\n{document}", rendered.found);
        }
    }
}

#[test]
fn what_a_command_has_said_is_a_text_and_its_end_is_kept() {
    let project = Project::new("", "test");
    let said = |name: &str, text: &str| {
        let ran = piped(&project, &["comment", "--title", "Applied", "--about", name, "--marker", "apply"], text);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let harmless = said("stacks-web.plan", "one\ntwo\n");
    assert_eq!(harmless, "<!-- leoctl apply -->\n### Applied: `stacks-web.plan`\n\n```text\n one\n two\n```\n");
    let hostile = said(HOSTILE, "```\n/close\n::add-mask::x\n##[group]y\n</details><!--\n\u{202e}@user");
    assert!(hostile.contains(" \\u003a:add-mask::x\n"), "{hostile}");
    alike(&[&harmless, &hostile]);

    project.write("log", &(0..9000).map(|at| format!("line {at}\n")).collect::<String>());
    let long = project.expect(0, &["comment", "--title", "Applied", "--limit", "3000", "log"]).stdout;
    assert!(long.len() <= 3000 && long.len() > 2900, "{}", long.len());
    assert!(long.contains(" lines are left out") && long.ends_with(" line 8999\n```\n"), "{long}");
    let none = project.expect(1, &["comment", "--title", "Applied", "missing"]);
    assert!(none.stderr.contains("cannot read missing"), "{}", none.stderr);
}

#[test]
fn that_nothing_is_planned_and_what_is_deleted_is_said() {
    let project = Project::new("", "test");
    let comment = |file: &str| project.expect(0, &["plan", "--markdown", "--no-stack", "--marker", "x y", "--deleted", file]).stdout;
    let harmless = comment("stacks/web.toml");
    let deleted = "`stacks/web.toml` is deleted: what was made from it stays in AWS";
    assert!(harmless.starts_with(&format!("<!-- leoctl plan x%20y -->\n## leoctl plan\n\n{deleted}")), "{harmless}");
    let none = project.expect(0, &["plan", "--markdown", "--no-stack", "--marker", "x y"]).stdout;
    assert_eq!(none.trim_end(), "<!-- leoctl plan x%20y -->\n## leoctl plan\n\nNo stack is changed.");
    alike(&[&harmless, &comment(HOSTILE), &comment("\n/close\n::add-mask::x")]);

    let names: Vec<String> = (0..200).map(|at| format!("stacks/{at}.toml")).collect();
    let mut arguments = vec!["plan", "--markdown", "--no-stack", "--limit", "2000"];
    names.iter().for_each(|name| arguments.extend(["--deleted", name]));
    let many = project.expect(0, &arguments).stdout;
    assert!(many.len() <= 2000 && many.contains("200 stack files are deleted: "), "{many}");
}

#[test]
fn a_comment_is_made_of_whole_blocks_however_short_it_is() {
    let project = Project::new("", "test");
    let files: Vec<String> = (0..30).map(|at| format!("stacks/bad{at}.toml")).collect();
    files.iter().for_each(|file| project.write(file, "[stack]\nname = \"bad\"\nregion = \"us-east-1\"\n[resource.vpc.a]\nnam = \"```\"\n"));
    for limit in ["2000", "4000", "9000", "65000"] {
        let arguments = ["plan", "--markdown", "--limit", limit].into_iter().chain(files.iter().map(String::as_str));
        let text = project.expect(1, &arguments.collect::<Vec<_>>()).stdout;
        assert!(text.len() <= limit.parse().unwrap(), "{}: {text}", text.len());
        assert_eq!(text.matches("````").count() % 2, 0, "{text}");
        let all = files.iter().all(|file| text.contains(&format!("### `{file}`: no plan")));
        assert!(all || text.contains(" stacks are too many for a comment"), "{text}");
        assert!(limit == "65000" || all != text.contains(" stacks are too many"), "{text}");
    }
}

#[tokio::test]
async fn drift_of_several_stacks_is_one_report() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let iam = aws_sdk_iam::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    for name in ["web", "api"] {
        // A role's description takes what tags do not.
        let stack = format!(
            "[stack]\nname = \"{name}\"\nregion = \"us-east-1\"\n[resource.iam_role.a]\nname = \"{name}\"\ndescription = \"a\"\n\
             assume_role_policy = {{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ Service = \"ecs-tasks.amazonaws.com\" }} }}] }}\n"
        );
        let file = format!("stacks/{name}.toml");
        project.write(&file, &stack);
        project.expect(0, &["apply", "-y", &file]);
    }
    let report = |code: i32, more: &[&str]| {
        project.expect(code, &[&["drift", "--markdown", "stacks/web.toml", "stacks/api.toml"], more].concat()).stdout
    };
    assert_eq!(report(0, &[]), "<!-- leoctl drift -->\n## Changed outside leoctl\n\nNothing, in 2 stacks.\n");
    let mut documents = Vec::new();
    let long = format!("{HOSTILE}{}", "x".repeat(200));
    for note in ["harmless", "` <!-- @user </details>", long.as_str()] {
        iam.update_role().role_name("web").description(note).send().await.unwrap();
        documents.push(report(2, &[]));
    }
    assert!(documents.iter().all(|one| one.contains("### `stacks/web.toml`") && !one.contains("stacks/api.toml")), "{documents:?}");
    assert!(documents[1].contains("` <!-- @user </details>"), "{}", documents[1]);
    alike(&documents.iter().map(String::as_str).collect::<Vec<_>>());

    project.write("stacks/bad.toml", "[stack]\n```\n");
    let bad = report(1, &["stacks/bad.toml"]);
    assert!(bad.contains("### `stacks/bad.toml` could not be read") && bad.contains("### `stacks/web.toml`"), "{bad}");
    let both = project.expect(2, &["drift", "stacks/web.toml", "stacks/api.toml"]).stdout;
    assert!(both.contains("Stack stacks/web.toml") && both.contains("Stack stacks/api.toml\nNo drift"), "{both}");
}
