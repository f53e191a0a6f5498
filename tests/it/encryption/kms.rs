//! Encrypted by a key of KMS, in files and in buckets.

use super::{MARKER, STACK, shown, stack, state_of};
use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::sdk;

async fn kms(endpoint: &str, account: &str) -> aws_sdk_kms::Client {
    aws_sdk_kms::Client::new(&sdk::config(endpoint, account).await)
}

async fn new_key(endpoint: &str, account: &str) -> String {
    let made = kms(endpoint, account).await.create_key().send().await.unwrap();
    made.key_metadata().unwrap().arn().unwrap().to_owned()
}

fn of(key: &str) -> String {
    format!("[stack.encryption.kms]\nkey_id = \"{key}\"\n")
}

#[tokio::test]
async fn a_key_of_kms_encrypts_and_decrypts_and_no_other_does() {
    for (number, emulator) in [Emulator::Fakecloud, Emulator::Moto].into_iter().enumerate() {
        let Some(running) = emulator.alone() else { continue };
        let endpoint = running.endpoint.as_str();
        let account = format!("{:012}", 590_000_000_300_usize + number);
        let [ours, other] = [new_key(endpoint, &account).await, new_key(endpoint, &account).await];
        let project = Project::new(endpoint, &account);
        project.write(STACK, &stack(&of(&ours)));
        project.expect(0, &["apply", "-y", STACK]);
        assert!(shown(project.path()).is_empty(), "{emulator:?}: {:?}", shown(project.path()));
        let header = std::fs::read_to_string(state_of(&project)).unwrap();
        assert!(header.contains(&format!("\"method\":\"kms\",\"keys\":[\"{ours}\"]")), "{header}");
        project.expect(0, &["plan", "--detailed-exitcode", "--out", "web.plan", STACK]);
        project.expect(0, &["state", "mv", "cloudwatch_log_group.one", "cloudwatch_log_group.first", STACK]);
        assert!(shown(project.path()).is_empty());
        // Another key: the change is said, and rotated to with the one of before at hand.
        let both = format!("{}[stack.encryption.previous.kms]\nkey_id = \"{ours}\"\n", of(&other));
        project.write(STACK, &stack(&both).replace("group.one", "group.first"));
        let refused = project.expect(1, &["apply", "-y", STACK]);
        assert!(refused.stderr.contains("names other keys than the state is encrypted with"), "{}", refused.stderr);
        let rotated = project.expect(0, &["state", "rotate", STACK]);
        assert!(rotated.stderr.contains("and 1 copy of it"), "{}", rotated.stderr);
        project.write(STACK, &stack(&of(&other)).replace("group.one", "group.first"));
        project.expect(0, &["apply", "-y", STACK]);
        assert!(project.expect(0, &["show", STACK]).stdout.contains(MARKER));
        // Moto decrypts with a disabled key, which KMS refuses (KMS API Reference, Decrypt: DisabledException).
        if emulator == Emulator::Moto {
            continue;
        }
        let id = other.rsplit('/').next().unwrap();
        kms(endpoint, &account).await.disable_key().key_id(id).send().await.unwrap();
        let refused = project.expect(1, &["plan", STACK]);
        assert!(refused.stderr.contains("error[E1006]") && refused.stderr.contains("kms:Decrypt with"), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn a_data_key_opens_for_its_own_stack_and_kind_alone() {
    let Some(running) = Emulator::Fakecloud.alone() else { return };
    let (endpoint, account) = (running.endpoint.as_str(), "590000000310");
    let key = new_key(endpoint, account).await;
    let project = Project::new(endpoint, account);
    project.write(STACK, &stack(&of(&key)));
    project.write("stacks/shop.toml", &stack(&of(&key)).replace("\"web\"", "\"shop\"").replace(MARKER, "shop"));
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["apply", "-y", "stacks/shop.toml"]);
    let shop = std::fs::read_to_string(project.path().join("state/shop.json")).unwrap();
    std::fs::write(state_of(&project), shop.replace("\"stack\":\"shop\"", "\"stack\":\"web\"")).unwrap();
    let refused = project.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("error[E1006]"), "{}", refused.stderr);
}

#[tokio::test]
async fn the_roles_have_what_they_need_of_the_key() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let account = "590000000311";
    let key = "arn:aws:kms:us-east-1:590000000311:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let project = Project::new(endpoint, account);
    // The state is looked at, and there is none: no call of the key is made.
    project.write(STACK, &stack(&of(key)));
    for role in ["plan", "apply", "operate"] {
        let policy = project.json(&["iam-policy", role, STACK]);
        let statements = policy["Statement"].as_array().unwrap().clone();
        let of = |action: &str| {
            let has = |one: &&serde_json::Value| one["Effect"] == "Allow" && one["Action"].as_array().unwrap().iter().any(|a| a == action);
            statements.iter().find(has).cloned().unwrap_or_default()
        };
        assert_eq!(of("kms:Decrypt")["Resource"], serde_json::json!([key]), "{role}");
        let made = of("kms:GenerateDataKey");
        assert_eq!(made["Resource"], serde_json::json!([key]), "{role}");
        let plans = &made["Condition"]["StringEquals"]["kms:EncryptionContext:leoctl:what"];
        assert_eq!(plans == "plan", role == "plan", "{role}: {made}");
    }
}
