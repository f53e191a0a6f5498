//! `docker-login` and `push`, with a docker that notes what it is told.

use std::os::unix::fs::PermissionsExt;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "images"
region = "us-east-1"
[resource.ecr_repository.app]
name = "images/app"
"#;

/// Notes its arguments and what it reads, and fails at what `FAIL` names.
const DOCKER: &str = "#!/bin/sh\necho \"$@\" >> \"$HOME/docker.log\"\n\
    [ \"$1\" = login ] && cat > \"$HOME/docker.password\"\n[ \"$1\" != \"$FAIL\" ]\n";

fn run(project: &Project, arguments: &[&str], fail: &str) -> Ran {
    let path = format!("{}/bin:/usr/bin:/bin", project.path().display());
    ran(project.command(arguments).env("PATH", path).env("FAIL", fail).output().unwrap())
}

#[test]
fn an_image_is_pushed_with_docker_and_the_password_stays_unseen() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    let uri = project.json(&["state", "pull", STACK])["resources"]["ecr_repository.app"]["current"]["attributes"]["repository_uri"].clone();
    let uri = uri.as_str().unwrap();

    let none = run(&project, &["push", "web:v3", "app", "--stack", STACK], "");
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("docker is not installed"), "{}", none.stderr);
    project.write("bin/docker", DOCKER);
    std::fs::set_permissions(project.path().join("bin/docker"), std::fs::Permissions::from_mode(0o755)).unwrap();

    let pushed = run(&project, &["push", "web:v3", "app", "--stack", STACK, "-vv"], "");
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    let log = std::fs::read_to_string(project.path().join("docker.log")).unwrap();
    let registry = uri.split_once('/').unwrap().0;
    let expected = format!("login --username AWS --password-stdin {registry}\ntag web:v3 {uri}:v3\npush {uri}:v3\n");
    assert_eq!(log, expected);
    let password = std::fs::read_to_string(project.path().join("docker.password")).unwrap();
    assert!(!password.is_empty() && !pushed.stderr.contains(&password) && !pushed.stdout.contains(&password));

    let refused = run(&project, &["push", "web", "app", "--tag", "v4", "--stack", STACK], "push");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("docker push"), "{}", refused.stderr);
    let typo = run(&project, &["push", "web", "ap", "--stack", STACK], "");
    assert!(typo.code == 1 && typo.stderr.contains("app"), "{}", typo.stderr);
    assert_eq!(run(&project, &["docker-login", STACK], "").code, 0);
}
