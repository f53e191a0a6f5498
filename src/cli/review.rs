//! Reviews: what was planned and shown, as a file, and whether a plan is one that was. Such a file is believed for
//! nothing but the ids that it claims: whoever carries a plan out makes it again, and compares.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::args::PlanFlags;
use super::session::Session;
use super::{CliError, Context, Exit, plan_id};
use crate::{disk, store, ui};
use leoctl_core::engine::refresh::Planned;

/// The largest file that is read, in bytes. One that was written here has some hundred for each stack.
const LARGEST: u64 = 1 << 20;
const VERSION: u32 = 1;
/// How much of an id is enough at a terminal.
const SHORT: usize = 8;

/// What a review is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct Review {
    format_version: u32,
    commit: Option<String>,
    stacks: Vec<Reviewed>,
}

/// One stack's plan in a review.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reviewed {
    stack_file: String,
    stack: String,
    account_id: String,
    region: String,
    plan_id: String,
    steps_digest: String,
    changes: bool,
    options: Json,
}

impl Reviewed {
    /// A plan of a stack file, which was made with these flags.
    pub fn of(stack_file: &Path, session: &Session, planned: &Planned, flags: &PlanFlags) -> Result<Self, CliError> {
        let plan = &planned.plan;
        let id = plan_id::of(session, stack_file, planned, flags)?;
        Ok(Self {
            stack_file: stack_file.display().to_string(),
            stack: plan.stack.name.clone(),
            account_id: plan.identity.account_id.clone(),
            region: plan.identity.region.clone(),
            plan_id: id.plan,
            steps_digest: id.steps,
            changes: plan.has_changes(),
            options: plan_id::options(&plan.options, flags.refresh),
        })
    }
}

/// Writes what a review is about.
pub fn write(file: &Path, commit: Option<&str>, stacks: Vec<Reviewed>) -> Result<(), CliError> {
    let review = Review { format_version: VERSION, commit: commit.map(str::to_owned), stacks };
    let text = serde_json::to_string_pretty(&review)
        .map_err(|error| CliError::usage(&error.to_string(), "this leoctl is broken: please report it"))?;
    Ok(store::replace(file, &(text + "\n"))?)
}

/// Refuses a name that is more than one line in a list of plans, where a part of it is another name.
pub fn can_be_listed(stack_file: &str) -> Result<(), CliError> {
    if stack_file.chars().any(char::is_control) {
        let problem = format!("the name of the stack file {stack_file:?} has a control character: it cannot be in a review");
        return Err(CliError::usage(&problem, "rename it"));
    }
    Ok(())
}

/// Refuses a plan that is not the one that was asked for, and shows what it is now.
pub fn same(context: &Context, found: &str, wanted: &str, planned: &Planned) -> Result<(), CliError> {
    let shortened = context.interactive && wanted.len() >= SHORT;
    if found == wanted || shortened && found.starts_with(wanted) {
        return Ok(());
    }
    if !plan_id::is_whole(wanted) && !context.interactive {
        let help = format!("pass all {} characters, as `leoctl plan` shows them", plan_id::LENGTH);
        return Err(CliError::usage(&format!("`{wanted}` is no whole plan id: a shorter one is for people at a terminal"), &help));
    }
    context.say(ui::plan::render(&planned.plan).trim_end());
    Err(CliError::usage(
        &format!("the plan is stale: what would be done now is plan {found}, and not {wanted}. Nothing was done"),
        "look at the plan above; what it says is done when its own id is passed",
    ))
}

/// Prints the plans of a review that change something, unless one of them is none of those that the files in `claims`
/// claim to have been reviewed.
pub fn run(context: &Context, own: &Path, claims: Option<&Path>) -> Result<Exit, CliError> {
    let unusable = |problem: String| CliError::usage(&problem, "it is written by `leoctl plan --review`");
    let text = read(own).map_err(|why| unusable(format!("cannot read {}: {why}", own.display())))?;
    let review: Review =
        serde_json::from_str(&text).map_err(|error| unusable(format!("{} is not the file of a review: {error}", own.display())))?;
    if review.format_version != VERSION {
        return Err(unusable(format!("{} has format {}, and this leoctl reads {VERSION}", own.display(), review.format_version)));
    }
    review.stacks.iter().try_for_each(|one| can_be_listed(&one.stack_file))?;
    let changing: Vec<&Reviewed> = review.stacks.iter().filter(|one| one.changes).collect();
    if let Some(folder) = claims {
        let claimed = claimed(context, folder)?;
        let unknown: Vec<&&Reviewed> = changing.iter().filter(|one| !claimed.contains(&one.plan_id)).collect();
        if !unknown.is_empty() {
            let listed: Vec<String> = unknown.iter().map(|one| format!("  {} (plan {})", one.stack_file, one.plan_id)).collect();
            return Err(CliError::usage(
                &format!("nobody has reviewed this plan of\n{}", listed.join("\n")),
                "look at it, then run the workflow by hand on the main branch: it plans, waits for its approval, and applies",
            ));
        }
    }
    if context.global.json {
        ui::out(Json::from_iter(changing.iter().map(|one| json!({ "stack_file": one.stack_file, "plan_id": one.plan_id }))));
    } else {
        changing.iter().for_each(|one| ui::out(format!("{} {}", one.plan_id, one.stack_file)));
    }
    Ok(Exit::Done)
}

/// The ids that the files of a folder claim. Nothing else in them is looked at: they come from whoever could run code in
/// the job that made them.
fn claimed(context: &Context, folder: &Path) -> Result<BTreeSet<String>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::usage(&format!("cannot read the folder {}: {error}", folder.display()), "it holds the claims, one file of a review each")
    };
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    let mut files: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.sort();
    let mut ids = BTreeSet::new();
    for file in files {
        match read(&file).and_then(|text| ids_in(&text)) {
            Ok(found) => ids.extend(found),
            Err(why) => ui::note(format!("{} claims nothing: {why}", file.display())),
        }
    }
    context.say(&format!("{} claimed.", ui::counted(ids.len(), "plan")));
    Ok(ids)
}

/// The ids in a claim.
fn ids_in(text: &str) -> Result<Vec<String>, String> {
    let claim: Json = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let stacks = claim.get("stacks").and_then(Json::as_array).ok_or("it is not the file of a review")?;
    let ids = stacks.iter().filter_map(|one| one.get("plan_id")?.as_str());
    Ok(ids.filter(|id| plan_id::is_whole(id)).map(str::to_owned).collect())
}

/// The text of a file, unless it is a link, something else than a file, or larger than one of a review can be.
fn read(path: &Path) -> Result<String, String> {
    let kind = path.symlink_metadata().map_err(|error| error.to_string())?;
    if !kind.is_file() {
        return Err("it is not a file".to_owned());
    }
    let bytes = disk::read_regular(path, LARGEST).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_but_ids_is_taken_from_a_claim() {
        let id = "0123456789abcdef".repeat(2);
        let claim = json!({ "stacks": [
            { "plan_id": id, "stack_file": "../evil.toml", "options": { "destroy": true } },
            { "plan_id": "0123" }, { "plan_id": format!("{id}\n") }, { "plan_id": [id] }, { "plan_id": id.to_uppercase() }, id, null,
        ] });
        assert_eq!(ids_in(&claim.to_string()), Ok(vec![id]));
        for none in ["", "[]", "{}", "{\"stacks\": 1}", &"[".repeat(100_000)] {
            assert!(ids_in(none).is_err(), "{none:.20}");
        }
    }

    #[test]
    fn only_files_of_a_sensible_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("whole"), "x".repeat(1 << 20)).unwrap();
        std::fs::write(path("huge"), "x".repeat((1 << 20) + 1)).unwrap();
        std::fs::write(path("binary"), [0xff, 0xfe]).unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink(path("whole"), path("link")).unwrap();
        assert!(read(&path("whole")).is_ok());
        for (name, why) in [("huge", "too large"), ("binary", "UTF-8"), ("folder", "not a file"), ("link", "not a file"), ("none", "")] {
            assert!(read(&path(name)).unwrap_err().contains(why), "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_claim_is_only_ids_come_out(text in "[\\[\\]{}\",:a-f0-9 stackpln_id]{0,80}") {
            if let Ok(ids) = ids_in(&text) {
                prop_assert!(ids.iter().all(|id| plan_id::is_whole(id)));
            }
        }
    }
}
