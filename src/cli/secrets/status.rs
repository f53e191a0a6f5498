//! `leoctl secrets status` and `pull-names`.

use std::path::PathBuf;

use serde_json::json;

use super::{Opened, called, files, reading, words};
use crate::cli::{CliError, Exit};
use crate::ops::secrets::compare::{Compared, Part, Standing, compare};
use crate::ui::{self, FAINT, WARN, styled, table};
use leoctl_core::secrets::join::{Files, Joined};
use leoctl_core::secrets::names::Names;
use leoctl_core::secrets::{Secret, Target};

/// Shows how each secret and key stands against the files.
pub async fn status(opened: &Opened<'_>, from: &[PathBuf]) -> Result<Exit, CliError> {
    let context = opened.on.context;
    let files = files::needed(context, opened, from)?;
    let joined = opened.joined(&files);
    let names = opened.names();
    let compared = compare(&opened.deployed(), opened.stored.clone(), &joined.writes).await.map_err(reading)?;
    if context.global.json {
        ui::out(to_json(&compared, &names, &joined, &files));
        return Ok(Exit::Done);
    }
    let rows = parts(&compared).map(|(one, part)| {
        let (style, words) = words(part.standing);
        let file = file(&part.target, &joined, &files).unwrap_or("-");
        vec![names.shortest(&part.target), called(&one.stored.secret, &part.target), styled(style, words), styled(FAINT, file)]
    });
    ui::out(table::render(&["variable", "secret", "standing", "file"], rows));
    for problem in &joined.problems {
        ui::out(format!("\n{}: {}", styled(WARN, &problem.message), problem.help));
    }
    for hidden in &joined.hidden {
        ui::out(format!("\n{}", styled(WARN, hidden)));
    }
    if !joined.others.is_empty() {
        ui::out(format!("\nIn the files, and no secret of the stack: {}", others(&joined).join(", ")));
    }
    Ok(Exit::Done)
}

fn others(joined: &Joined) -> Vec<String> {
    joined.others.iter().map(ToString::to_string).collect()
}

fn parts(compared: &[Compared]) -> impl Iterator<Item = (&Compared, &Part)> {
    compared.iter().flat_map(|one| one.parts.iter().map(move |part| (one, part)))
}

/// The file a value is from.
fn file<'a>(target: &Target, joined: &Joined, files: &'a Files) -> Option<&'a str> {
    joined.writes.get(target).map(|entry| files.name(entry))
}

fn to_json(compared: &[Compared], names: &Names<'_>, joined: &Joined, files: &Files) -> serde_json::Value {
    let secrets: Vec<_> = parts(compared)
        .map(|(one, part)| {
            json!({
                "address": one.stored.secret.address, "name": one.stored.secret.name, "key": part.target.key,
                "variable": names.shortest(&part.target), "services": one.stored.services,
                "standing": code(part.standing), "file": file(&part.target, joined, files),
            })
        })
        .collect();
    let problems: Vec<_> = joined.problems.iter().map(|problem| json!({ "message": problem.message, "help": problem.help })).collect();
    let hidden: Vec<_> = joined.hidden.iter().map(|hidden| json!({ "empty": hidden.empty, "value": hidden.value })).collect();
    json!({
        "files": files.names, "secrets": secrets, "problems": problems, "hidden": hidden, "not_in_the_stack": others(joined),
    })
}

fn code(standing: Standing) -> &'static str {
    match standing {
        Standing::Unset => "unset",
        Standing::Nowhere => "nowhere",
        Standing::Same => "unchanged",
        Standing::Differs => "differs",
        Standing::NotInFiles => "not_in_files",
        Standing::Binary => "binary",
        Standing::NoObject => "no_object",
    }
}

/// Prints what the files lack, as lines of an env file.
pub fn pull_names(opened: &Opened<'_>, from: &[PathBuf]) -> Result<Exit, CliError> {
    let context = opened.on.context;
    let joined = opened.joined(&files::found(context, opened, from)?);
    let names = opened.names();
    let targets = |secret: &Secret| secret.targets().into_iter().filter(|target| !joined.writes.contains_key(target)).collect::<Vec<_>>();
    let missing = opened.secrets.iter().flat_map(|secret| targets(secret).into_iter().map(move |target| (secret, target)));
    let mut missing: Vec<(String, String)> = missing.map(|(secret, target)| (names.shortest(&target), called(secret, &target))).collect();
    missing.sort_unstable();
    if context.global.json {
        let lines: Vec<_> = missing.iter().map(|(variable, secret)| json!({ "variable": variable, "secret": secret })).collect();
        ui::out(json!(lines));
        return Ok(Exit::Done);
    }
    if missing.is_empty() {
        context.say("The files have all of them.");
    }
    missing.iter().for_each(|(variable, secret)| ui::out(format!("# {secret}\n{variable}=")));
    Ok(Exit::Done)
}
