//! `leoctl secrets set`.

use std::io::{IsTerminal, Read};
use std::path::Path;

use serde_json::json;

use super::{Opened, called, meant, names_of, no_object, reading, refused, renew};
use crate::cli::{CliError, Context, Exit};
use crate::ops::secrets::compare::{Standing, compare};
use crate::ops::secrets::write::write;
use crate::ui::{self, STRONG, styled};
use leoctl_core::secrets::join::Files;
use leoctl_core::stack::env_file::Variable;

/// Sets one secret, or one key of it.
pub async fn set(context: &Context, stack: Option<&Path>, name: &str) -> Result<Exit, CliError> {
    let opened = Opened::new(context, stack).await?;
    let target = meant(&opened.names(), name)?;
    let found = opened.of(std::iter::once(&target));
    let shown = found.first().map_or_else(|| target.to_string(), |stored| called(&stored.secret, &target));
    let value = typed(&format!("Value of {shown} (not shown): "))?;
    if value.is_empty() {
        return Err(CliError::usage("there was no value", "type it, or pipe it in: `leoctl secrets set NAME < FILE`"));
    }
    let mut given = Files::default();
    given.add("stdin".to_owned(), vec![Variable { name: name.to_owned(), value, line: 1 }]);
    let joined = opened.joined(&given);
    if !joined.problems.is_empty() {
        return Err(refused(joined.problems));
    }
    let deployed = opened.deployed();
    let compared = compare(&deployed, found, &joined.writes).await.map_err(reading)?;
    for one in &compared {
        let secret = &one.stored.secret;
        if one.refused(Standing::Binary).is_some() {
            return Err(CliError::usage(&format!("{} is binary", secret.name), "set it with `aws secretsmanager put-secret-value`"));
        }
        if one.refused(Standing::NoObject).is_some() {
            return Err(no_object(secret));
        }
        if !one.changes() {
            context.say("It has that value already.");
            continue;
        }
        write(&deployed, one).await.map_err(|failure| CliError::aws(&format!("setting {}", secret.name), failure))?;
        if context.global.json {
            ui::out(json!({ "pushed": names_of(&[&one.stored]) }));
        }
        context.say(&format!("{}: {shown} set.", styled(STRONG, "Done")));
        renew(context, &opened, &[&one.stored], false).await?;
    }
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
