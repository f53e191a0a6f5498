//! `leoctl secrets`: the values of the stack's secrets against env files. No value is ever shown.

use std::io::{IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{EnvFiles, SecretsCommand};
use super::{CliError, Context, Exit, ask, project, redeploy, session};
use crate::ops::env_file::Variables;
use crate::ops::secrets::{self, Compared, Secret, Standing};
use crate::ops::{Deployed, service};
use crate::store;
use crate::ui::{self, ADD, BAD, CHANGE, FAINT, STRONG, WARN, styled, table};
use leoctl_core::engine::ports::Failure;
use leoctl_core::stack::diagnostic::suggestion;

/// Names the repository beside this one whose env files have the values.
const SIBLING: &str = "SAAS_ROOT";
/// A committed file, whose values are no secrets.
const COMMITTED: &str = ".env.defaults";
/// A file that is not committed.
const PRIVATE: &str = ".env";

/// Runs one of the commands.
pub async fn run(context: &Context, command: SecretsCommand) -> Result<Exit, CliError> {
    match command {
        SecretsCommand::Status { stack, files } => status(context, stack.as_deref(), &files.from).await,
        SecretsCommand::Push { stack, files, only, yes } => push(context, stack.as_deref(), &files, &only, yes).await,
        SecretsCommand::PullNames { stack, files } => pull_names(context, stack.as_deref(), &files.from).await,
        SecretsCommand::Set { name, stack } => set(context, stack.as_deref(), &name).await,
    }
}

fn reading(failure: Failure) -> CliError {
    CliError::aws("comparing the secrets", failure)
}

async fn status(context: &Context, stack: Option<&Path>, from: &[PathBuf]) -> Result<Exit, CliError> {
    let (path, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let files = files(context, &path, from)?;
    let all = secrets::all(&deployed);
    let others = others(&all, &files);
    let compared = secrets::compare(&deployed, all, &files).await.map_err(reading)?;
    if context.global.json {
        let secrets: Vec<_> = compared.iter().map(|one| to_json(one, &files)).collect();
        ui::out(json!({ "files": files.files, "secrets": secrets, "not_in_the_stack": others }));
        return Ok(Exit::Done);
    }
    let rows = compared.iter().map(|one| {
        let (style, words) = words(one.standing);
        vec![variables(&one.secret), one.secret.name.clone(), styled(style, words), styled(FAINT, file(&one.secret, &files).unwrap_or("-"))]
    });
    ui::out(table::render(&["variable", "secret", "standing", "file"], rows));
    if !others.is_empty() {
        ui::out(format!("\nIn the files, and no secret of the stack: {}", others.join(", ")));
    }
    Ok(Exit::Done)
}

fn words(standing: Standing) -> (anstyle::Style, &'static str) {
    match standing {
        Standing::Unset => (BAD, "not set, the file has a value"),
        Standing::Nowhere => (BAD, "not set, nor in the files"),
        Standing::Same => (ADD, "unchanged"),
        Standing::Differs => (CHANGE, "differs"),
        Standing::NotInFiles => (FAINT, "set, not in the files"),
    }
}

fn variables(secret: &Secret) -> String {
    let names: Vec<&str> = secret.variables.iter().map(|variable| variable.name.as_str()).collect();
    names.join(", ")
}

/// The file a secret's value is from.
fn file<'a>(secret: &Secret, files: &'a Variables) -> Option<&'a str> {
    let known = secret.variables.iter().filter(|variable| files.value(&variable.name).is_some());
    let number = known.filter_map(|variable| files.values.get(&variable.name)).map(|(_, number)| *number).next_back()?;
    files.files.get(number).map(String::as_str)
}

fn to_json(one: &Compared, files: &Variables) -> serde_json::Value {
    let secret = &one.secret;
    let names: Vec<&str> = secret.variables.iter().map(|variable| variable.name.as_str()).collect();
    let standing = match one.standing {
        Standing::Unset => "unset",
        Standing::Nowhere => "nowhere",
        Standing::Same => "unchanged",
        Standing::Differs => "differs",
        Standing::NotInFiles => "not_in_files",
    };
    json!({
        "address": secret.address, "name": secret.name, "variables": names, "services": secret.services,
        "standing": standing, "file": file(secret, files),
    })
}

/// What the private files have that no secret of the stack is for.
fn others(all: &[Secret], files: &Variables) -> Vec<String> {
    let used = |name: &str| all.iter().any(|secret| secret.variables.iter().any(|variable| variable.name == name));
    let private = |number: usize| files.files.get(number).is_some_and(|file| !file.ends_with(COMMITTED));
    files.values.iter().filter(|(name, (_, number))| private(*number) && !used(name)).map(|(name, _)| name.clone()).collect()
}

async fn push(context: &Context, stack: Option<&Path>, files: &EnvFiles, only: &[String], yes: bool) -> Result<Exit, CliError> {
    let (path, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let files = self::files(context, &path, &files.from)?;
    let chosen = chosen(secrets::all(&deployed), only)?;
    let compared = secrets::compare(&deployed, chosen, &files).await.map_err(reading)?;
    let changed: Vec<&Compared> = compared.iter().filter(|one| matches!(one.standing, Standing::Unset | Standing::Differs)).collect();
    if changed.is_empty() {
        context.say("Nothing to push: no secret differs from the files.");
    } else {
        for one in &changed {
            let (style, words) = words(one.standing);
            context.say(&format!(
                "{} {} {}",
                styled(STRONG, variables(&one.secret)),
                styled(FAINT, &one.secret.name),
                styled(style, words)
            ));
        }
        if !ask::confirmed(context, yes, &format!("Set {} of them?", changed.len())).await? {
            return Ok(Exit::Error);
        }
    }
    let mut pushed = Vec::new();
    let mut failed = None;
    for one in &changed {
        match secrets::push(&deployed, one).await {
            Ok(()) => pushed.push(&one.secret),
            Err(failure) => {
                failed = Some(CliError::aws(&format!("setting {}", one.secret.name), failure));
                break;
            }
        }
    }
    done(context, &deployed, &pushed, yes).await?;
    failed.map_or(Ok(Exit::Done), Err)
}

/// Says what was set, and offers new tasks to the services that have the old values.
async fn done(context: &Context, deployed: &Deployed<'_>, pushed: &[&Secret], yes: bool) -> Result<(), CliError> {
    if context.global.json {
        let names: Vec<&str> = pushed.iter().map(|secret| secret.name.as_str()).collect();
        ui::out(json!({ "pushed": names }));
    }
    if pushed.is_empty() {
        return Ok(());
    }
    context.say(&format!("{}: {} set.", styled(STRONG, "Done"), pushed.len()));
    let mut services = service::all(deployed);
    services.retain(|service| pushed.iter().any(|secret| secret.services.contains(&service.address)));
    let names: Vec<&str> = services.iter().map(|service| service.address.block.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    if context.interactive && !yes && ask::agreed(&format!("Tasks get them when they start. Redeploy {list}?")).await? {
        redeploy::all(context, deployed, &services).await?;
    } else {
        context.say(&format!("Running tasks have the old values: `leoctl redeploy {list}` starts new ones."));
    }
    Ok(())
}

async fn pull_names(context: &Context, stack: Option<&Path>, from: &[PathBuf]) -> Result<Exit, CliError> {
    let (path, session, state) = session::applied(context, stack).await?;
    let files = read(context, &candidates(&path, from)?)?;
    let all = secrets::all(&Deployed { state: &state, provider: &session.provider });
    let missing = all.iter().flat_map(|secret| secret.variables.iter().map(move |variable| (variable.name.as_str(), secret.name.as_str())));
    let mut missing: Vec<(&str, &str)> = missing.filter(|(name, _)| files.value(name).is_none()).collect();
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

async fn set(context: &Context, stack: Option<&Path>, name: &str) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let found = chosen(secrets::all(&deployed), &[name.to_owned()])?;
    let [secret] = found.as_slice() else {
        return Err(CliError::usage(&format!("`{name}` is several secrets"), "name one by its address or by its name in Secrets Manager"));
    };
    let named = secret.variables.iter().find(|variable| variable.name == name);
    let variable = match (named, secret.variables.as_slice()) {
        (Some(variable), _) | (None, [variable]) => variable,
        (None, _) => {
            let help = format!("name the variable to set: {}", variables(secret));
            return Err(CliError::usage(&format!("{} is the value of several variables", secret.name), &help));
        }
    };
    let value = typed(&format!("Value of {} (not shown): ", variable.name))?;
    if value.is_empty() {
        return Err(CliError::usage("there was no value", "type it, or pipe it in: `leoctl secrets set NAME < FILE`"));
    }
    let mut given = Variables::default();
    // Another variable of the whole secret has the same value.
    let same = secret.variables.iter().filter(|other| other.key == variable.key).map(|other| (other.name.clone(), value.clone()));
    given.add("stdin".to_owned(), same);
    let compared = secrets::compare(&deployed, vec![secret.clone()], &given).await.map_err(reading)?;
    let Some(one) = compared.first().filter(|one| one.standing != Standing::Same) else {
        context.say("It has that value already.");
        return Ok(Exit::Done);
    };
    secrets::push(&deployed, one).await.map_err(|failure| CliError::aws(&format!("setting {}", secret.name), failure))?;
    done(context, &deployed, &[secret], false).await?;
    Ok(Exit::Done)
}

/// What is typed without being shown, or comes on stdin, without the end of its last line.
fn typed(prompt: &str) -> Result<String, CliError> {
    let failed = |error: std::io::Error| CliError::usage(&format!("the value cannot be read: {error}"), "pipe it in instead");
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(ui::terminal::plain(prompt)).map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin().lock().take(65_537).read_to_string(&mut text).map_err(failed)?;
    // Secrets Manager API Reference, PutSecretValue.
    if text.len() > 65_536 {
        return Err(CliError::usage("the value is too long", "a secret has at most 65,536 bytes"));
    }
    let end = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(end.to_owned())
}

/// The secrets these words name; all when there are none.
fn chosen(all: Vec<Secret>, words: &[String]) -> Result<Vec<Secret>, CliError> {
    let is = |secret: &Secret, word: &String| {
        *word == secret.name || *word == secret.address.to_string() || secret.variables.iter().any(|variable| variable.name == *word)
    };
    for word in words {
        if !all.iter().any(|secret| is(secret, word)) {
            let known: Vec<&str> = all.iter().flat_map(|secret| secret.variables.iter()).map(|variable| variable.name.as_str()).collect();
            let help = suggestion(word, known.iter().copied()).unwrap_or_else(|| match known.is_empty() {
                true => "the stack has no secrets".to_owned(),
                false => format!("the stack's secrets: {}", known.join(", ")),
            });
            return Err(CliError::usage(&format!("there is no secret `{word}`"), &help));
        }
    }
    Ok(all.into_iter().filter(|secret| words.is_empty() || words.iter().any(|word| is(secret, word))).collect())
}

/// What the env files of a command say; there has to be one.
fn files(context: &Context, stack: &Path, from: &[PathBuf]) -> Result<Variables, CliError> {
    let found = read(context, &candidates(stack, from)?)?;
    if found.files.is_empty() {
        let help = format!("name one with `--from FILE`, or the repository that has one with {SIBLING}");
        return Err(CliError::usage("there is no env file to compare with", &help));
    }
    Ok(found)
}

fn read(context: &Context, paths: &[PathBuf]) -> Result<Variables, CliError> {
    let mut found = Variables::default();
    for path in paths {
        let metadata = std::fs::metadata(path);
        let private = !path.to_string_lossy().ends_with(COMMITTED);
        if private && metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
            let problem = format!("Note: {0} can be read by others: `chmod 600 {0}`", path.display());
            context.say(&styled(WARN, problem));
        }
        found.add(path.display().to_string(), project::env_file(path)?);
    }
    Ok(found)
}

/// The env files to read: those asked for, or the project's and those of the repository beside it that are there.
fn candidates(stack: &Path, from: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    if let Some(missing) = from.iter().find(|path| !path.is_file()) {
        return Err(CliError::usage(&format!("cannot read {}: there is no such file", missing.display()), "`--from` names an env file"));
    }
    if !from.is_empty() {
        return Ok(from.to_vec());
    }
    let root = store::directory(stack).parent().map(Path::to_owned).unwrap_or_default();
    let pair = |folder: &Path| [folder.join(COMMITTED), folder.join(PRIVATE)].into_iter().filter(|path| path.is_file());
    let mut files: Vec<PathBuf> = pair(&root).collect();
    let mut sibling = std::env::var_os(SIBLING).map(PathBuf::from);
    for path in &files {
        let named = project::env_file(path)?.into_iter().find(|(name, _)| name == SIBLING);
        sibling = sibling.or(named.map(|(_, folder)| folder.into()));
    }
    if let Some(sibling) = sibling {
        let folder = root.join(&sibling);
        if !folder.is_dir() {
            return Err(CliError::usage(
                &format!("{SIBLING} names {}, which is no folder", folder.display()),
                "correct it, or use `--from`",
            ));
        }
        files.extend(pair(&folder));
    }
    Ok(files)
}
