//! Values that AWS chooses.

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::sdk;

#[tokio::test]
async fn a_random_value_is_put_once_and_known_to_nobody() {
    // MiniStack says of a secret without a value that it has a current version; CreateSecret makes none then (Secrets Manager
    // API Reference, CreateSecret).
    let endpoint = Emulator::Moto.endpoint().unwrap();
    let account = "430000000111";
    let project = Project::new(endpoint, account);
    let stack = |generate: &str| {
        format!(
            "[stack]\nname = \"random\"\nregion = \"us-east-1\"\n[resource.secretsmanager_secret.db]\nname = \"random/db\"\n\
             recovery_window_in_days = 0\n{generate}\n"
        )
    };
    let sdk = aws_sdk_secretsmanager::Client::new(&sdk::config(endpoint, account).await);
    let value = async || sdk.get_secret_value().secret_id("random/db").send().await.ok().and_then(|found| found.secret_string);
    project.write("stacks/a.toml", &stack(""));
    project.expect(0, &["apply", "-y", "stacks/a.toml"]);
    assert_eq!(value().await, None);
    let generate = "generate = { length = 24, exclude_punctuation = true, key = \"password\", template = { username = \"admin\" } }";
    project.write("stacks/a.toml", &stack(generate));
    let applied = project.expect(0, &["apply", "-y", "stacks/a.toml"]);
    let first = value().await.unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&first).unwrap();
    let password = parsed["password"].as_str().unwrap();
    assert_eq!((parsed["username"].as_str(), password.len()), (Some("admin"), 24));
    // What is said of it later leaves it as it is.
    project.expect(0, &["plan", "stacks/a.toml", "--detailed-exitcode"]);
    project.write("stacks/a.toml", &stack("generate = { length = 12 }"));
    let again = project.expect(0, &["apply", "-y", "stacks/a.toml"]);
    assert_eq!(value().await.as_deref(), Some(first.as_str()));
    let kept = project.expect(0, &["show", "stacks/a.toml", "--json"]);
    for text in [&applied.stdout, &applied.stderr, &again.stdout, &kept.stdout] {
        assert!(!text.contains(password), "{text}");
    }
    project.expect(0, &["destroy", "-y", "stacks/a.toml"]);
    project.write("stacks/a.toml", &stack("generate = { length = 12 }"));
    project.expect(0, &["apply", "-y", "stacks/a.toml"]);
    assert_eq!(value().await.unwrap().len(), 12);
    project.expect(0, &["destroy", "-y", "stacks/a.toml"]);
}

#[test]
fn the_key_of_a_random_value_needs_the_table_it_is_in() {
    let project = Project::new("", "430000000112");
    let stack = "[stack]\nname = \"random\"\nregion = \"us-east-1\"\n[resource.secretsmanager_secret.db]\nname = \"random/db\"\ngenerate = { key = \"password\" }\n";
    project.write("stacks/a.toml", stack);
    let refused = project.expect(1, &["validate", "stacks/a.toml"]);
    assert!(refused.stderr.contains("`key` needs `template` beside it"), "{}", refused.stderr);
}
