//! What identifies a plan. Equal plans have equal ids on every machine; any other step, value, option, file, account or
//! state to start from gives another. Values that are sensitive are not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::args::PlanFlags;
use super::session::Session;
use super::{CliError, changed, project};
use crate::ui;
use leoctl_core::engine::refresh::Planned;
use leoctl_core::model::value::Value;
use leoctl_core::model::{base64, state};
use leoctl_core::plan::select::Options;
use leoctl_core::stack::files::beside;

/// The version of what is hashed: an id of another version is another id.
pub const FORMAT: u32 = 3;
/// How many bytes of the hash an id has.
const BYTES: usize = 16;
/// How many characters an id has.
pub const LENGTH: usize = 2 * BYTES;

/// A plan's id, and that of its steps alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanId {
    /// Of the plan with what it was made from.
    pub plan: String,
    /// Of what is shown of it: changes, steps and outputs.
    pub steps: String,
}

/// The id of a plan of this stack file, which was made with these flags.
pub fn of(session: &Session, stack_file: &Path, planned: &Planned, flags: &PlanFlags) -> Result<PlanId, CliError> {
    let identity = &planned.plan.identity;
    let steps = digest(shown(planned));
    let made_from = json!({
        "format": FORMAT,
        "account_id": identity.account_id,
        "region": identity.region,
        "partition": identity.partition,
        "stack": session.stack.name,
        "state": state(planned),
        "stack_file": project::relative(stack_file, stack_file),
        "options": options(&planned.plan.options, flags.refresh),
        "steps": steps,
        "inputs": inputs(session, stack_file),
        "hidden": hidden(planned),
        "committed": committed(session, stack_file, flags)?,
    });
    Ok(PlanId { plan: digest(made_from), steps })
}

/// Which state a plan starts from; none where nothing was ever applied. A plan that was carried out is never made again,
/// even when what it changed has been changed back.
fn state(planned: &Planned) -> Json {
    let plan = &planned.plan;
    (plan.serial > 0).then(|| json!([plan.lineage, plan.serial])).into()
}

/// What a plan was asked for, as data.
pub fn options(options: &Options, refresh: bool) -> Json {
    let Options { destroy, targets, excludes, replace, scale_up, only: _ } = options;
    json!({
        "destroy": destroy, "targets": targets, "excludes": excludes, "replace": replace, "scale_up": scale_up, "refresh": refresh,
    })
}

/// What is shown of a plan, but for what another run of the same plan may have otherwise.
fn shown(planned: &Planned) -> Json {
    let mut shown = ui::json::plan(&planned.plan, &BTreeMap::new());
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|name, _| !["serial", "api_calls"].contains(&name.as_str()));
    }
    shown
}

/// What data sources have said that is sensitive, as salted hashes: the salt is the state's, which others know that make the
/// same plan. Where nothing was ever applied there is none, and nothing of it is in the id.
fn hidden(planned: &Planned) -> Json {
    let salt = &planned.ledger.state().salt;
    let hidden = planned.plan.hidden_data().filter(|_| planned.plan.serial > 0);
    Json::Object(hidden.map(|(block, value)| (block.to_string(), state::digest(salt, value))).collect())
}

/// The texts and the public values that a plan was made from.
fn inputs(session: &Session, stack_file: &Path) -> Json {
    let stack = &session.stack;
    let sources = stack.sources.iter().map(|source| json!([project::relative(stack_file, &source.path), source.text]));
    let named = stack.contents.files().filter(|(_, content)| !content.secret);
    let contents =
        named.map(|(path, content)| json!([project::relative(stack_file, path), base64::encode(&Sha256::digest(&content.bytes))]));
    let listed = stack.contents.listed().map(|name| json!([name]));
    let beside = session.read_beside().into_iter().map(|(what, content)| json!([what, content]));
    let files: Vec<Json> = sources.chain(contents).chain(listed).chain(beside).collect();
    let vars: BTreeMap<&String, Json> = stack.vars.iter().map(|(name, value)| (name, ui::json::public(value))).collect();
    // A file with secrets need not be on every machine that makes the plan.
    let public = stack.env.iter().filter(|(_, value)| !matches!(value, Value::Secret(_)));
    let env: BTreeMap<&String, Json> = public.map(|(name, value)| (name, ui::json::public(value))).collect();
    json!({ "files": files, "vars": vars, "env": env })
}

/// Which versions of the env files with secrets are committed, of the links on the way to them, and of what says how git
/// makes them, as git names them. No value is looked at: such a file may lie encrypted in the repository.
fn committed(session: &Session, stack_file: &Path, flags: &PlanFlags) -> Result<Json, CliError> {
    let Some(list) = &flags.committed else { return Ok(json!({})) };
    let known = changed::committed(list, &flags.repository)?;
    let mut found = BTreeMap::new();
    let files = session.stack.config.env_files.iter().map(|(name, _)| beside(stack_file, name));
    let named = session.stack.contents.files().filter(|(_, content)| content.secret).map(|(path, _)| path.to_owned());
    for file in files.filter(|file| !project::is_public(file)).chain(named) {
        let passed = changed::way(&file).unwrap_or_default();
        let attributes = passed.iter().flat_map(|path| path.ancestors()).map(|folder| folder.join(changed::ATTRIBUTES));
        let of_it: BTreeSet<PathBuf> = passed.iter().cloned().chain(attributes).collect();
        for (path, version) in of_it.iter().filter_map(|path| known.get_key_value(path)) {
            found.insert(project::relative(stack_file, path).display().to_string(), version);
        }
    }
    Ok(json!(found))
}

/// A hash of JSON that does not depend on the order of its keys.
fn digest(mut value: Json) -> String {
    value.sort_all_objects();
    let hash = Sha256::digest(value.to_string().as_bytes());
    hash.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text has the form of an id.
pub fn is_whole(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            "[a-z\",:{}\\[\\]]{0,6}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::vec(("[a-c]{1,2}", inner), 0..5).prop_map(|entries| entries.into_iter().collect::<Json>()),
            ]
        })
    }

    /// The same with the keys of every object the other way round.
    fn reversed(value: &Json) -> Json {
        match value {
            Json::Array(items) => items.iter().map(reversed).collect(),
            Json::Object(fields) => fields.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_matter(value in any_json()) {
            prop_assert_eq!(digest(reversed(&value)), digest(value));
        }

        #[test]
        fn other_data_has_another_digest(one in any_json(), other in any_json()) {
            prop_assert_eq!(digest(one.clone()) == digest(other.clone()), one == other);
        }

        #[test]
        fn one_value_more_gives_another_digest(value in any_json(), more in any_json()) {
            prop_assert_ne!(digest(json!([value.clone()])), digest(json!([value, more])));
        }
    }

    #[test]
    fn only_a_whole_id_in_lower_case_has_its_form() {
        assert!(is_whole(&"0123456789abcdef".repeat(2)));
        for wrong in ["", "0123", &"0".repeat(33), &"A".repeat(32), &format!("{}\n", "0".repeat(31)), "../../../../../../../../../../../"] {
            assert!(!is_whole(wrong), "{wrong}");
        }
    }
}
