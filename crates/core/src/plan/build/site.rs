//! Where blocks are: in which account, and in which region of it.

use super::{Builder, Unplanned};
use crate::model::address::Address;
use crate::model::module::ModulePath;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::stack::accounts;
use crate::stack::check::failed;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic};
use crate::stack::scope::StackScope;
use crate::stack::template::Template;

impl Builder<'_> {
    /// The account that a block is in, and the region that is meant there where the block says none.
    ///
    /// # Errors
    /// When it is none of the stack's.
    pub(super) fn account(
        &self,
        what: &str,
        module: &ModulePath,
        own: Option<&Template>,
        scope: &StackScope<'_>,
    ) -> Result<Site, Diagnostic> {
        let Some(template) = self.stack.config.account_of(module, own) else { return Ok(self.world.identity.site()) };
        let value = template.eval(scope).map_err(failed)?;
        let name = accounts::name(self.stack, template, &value, what)?;
        let unknown = || Diagnostic::error(Code::BadAccount, &template.span, format!("which account `{name}` is, AWS has not been asked"));
        self.world.identity.accounts.get(&name).cloned().ok_or_else(unknown)
    }
}

/// The region that a resource says, or else the one that is meant in its account.
///
/// # Errors
/// When it is not known, or no text.
pub(super) fn region(resource: &ResourceBlock, address: &Address, account: &Site, scope: &StackScope<'_>) -> Result<String, Unplanned> {
    let Some(template) = &resource.region else { return Ok(account.region.clone()) };
    let value = template.eval(scope).map_err(|failure| Unplanned::Mistake(failed(failure)))?;
    let problem = match value.revealed() {
        Value::String(text) if !text.is_empty() => return Ok(text.clone()),
        Value::Unknown => format!("the region of {address} is not known"),
        Value::String(_) => format!("the region of {address} is empty"),
        other => format!("the region of {address} is a string, not {}", other.kind()),
    };
    Err(Unplanned::Refused(Diagnostic::error(Code::BadRegion, &template.span, problem)))
}
