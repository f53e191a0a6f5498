//! The accounts that a stack is in, and how calls reach each.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::Stack;
use super::check::failed;
use super::deps;
use super::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use super::expand::{self, Instances};
use super::scope::{Each, StackScope};
use super::template::{Failure, Template};
use crate::model::address::Block;
use crate::model::place::is_region;
use crate::model::value::Value;

/// How calls reach an account. Where nothing is said, the configured credentials are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The role that is assumed there.
    pub role_arn: Option<String>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// The name of the session; leoctl's own when absent.
    pub session_name: Option<String>,
    /// The profile whose credentials are used, or with which the role is assumed.
    pub profile: Option<String>,
    /// The region of what names this account; the stack's when absent.
    pub region: Option<String>,
    /// The account with whose credentials the role is assumed.
    pub source: Option<String>,
}

/// The accounts of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Its own.
    pub own: Access,
    /// Those that blocks may name, in the order of the file.
    pub named: IndexMap<String, Access>,
}

/// The accounts of a stack, evaluated.
///
/// # Errors
/// What is wrong with them.
pub fn accounts(stack: &Stack) -> Result<Accounts, Diagnostics> {
    let mut problems = Diagnostics::default();
    let own = stack.config.own.as_ref().map(|template| access(stack, template, "[stack]", &mut problems)).unwrap_or_default();
    let named = stack.config.accounts.iter().map(|(name, field)| {
        let place = format!("accounts.{name}");
        (name.clone(), access(stack, &field.value, &place, &mut problems))
    });
    let named = named.collect();
    if problems.has_errors() { Err(problems) } else { Ok(Accounts { own, named }) }
}

fn access(stack: &Stack, template: &Template, place: &str, problems: &mut Diagnostics) -> Access {
    let mut text = |key: &str| {
        let field = template.as_table()?.get(key)?;
        match known(stack, &field.value, &format!("`{key}` of {place}"), key == "external_id") {
            Ok(text) => Some((text, field.value.span.clone())),
            Err(found) => {
                found.0.into_iter().for_each(|problem| problems.push(problem));
                None
            }
        }
    };
    let (role_arn, region, session_name) = (text("role_arn"), text("region"), text("session_name"));
    let mut plain = |key| text(key).map(|(text, _)| text);
    let (external_id, profile, source) = (plain("external_id"), plain("profile"), plain("source"));
    let mut sound = |found: Option<(String, Span)>, is_sound: fn(&str) -> bool, what: &str, help: &str| {
        let (text, span) = found?;
        if !is_sound(&text) {
            problems.push(Diagnostic::error(Code::BadAccount, &span, format!("`{text}` cannot be {what}")).help(help));
        }
        Some(text)
    };
    Access {
        role_arn: sound(role_arn, is_role, "the ARN of a role", "roles are named such as arn:aws:iam::123456789012:role/deploy"),
        external_id,
        session_name: sound(session_name, is_session_name, "the name of a session", "2 to 64 letters, digits and `_+=,.@-`"),
        profile,
        region: sound(region, is_region, "a region", "regions are named such as us-east-1 or us-gov-west-1"),
        source,
    }
}

/// A text that has to be known before AWS is asked.
fn known(stack: &Stack, template: &Template, what: &str, may_be_secret: bool) -> Result<String, Diagnostics> {
    let scope = StackScope::offline(stack);
    let value = template.eval(&scope).map_err(|failure| Diagnostics::from(vec![failed(failure)]))?;
    let lacks = stack.lacks(&scope.take_lookups());
    let problem = match value.revealed() {
        _ if value.has_secret() && !may_be_secret => {
            let error = Diagnostic::error(Code::Exposed, &template.span, format!("{what} is sensitive, but it is shown in messages"));
            return Err(Diagnostics::from(vec![error.help(super::PUBLIC)]));
        }
        Value::String(text) if !text.is_empty() => return Ok(text.clone()),
        Value::String(_) => format!("{what} is empty"),
        Value::Unknown if lacks.has_errors() => return Err(lacks),
        Value::Unknown => format!("{what} can use variables, locals and env only"),
        other => format!("{what} is a string, not {}", other.kind()),
    };
    Err(Diagnostics::from(vec![Diagnostic::error(Code::BadAccount, &template.span, problem)]))
}

/// The account in the ARN of a role.
pub fn account_of_role(arn: &str) -> Option<&str> {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "iam", "", account, role] if role.starts_with("role/") => Some(account),
        _ => None,
    }
}

fn is_role(arn: &str) -> bool {
    account_of_role(arn).is_some_and(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What STS takes as the name of a session (STS API Reference, AssumeRole).
fn is_session_name(name: &str) -> bool {
    (2..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// Checks the accounts of a stack, and who names them.
pub fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    if let Err(problems) = accounts(stack) {
        problems.0.into_iter().for_each(|problem| diagnostics.push(problem));
    }
    for (what, template) in blocks(stack).filter_map(|block| Some((block.what(), block.account?))) {
        if let Some(item) = deps::reach(&stack.config, &[template]).into_iter().next() {
            let error = format!("the account of {what} depends on {item}, and has to be known before AWS is asked");
            diagnostics
                .push(Diagnostic::error(Code::KnownTooLate, &template.span, error).help("use variables, locals, `each` and env only"));
        }
    }
    let scope = StackScope::offline(stack);
    for (what, template) in blocks(stack).filter_map(|block| Some((block.what(), block.account?))) {
        // What fails is said where the block is evaluated, with its `each`.
        let Ok(value) = template.eval(&scope) else { continue };
        if !value.has_unknown()
            && let Err(problem) = name(stack, template, &value, &what)
        {
            diagnostics.push(problem);
        }
    }
}

/// The account that a block names, which has to be one of the stack's.
///
/// # Errors
/// When it is not.
pub fn name(stack: &Stack, template: &Template, value: &Value, what: &str) -> Result<String, Diagnostic> {
    let error = |problem: String| Diagnostic::error(Code::BadAccount, &template.span, problem);
    let known = stack.config.accounts.keys().map(String::as_str);
    match value.revealed() {
        _ if value.has_secret() => {
            Err(error(format!("the account of {what} is sensitive, but it is shown and stored everywhere")).help(super::PUBLIC))
        }
        Value::String(name) if stack.config.accounts.contains_key(name) => Ok(name.clone()),
        // A module by itself is in no stack.
        Value::String(name) if stack.config.accounts.is_empty() => {
            Err(error(format!("there is no account `{name}`")).help(format!("write `[accounts.{name}]` with `role_arn` in the stack file")))
        }
        Value::String(name) => Err(error(format!("there is no account `{name}`")).suggest(name, known)),
        Value::Unknown => Err(error(format!("the account of {what} is not known"))),
        other => Err(error(format!("the account of {what} is a name, not {}", other.kind()))),
    }
}

/// A block that may be in another account than the stack's.
struct Placed<'a> {
    block: &'a Block,
    is_data: bool,
    account: Option<&'a Template>,
    for_each: Option<&'a Template>,
    when: Option<&'a Template>,
}

impl Placed<'_> {
    fn what(&self) -> String {
        if self.is_data { deps::data_name(self.block) } else { self.block.to_string() }
    }
}

fn blocks(stack: &Stack) -> impl Iterator<Item = Placed<'_>> {
    let config = &stack.config;
    let data = config.data.iter().map(|(block, data)| {
        let account = config.account_of(&block.module, data.account.as_ref());
        Placed { block, is_data: true, account, for_each: None, when: None }
    });
    let resources = config.resources.iter().map(|(block, resource)| {
        let account = config.account_of(&block.module, resource.account.as_ref());
        Placed { block, is_data: false, account, for_each: resource.for_each.as_ref(), when: resource.when.as_ref() }
    });
    data.chain(resources).filter(|placed| placed.account.is_some())
}

/// The accounts that blocks of a stack name; all of them where that cannot be told before AWS is asked.
pub fn used(stack: &Stack) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for placed in blocks(stack) {
        match named(stack, &placed) {
            Ok(Some(found)) => names.extend(found),
            Ok(None) => return stack.config.accounts.keys().cloned().collect(),
            // It is said when the block is planned.
            Err(_) => {}
        }
    }
    names
}

/// The accounts that the instances of a block name; none when it is not known.
fn named(stack: &Stack, placed: &Placed<'_>) -> Result<Option<Vec<String>>, Failure> {
    let Some(template) = placed.account else { return Ok(Some(Vec::new())) };
    let of = |each: Option<&Each>| {
        let value = template.eval(&StackScope::offline(stack).with_each(each))?;
        Ok(value.revealed().as_str().map(str::to_owned))
    };
    // Without `each`.
    let one = || of(None).ok().flatten().map(|name| vec![name]);
    match expand::instances(&placed.block.to_string(), placed.when, placed.for_each, &StackScope::offline(stack))? {
        Instances::Each(all) => all.iter().map(|each| of(Some(each))).collect(),
        Instances::Single | Instances::Unknown => Ok(one()),
        Instances::Absent => Ok(Some(Vec::new())),
    }
}
