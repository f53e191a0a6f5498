//! Plans as comments on pull requests: of both systems, stable, complete, and never too long.

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const LEO: &str = "stacks/prod.toml";
const AGENT: &str = "stacks/agent-prod.toml";

/// The comment about a plan, with what AWS makes up replaced by its kind.
fn comment(project: &Project, arguments: &[&str]) -> String {
    let arguments = [&["plan", "--markdown", "--commit", "4f2a9c1", "--var", "rollout=none"], arguments].concat();
    let first = project.expect(0, &arguments).stdout;
    // Twice the same: a comment that is updated in place shows real change only.
    assert_eq!(project.expect(0, &arguments).stdout, first);
    let kinds = [
        (r"\b(vpc|subnet|sg|sgr|igw|rtb|fs|fsmt|fsap|eigw|rtbassoc|vpc-cidr-assoc)-[0-9a-f]{6,}", "$1-ID"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        (r"127\.0\.0\.1:[0-9]+", "REGISTRY"),
        (r"plan `[0-9a-f]{32}`", "plan `ID`"),
        (r"(secret:[a-z/-]+)-[0-9a-f]{6}", "$1-SUFFIX"),
        (r"/[0-9a-f]{16}\b", "/ID"),
        (r"-[0-9a-f]{16}\.", "-ID."),
    ];
    kinds.iter().fold(first, |text, (pattern, kind)| regex_lite::Regex::new(pattern).unwrap().replace_all(&text, *kind).into_owned())
}

fn life(name: &str, stack: &str, change: &[&str], replace: &[&str]) {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let named = |kind: &str| format!("{name}_{kind}");
    insta::assert_snapshot!(named("create"), comment(&project, &[stack]));
    project.expect(0, &["apply", "-y", stack, "--var", "rollout=none"]);
    insta::assert_snapshot!(named("no_change"), comment(&project, &[stack]));
    insta::assert_snapshot!(named("change"), comment(&project, &[&[stack], change].concat()));
    insta::assert_snapshot!(named("replace"), comment(&project, &[&[stack], replace].concat()));
    insta::assert_snapshot!(named("destroy"), comment(&project, &[stack, "--destroy"]));
}

#[test]
fn comments_about_leo() {
    life("leo", LEO, &["--var", "environment=staging", "--var", "allowed_cidrs=[\"198.51.100.7/32\"]"], &["--var", "cluster_name=other"]);
}

#[test]
fn comments_about_the_agent() {
    life("agent", AGENT, &["--var", "memory=30720", "--var", "log_retention_days=30"], &["--var", "project_name=other"]);
}

#[test]
fn a_comment_about_several_stacks_is_one_and_a_broken_one_hides_no_other() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project
        .write("stacks/web.toml", "[stack]\nname = \"web\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nname = \"/web\"\n");
    project
        .write("stacks/bad.toml", "[stack]\nname = \"bad\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nnam = \"/bad\"\n");
    let both = project.expect(1, &["plan", "--markdown", "--detailed-exitcode", "stacks/web.toml", "stacks/bad.toml"]).stdout;
    assert_eq!(both.matches("<!-- leoctl plan").count(), 1);
    assert!(both.contains("1 to create") && both.contains("did you mean `name`?"), "{both}");
    let text = project.expect(1, &["plan", "stacks/web.toml", "stacks/bad.toml"]);
    assert!(text.stdout.ends_with("stacks/web.toml: Plan: 1 to create.\nstacks/bad.toml: no plan\n"), "{}", text.stdout);
    project
        .write("stacks/api.toml", "[stack]\nname = \"api\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nname = \"/api\"\n");
    // One that is named twice is planned once, in a list all the same.
    for (other, count) in [("stacks/api.toml", 2), ("stacks/web.toml", 1)] {
        let plans = project.expect(2, &["plan", "--detailed-exitcode", "--json", "stacks/web.toml", other]).stdout;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&plans).unwrap().as_array().unwrap().len(), count);
    }
}

#[test]
fn a_comment_stays_under_the_limit_and_says_what_it_leaves_out() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let groups = |count: usize| -> String {
        (0..count).map(|at| format!("[resource.cloudwatch_log_group.a{at}]\nname = \"/a/{at}\"\nretention_in_days = 7\n")).collect()
    };
    let stack = "[stack]\nname = \"many\"\nregion = \"us-east-1\"\n";
    let gone = "[resource.iam_role.gone]\nname = \"gone\"\nassume_role_policy = { Version = \"2012-10-17\", Statement = [] }\n";
    project.write("stacks/many.toml", &format!("{stack}{gone}"));
    project.expect(0, &["apply", "-y", "stacks/many.toml"]);
    for count in [500, 2000] {
        project.write("stacks/many.toml", &format!("{stack}{}", groups(count)));
        let text = project.expect(0, &["plan", "--markdown", "stacks/many.toml"]).stdout;
        assert!(text.chars().count() < 65_536, "{}", text.len());
        assert!(text.contains("**delete** `iam_role.gone`"), "{text}");
        let is_named = |at: &usize| ["`", "<"].iter().any(|end| text.contains(&format!("cloudwatch_log_group.a{at}{end}")));
        let named = (0..count).filter(is_named).count();
        let counted = text.contains(&format!("{count} × create `cloudwatch_log_group`"));
        assert!(named == count || counted, "{named} of {count} are named");
    }
}
