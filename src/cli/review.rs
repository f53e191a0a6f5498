//! Reviews: what was planned and shown, as a file, and whether a plan is one that was. Such a file is believed for
//! nothing but the ids that it claims: whoever carries a plan out makes it again, and compares.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::args::{Global, PlanFlags};
use super::session::Session;
use super::{CliError, Context, Exit, changed, plan_id};
use crate::{disk, store, ui};
use leoctl_core::engine::refresh::Planned;

/// The largest file that is read, in bytes. One that was written here has some hundred for each stack.
const LARGEST: u64 = 1 << 20;
/// The version of the format of reviews, the only one that is read.
pub const VERSION: u32 = 1;
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
    context.say(ui::plan::render(&planned.plan, context.detail()).trim_end());
    Err(CliError::usage(
        &format!("the plan is stale: what would be done now is plan {found}, and not {wanted}. Nothing was done"),
        "look at the plan above; what it says is done when its own id is passed",
    ))
}

/// Prints the plans of a review that change something. With a folder of claims, and the root of the repository, each of them
/// has to be claimed by the one request that changes its stack.
pub fn run(context: &Context, own: &Path, claims: Option<(&Path, &Path)>) -> Result<Exit, CliError> {
    let unusable = |problem: String| CliError::usage(&problem, "it is written by `leoctl plan --review`");
    let text = read(own).map_err(|why| unusable(format!("cannot read {}: {why}", own.display())))?;
    let review: Review =
        serde_json::from_str(&text).map_err(|error| unusable(format!("{} is not the file of a review: {error}", own.display())))?;
    if review.format_version != VERSION {
        return Err(unusable(format!("{} has format {}, and this leoctl reads {VERSION}", own.display(), review.format_version)));
    }
    review.stacks.iter().try_for_each(|one| can_be_listed(&one.stack_file))?;
    let changing: Vec<&Reviewed> = review.stacks.iter().filter(|one| one.changes).collect();
    if let Some((folder, repository)) = claims {
        let requests = requests(context, folder)?;
        let mut unknown = Vec::new();
        for one in &changing {
            if let Err(why) = claimed(one, &requests, repository, &context.global)? {
                unknown.push(format!("  {} (plan {}): {why}", one.stack_file, one.plan_id));
            }
        }
        if !unknown.is_empty() {
            return Err(CliError::usage(
                &format!("nobody has reviewed this plan of\n{}", unknown.join("\n")),
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

/// A request that was merged.
struct Request {
    /// Its number, as the names of its files have it.
    number: String,
    /// The file that lists what it changes.
    changes: PathBuf,
    /// The ids that it claims, with the stack file of each.
    plans: Vec<(String, String)>,
}

/// The requests of which a folder has files. What one claims comes from whoever could run code in the job that made it.
fn requests(context: &Context, folder: &Path) -> Result<Vec<Request>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::usage(&format!("cannot read the folder {}: {error}", folder.display()), "it holds what `claims.py` has put there")
    };
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    let mut files: Vec<PathBuf> =
        entries.iter().map(std::fs::DirEntry::path).filter(|path| path.extension() == Some("files".as_ref())).collect();
    files.sort();
    let mut requests = Vec::new();
    for changes in files {
        let claim = changes.with_extension("json");
        let plans = if claim.exists() { read(&claim).and_then(|text| plans_in(&text)) } else { Ok(Vec::new()) };
        let plans = plans.unwrap_or_else(|why| {
            ui::note(format!("{} claims nothing: {why}", claim.display()));
            Vec::new()
        });
        let number = changes.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        requests.push(Request { number, changes, plans });
    }
    let count: usize = requests.iter().map(|one| one.plans.len()).sum();
    context.say(&format!("{} claimed.", ui::counted(count, "plan")));
    Ok(requests)
}

/// Whether a plan is claimed by the one request that changes its stack, or why not. Of two that change it, each has shown a
/// plan that has not both changes, so neither speaks of this one. A request that says more than one id of a stack has shown
/// none of them for certain.
fn claimed(plan: &Reviewed, requests: &[Request], repository: &Path, global: &Global) -> Result<Result<(), String>, CliError> {
    let mut changing = Vec::new();
    for one in requests {
        if changed::concerns(Path::new(&plan.stack_file), &one.changes, repository, global)? {
            changing.push(one);
        }
    }
    let [request] = changing.as_slice() else {
        let numbers: Vec<&str> = changing.iter().map(|one| one.number.as_str()).collect();
        return Ok(Err(match numbers.as_slice() {
            [] => "no request of this push changes the stack".to_owned(),
            numbers => format!("the requests {} change the stack together", numbers.join(", ")),
        }));
    };
    let mut ids = request.plans.iter().filter(|(stack, _)| *stack == plan.stack_file).map(|(_, id)| id);
    Ok(match (ids.next(), ids.next()) {
        (Some(id), None) if *id == plan.plan_id => Ok(()),
        (Some(id), None) => Err(format!("request {} has shown plan {id}", request.number)),
        (None, _) => Err(format!("request {} has shown no plan of the stack that counts", request.number)),
        (Some(_), Some(_)) => Err(format!("request {} claims more than one plan of the stack", request.number)),
    })
}

/// The plans in a claim, as stack file and id. Nothing else in it is looked at.
fn plans_in(text: &str) -> Result<Vec<(String, String)>, String> {
    let claim: Json = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let stacks = claim.get("stacks").and_then(Json::as_array).ok_or("it is not the file of a review")?;
    let plans = stacks.iter().filter_map(|one| Some((one.get("stack_file")?.as_str()?, one.get("plan_id")?.as_str()?)));
    let whole = plans.filter(|(stack, id)| plan_id::is_whole(id) && can_be_listed(stack).is_ok());
    Ok(whole.map(|(stack, id)| (stack.to_owned(), id.to_owned())).collect())
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
        let of = |stack: &str, id: Json| json!({ "plan_id": id, "stack_file": stack, "options": { "destroy": true } });
        let claim = json!({ "stacks": [
            of("../evil.toml", json!(id)), of("a", json!("0123")), of("a", json!(format!("{id}\n"))), of("a", json!([id])),
            of("a", json!(id.to_uppercase())), of("a\nb", json!(id)), { "plan_id": id }, { "stack_file": "a" }, id, null,
        ] });
        assert_eq!(plans_in(&claim.to_string()), Ok(vec![("../evil.toml".to_owned(), id)]));
        for none in ["", "[]", "{}", "{\"stacks\": 1}", &"[".repeat(100_000)] {
            assert!(plans_in(none).is_err(), "{none:.20}");
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
            if let Ok(plans) = plans_in(&text) {
                prop_assert!(plans.iter().all(|(_, id)| plan_id::is_whole(id)));
            }
        }
    }
}
