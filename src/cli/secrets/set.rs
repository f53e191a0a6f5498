//! `leoctl secrets set`.

use std::io::{IsTerminal, Read};

use serde_json::json;

use super::{Opened, called, meant, names_of, no_object, reading, refused, renew};
use crate::cli::operate::{Change, On, Operation};
use crate::cli::{CliError, Exit};
use crate::ops::secrets::compare::{Compared, Standing, compare};
use crate::ops::secrets::write::write;
use crate::ui::{self, STRONG, styled};
use leoctl_core::secrets::join::Files;
use leoctl_core::stack::env_file::Variable;

/// Setting one secret, or one key of it.
pub struct Set<'a> {
    /// Which, as a person names it.
    pub name: &'a str,
}

impl Operation for Set<'_> {
    /// What is set, as it is called, and the secret with its new value.
    type Prepared = (String, Compared);

    /// An apply does not change the values of secrets.
    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Self::Prepared)>, CliError> {
        let opened = Opened::new(on);
        let target = meant(&opened.names(), self.name)?;
        let found = opened.of(std::iter::once(&target));
        let shown = found.first().map_or_else(|| target.to_string(), |stored| called(&stored.secret, &target));
        let value = typed(&format!("Value of {shown} (not shown): "))?;
        if value.is_empty() {
            return Err(CliError::usage("there was no value", "type it, or pipe it in: `leoctl secrets set NAME < FILE`"));
        }
        let mut given = Files::default();
        given.add("stdin".to_owned(), vec![Variable { name: self.name.to_owned(), value, line: 1 }]);
        let joined = opened.joined(&given);
        if !joined.problems.is_empty() {
            return Err(refused(joined.problems));
        }
        let compared = compare(&on.deployed(), found, &joined.writes).await.map_err(reading)?;
        for one in compared {
            let secret = &one.stored.secret;
            if one.refused(Standing::Binary).is_some() {
                return Err(CliError::usage(&format!("{} is binary", secret.name), "set it with `aws secretsmanager put-secret-value`"));
            }
            if one.refused(Standing::NoObject).is_some() {
                return Err(no_object(secret));
            }
            if one.changes() {
                let lines = vec![format!("  {}: another value", styled(STRONG, &shown))];
                return Ok(Some((Change { lines, question: None }, (shown, one))));
            }
        }
        on.context.say("It has that value already.");
        Ok(None)
    }

    async fn act(&self, on: &On<'_>, (shown, one): Self::Prepared) -> Result<Exit, CliError> {
        let failed = |failure| CliError::aws(&format!("setting {}", one.stored.secret.name), failure);
        write(&on.deployed(), &one).await.map_err(failed)?;
        if on.context.global.json {
            ui::out(json!({ "pushed": names_of(&[&one.stored]) }));
        }
        on.context.say(&format!("{}: {shown} set.", styled(STRONG, "Done")));
        renew(on, &[&one.stored], true).await
    }
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
