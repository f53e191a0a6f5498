//! Policies of a stack in several accounts: who assumes which role, and what the roles' trust policies have to say.

use serde_json::{Value as Json, json};

use leoctl_core::stack::accounts::{Access, Accounts};

/// What stands for an external id, which may be secret.
const EXTERNAL_ID: &str = "EXTERNAL_ID";

/// The roles that whoever starts leoctl assumes: the stack's, and those of the accounts that are needed and are reached
/// neither from another account nor with a profile.
pub fn assumed_by_principal(accounts: &Accounts, needed: &[&str]) -> Vec<String> {
    let direct = accounts.named.iter().filter(|(name, access)| is_needed(accounts, needed, name) && is_direct(access));
    let roles = std::iter::once(&accounts.own).chain(direct.map(|(_, access)| access));
    roles.filter_map(|access| access.role_arn.clone()).collect()
}

/// The roles that are assumed with the credentials of a named account.
pub fn assumed_from(accounts: &Accounts, needed: &[&str], source: &str) -> Vec<String> {
    let from = accounts.named.iter().filter(|(name, access)| access.source.as_deref() == Some(source) && is_needed(accounts, needed, name));
    from.filter_map(|(_, access)| access.role_arn.clone()).collect()
}

/// Whether calls are made in an account, or in one that is reached from it.
pub fn is_needed(accounts: &Accounts, needed: &[&str], name: &str) -> bool {
    // Sources do not go round: the stack is refused where they do.
    let from = || accounts.named.iter().filter(|(_, access)| access.source.as_deref() == Some(name));
    needed.contains(&name) || from().any(|(reached, _)| is_needed(accounts, needed, reached))
}

fn is_direct(access: &Access) -> bool {
    access.source.is_none() && access.profile.is_none()
}

/// The trust policy of a role; none where it is not assumed, or nobody knows by whom. `principal` starts leoctl.
pub fn trust(accounts: &Accounts, access: &Access, principal: &str) -> Option<Json> {
    access.role_arn.as_ref()?;
    let by = match (&access.source, &access.profile) {
        (Some(source), _) => accounts.named.get(source)?.role_arn.clone()?,
        (None, Some(_)) => return None,
        (None, None) => principal.to_owned(),
    };
    let mut statement = json!({ "Effect": "Allow", "Principal": { "AWS": by }, "Action": "sts:AssumeRole" });
    if let (true, Some(statement)) = (access.external_id.is_some(), statement.as_object_mut()) {
        statement.insert("Condition".to_owned(), json!({ "StringEquals": { "sts:ExternalId": EXTERNAL_ID } }));
    }
    Some(json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(role: &str) -> Access {
        Access { role_arn: Some(role.to_owned()), ..Access::default() }
    }

    #[test]
    fn each_role_is_assumed_by_whoever_it_is_reached_from() {
        let through = Access { source: Some("hub".to_owned()), external_id: Some("secret".to_owned()), ..access("dns") };
        let named = [("hub", access("hub")), ("dns", through.clone()), ("unused", access("unused"))];
        let named = named.into_iter().map(|(name, access)| (name.to_owned(), access)).collect();
        let accounts = Accounts { own: access("deploy"), named };
        assert_eq!(assumed_by_principal(&accounts, &["dns"]), ["deploy", "hub"]);
        assert_eq!(assumed_from(&accounts, &["dns"], "hub"), ["dns"]);
        assert!(assumed_from(&accounts, &[], "hub").is_empty());
        let who = |access: &Access| trust(&accounts, access, "me").map(|trust| trust["Statement"][0].clone());
        assert_eq!(who(&accounts.own).unwrap()["Principal"]["AWS"], "me");
        let dns = who(&through).unwrap();
        assert_eq!((&dns["Principal"]["AWS"], &dns["Condition"]["StringEquals"]["sts:ExternalId"]), (&json!("hub"), &json!("EXTERNAL_ID")));
        assert_eq!(who(&Access { profile: Some("p".to_owned()), ..access("x") }), None);
        assert_eq!(who(&Access::default()), None);
    }
}
