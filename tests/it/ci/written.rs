//! What `leoctl init` writes and what the page says of it: a stack that applies, workflows whose steps are the tested
//! scripts, roles for whom the page says, and how leoctl is installed.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::{Ci, WEB, group};
use crate::support::emulator::{self, Emulator};
use crate::support::program::{Project, ran};

const WORKFLOWS: &[&str] =
    &["templates/github/leoctl.yml", "templates/github/leoctl-comment.yml", "templates/github/leoctl-drift.yml", "templates/gitlab-ci.yml"];

#[test]
fn leoctl_is_installed_from_where_it_is_said_to_be() {
    let ci = Ci::github("");
    let program = env!("CARGO_BIN_EXE_leoctl");
    std::fs::copy(program, ci.file("release")).unwrap();
    let sum = ran(Command::new("sha256sum").arg(program).output().unwrap()).stdout;
    let sum = sum.split_whitespace().next().unwrap();
    let (path, temp) = (ci.file("path"), ci.file(""));
    let base = [("GITHUB_PATH", path.as_str()), ("RUNNER_TEMP", temp.as_str())];
    let url = ("LEOCTL_URL", "https://github.example/leoctl");
    let wrong = ci.expect(1, &["install"], &[base[0], base[1], url, ("LEOCTL_SHA256", &"0".repeat(64))]);
    assert!(wrong.stderr.contains("not the one that LEOCTL_SHA256 is of"), "{}", wrong.stderr);
    assert!(!Path::new(&path).exists());
    for more in [[url, ("LEOCTL_SHA256", sum)], [("LEOCTL_BINARY", program), url]] {
        let folder = ci.expect(0, &["install"], &[&base[..], &more[..]].concat()).stdout;
        assert!(std::fs::read_to_string(&path).unwrap().ends_with(&folder));
        assert!(Path::new(folder.trim()).join("leoctl").is_file());
        let there: Vec<_> = std::fs::read_dir(folder.trim()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(there, ["leoctl"], "what others have left is not on the PATH");
    }
}

#[test]
fn what_another_job_or_the_repository_has_left_is_not_installed() {
    let ci = Ci::github("");
    let temp = ci.file("");
    let archive = |folders: &[&str]| {
        for folder in folders {
            std::fs::create_dir_all(ci.file(folder)).unwrap();
            std::fs::copy(env!("CARGO_BIN_EXE_leoctl"), ci.file(&format!("{folder}/leoctl"))).unwrap();
        }
        let done = Command::new("tar").args(["-czf", &ci.file("release"), "-C", &temp]).args(folders).status().unwrap();
        assert!(done.success());
    };
    let base = [("RUNNER_TEMP", temp.as_str()), ("LEOCTL_URL", "https://github.example/leoctl.tar.gz")];
    for program in ["leoctl-bin/git", "leoctl-bin/unpacked/0/leoctl"] {
        let file = std::path::PathBuf::from(ci.file(program));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "#!/bin/sh\necho evil\n").unwrap();
    }
    archive(&["release-1"]);
    let ran = ci.expect(0, &["install"], &base);
    let folder = Path::new(ran.stdout.trim());
    assert!(ran.stderr.contains("leoctl 0.") && !folder.join("git").exists(), "{}", ran.stderr);
    archive(&["release-1", "release-2"]);
    assert!(ci.expect(1, &["install"], &base).stderr.contains("more than one leoctl"));

    // Cargo does what files of the folder say in which it is run.
    ci.program("cargo", "#!/bin/sh\npwd > \"$FORGE/built-in\"\nmkdir bin && cp \"$LEOCTL\" bin/leoctl\n");
    let git = [("RUNNER_TEMP", temp.as_str()), ("LEOCTL_GIT", "https://github.example/leoctl"), ("LEOCTL", env!("CARGO_BIN_EXE_leoctl"))];
    ci.expect(0, &["install"], &git);
    let built_in = std::fs::read_to_string(ci.file("built-in")).unwrap();
    assert!(!Path::new(built_in.trim()).starts_with(ci.project.path().canonicalize().unwrap()), "{built_in}");
}

#[test]
fn init_writes_a_stack_that_applies_and_overwrites_nothing() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    std::fs::remove_dir_all(project.path().join("stacks")).unwrap();
    project.write(".gitignore", "target/\n.env\n");
    let ran = project.expect(0, &["init", "--ci", "gitlab"]);
    assert!(ran.stdout.contains("+ stacks/dev.toml\n") && ran.stdout.contains(".gitignore is there already"), "{}", ran.stdout);
    assert!(ran.stderr.contains("  leoctl-out/\n") && !ran.stderr.contains("  .env\n"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(project.path().join(".gitignore")).unwrap(), "target/\n.env\n");
    project.expect(0, &["validate"]);
    project.expect(0, &["apply", "-y"]);
    assert!(project.expect(0, &["plan"]).stdout.contains("No changes"));

    // A job of CI whose files go with it does not make what nobody remembers.
    let mut job = project.command(&["apply", "-y"]);
    let refused = crate::support::program::ran(job.env("CI", "true").env_remove("AWS_ENDPOINT_URL").output().unwrap());
    assert!(refused.code == 1 && refused.stderr.contains("[stack.backend.s3]"), "{}", refused.stderr);
    let bootstrap = Project::new("", "test");
    std::fs::remove_dir_all(bootstrap.path().join("stacks")).unwrap();
    bootstrap.write("stacks/bootstrap/ci.toml", "");
    assert!(!bootstrap.expect(0, &["init", "--ci", "github"]).stdout.contains("stacks/dev.toml"), "who has stacks needs no example");

    project.write("stacks/dev.toml", &group("mine", 7));
    project.write(".leoctl/ci/plan.sh", "mine");
    let again = project.json(&["init", "--ci", "gitlab", "--json"]);
    assert_eq!(again["written"], json!([]));
    assert!(again["kept"].as_array().unwrap().contains(&json!(".leoctl/ci/plan.sh")), "{again}");
    let github = project.json(&["init", "--ci", "github", "--json"]);
    assert_eq!(
        github["written"],
        json!([
            ".github/workflows/leoctl.yml",
            ".github/workflows/leoctl-comment.yml",
            ".github/workflows/leoctl-drift.yml",
            ".leoctl/ci/comment.py",
            ".leoctl/ci/github.sh",
            ".leoctl/ci/github-login.sh"
        ])
    );
    assert_eq!(std::fs::read_to_string(project.path().join(".leoctl/ci/plan.sh")).unwrap(), "mine");

    std::fs::create_dir(project.path().join("locked")).unwrap();
    std::fs::write(project.path().join("locked/.leoctl"), "a file").unwrap();
    let mut command = project.command(&["init", "--ci", "github"]);
    let failed = crate::support::program::ran(command.current_dir(project.path().join("locked")).output().unwrap());
    assert!(failed.code == 1 && failed.stderr.contains("cannot write .leoctl/ci/"), "{}", failed.stderr);
}

/// Reads YAML as JSON.
pub fn yaml(path: &Path) -> Json {
    let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1])), default=str))";
    let ran = ran(Command::new(emulator::python()).args(["-c", program]).arg(path).output().unwrap());
    assert_eq!(ran.code, 0, "{}: {}", path.display(), ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The scripts that a workflow runs are written with it.
fn runs_what_is_there(ci: &Ci, lines: &[&str]) {
    let scripts = regex_lite::Regex::new(r"\.leoctl/ci/[a-z-]+\.(sh|py)").unwrap();
    let named: Vec<&str> = lines.iter().flat_map(|line| scripts.find_iter(line)).map(|found| found.as_str()).collect();
    assert!(!named.is_empty(), "{lines:?}");
    named.iter().for_each(|script| assert!(ci.project.path().join(script).is_file(), "there is no {script}"));
}

fn texts(value: &Json) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

#[test]
fn the_workflows_are_yaml_whose_steps_are_the_tested_scripts() {
    let github = Ci::new("", "github");
    for file in ["leoctl.yml", "leoctl-comment.yml", "leoctl-drift.yml"] {
        let workflow = yaml(&github.project.path().join(".github/workflows").join(file));
        let jobs = workflow["jobs"].as_object().unwrap();
        let steps: Vec<&Json> = jobs.values().flat_map(|job| job["steps"].as_array().unwrap()).collect();
        runs_what_is_there(&github, &steps.iter().filter_map(|step| step["run"].as_str()).collect::<Vec<_>>());
        for (name, job) in jobs {
            assert!(job["needs"].as_str().is_none_or(|needed| jobs.contains_key(needed)), "{name}");
        }
        let roles: Vec<&str> = steps.iter().filter_map(|step| step["with"]["role-to-assume"].as_str()).collect();
        assert!(roles.iter().all(|role| role.starts_with("${{ vars.LEOCTL_")), "{roles:?}");
    }
    // What is approved stands in the name of the job.
    let workflow = yaml(&github.project.path().join(".github/workflows/leoctl.yml"));
    let apply = &workflow["jobs"]["apply"];
    let name = apply["name"].as_str().unwrap();
    assert!(name.starts_with("apply ${{ matrix.plan.stack_file }} ${{ matrix.plan.plan_id }}${{ inputs.destroy && ' (destroy)'"), "{name}");
    assert_eq!(apply["needs"], "review");
    // The role that changes things is taken behind the environment only.
    let workflow = yaml(&github.project.path().join(".github/workflows/leoctl.yml"));
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        assert_eq!(job.to_string().contains("LEOCTL_APPLY_ROLE"), job["environment"] == "production", "{name}");
    }

    let gitlab = Ci::new("", "gitlab");
    let pipeline = yaml(&gitlab.project.path().join(".gitlab-ci.yml"));
    let stages = texts(&pipeline["stages"]);
    for job in ["leoctl-plan", "leoctl-review", "leoctl-apply", "leoctl-drift"] {
        assert!(stages.contains(&pipeline[job]["stage"].as_str().unwrap()), "{job}");
        assert_eq!(pipeline[job]["extends"], ".leoctl");
    }
    let lines = ["leoctl-plan", "leoctl-review", "leoctl-apply", "leoctl-drift"].iter().flat_map(|job| texts(&pipeline[job]["script"]));
    runs_what_is_there(&gitlab, &lines.chain(texts(&pipeline[".leoctl"]["before_script"])).collect::<Vec<_>>());
    assert!(pipeline["leoctl-apply"]["resource_group"].is_string());
    // What is carried out, somebody has started who could read it.
    let rules = pipeline["leoctl-apply"]["rules"].as_array().unwrap();
    assert!(!rules.is_empty() && rules.iter().all(|rule| rule["when"] == "manual"), "{rules:?}");

    // Of the action, every input is described, and every step runs a script beside it.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let action = yaml(&root.join("action/action.yml"));
    assert_eq!(action["runs"]["using"], "composite");
    assert!(action["inputs"].as_object().unwrap().values().all(|input| input["description"].is_string()));
    for script in ["install.sh", "plan.sh", "comment.py", "review.sh", "apply.sh", "drift.sh"] {
        assert!(root.join("action").join(script).is_file());
    }
}

/// Every value of a key, wherever it stands.
fn every<'a>(key: &str, value: &'a Json, found: &mut Vec<&'a Json>) {
    match value {
        Json::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.extend((name == key).then_some(value));
            every(key, value, found);
        }),
        Json::Array(items) => items.iter().for_each(|item| every(key, item, found)),
        _ => {}
    }
}

#[test]
fn what_others_write_is_never_part_of_a_script_and_no_filter_decides_what_is_planned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in WORKFLOWS.iter().chain(&["action/action.yml"]) {
        let workflow = yaml(&root.join(file));
        let found = |key| {
            let mut found = Vec::new();
            every(key, &workflow, &mut found);
            found
        };
        // A script gets it in its environment: as text, whatever it is.
        for run in found("run") {
            assert!(!run.as_str().unwrap().contains("${{"), "{file}: {run}");
        }
        for filter in ["changes", "paths-ignore"] {
            let steps = found(filter).into_iter().filter(|value| value.is_array()).count();
            assert_eq!(steps, 0, "{file} has {filter}");
        }
        // Of artifacts, `paths` says what is kept; of events there is none.
        assert!(workflow["true"].to_string().find("paths").is_none(), "{file}");
    }
}

#[test]
fn the_page_has_the_workflows_as_they_are_written_and_a_stack_that_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/ci.md")).unwrap();
    for file in WORKFLOWS {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(page.contains(&format!("```yaml\n{text}```\n")), "docs/ci.md does not have {file} as it is");
    }
    let stacks = stacks_of_the_page();
    assert_eq!(stacks.len(), 2, "one for each forge");
    let project = Project::new("", "test");
    for stack in stacks {
        project.write("stacks/ci.toml", &stack);
        project.expect(0, &["validate", "stacks/ci.toml"]);
    }
}

/// The stacks that docs/ci.md has for GitHub and GitLab.
fn stacks_of_the_page() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap();
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|text| text.contains("[stack]")).map(str::to_owned).collect()
}

/// A token as a forge gives one to a job, but for the signature, which the emulator does not look at.
fn token(issuer: &str, subject: &str) -> String {
    let part = |json: Json| base64url(json.to_string().as_bytes());
    let claims = json!({ "iss": issuer, "aud": "sts.amazonaws.com", "sub": subject });
    format!("{}.{}.{}", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims), base64url(b"signature"))
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let encoded = bytes.chunks(3).flat_map(|chunk| {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        (0..=chunk.len()).map(move |at| char::from(LETTERS[bits >> (18 - 6 * at) & 63]))
    });
    encoded.collect()
}

#[test]
fn the_roles_of_the_page_are_for_whom_it_says_and_nobody_else() {
    let github = ["https://token.actions.githubusercontent.com", "repo:acme/shop:pull_request", "repo:acme/shop:environment:production"];
    let branch = |project: &str, name: &str| format!("project_path:{project}:ref_type:branch:ref:{name}");
    let (feature, main) = (branch("acme/shop", "feature"), branch("acme/shop", "main"));
    let forges = [
        ("github", github, "repo:mallory/shop:pull_request".to_owned()),
        ("gitlab", ["https://gitlab.com", feature.as_str(), main.as_str()], branch("mallory/shop", "main")),
    ];
    for ((forge, [issuer, request, deployment], stranger), stack) in forges.iter().zip(stacks_of_the_page()) {
        let Some(emulator) = Emulator::Fakecloud.alone() else { return };
        let ci = Ci::new(&emulator.endpoint, forge);
        let bootstrap = "stacks/bootstrap/ci.toml";
        ci.project.write(bootstrap, &stack);
        ci.project.expect(0, &["apply", "-y", bootstrap]);
        let backend = "[stack.backend.s3]\nbucket = \"acme-shop-state\"\nkey = \"web.json\"\n";
        ci.project.write(WEB, &group("web", 7).replace("[resource", &format!("{backend}[resource")));
        let login = match *forge {
            "gitlab" => ". .leoctl/ci/gitlab-login.sh",
            _ => "export AWS_WEB_IDENTITY_TOKEN_FILE=$FORGE/token && printf %s \"$LEOCTL_ID_TOKEN\" > $FORGE/token",
        };
        let planned = |role: &str, subject: &str| {
            let role = ci.project.expect(0, &["output", bootstrap, role]).stdout.trim().to_owned();
            let mut bash =
                ci.script(&["plan"], &[("AWS_ROLE_ARN", &role), ("LEOCTL_ID_TOKEN", &token(issuer, subject)), ("CI_JOB_ID", "5")]);
            let mut job = Command::new("bash");
            job.args(["-c", &format!("{login} && leoctl plan {WEB}")]).current_dir(ci.project.path()).env_clear();
            job.envs(bash.env_remove("AWS_ACCESS_KEY_ID").get_envs().filter_map(|(name, value)| Some((name, value?))));
            ran(job.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap())
        };
        for (role, subject, code) in [
            ("plan_role", *request, 0),
            ("apply_role", *request, 1),
            ("apply_role", *deployment, 0),
            ("plan_role", stranger, 1),
            ("apply_role", stranger, 1),
        ] {
            let ran = planned(role, subject);
            assert_eq!(ran.code, code, "{role} for {subject}: {}", ran.stderr);
            assert!(code == 0 || ran.stderr.contains("AccessDenied"), "{}", ran.stderr);
        }
    }
}
