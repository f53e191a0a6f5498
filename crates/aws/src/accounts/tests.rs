use leoctl_core::model::place::Site;
use leoctl_core::stack::accounts::{Access, Accounts as Said};

use super::{Accounts, Failure, FailureKind};
use crate::error::OrFail;
use crate::scripted::{Answer, Call, Scripted};

const DNS: &str = "222222222222";

/// STS, which gives the credentials of the role `NAME` the key `NAME`, and says of a key that it is of an account.
fn sts(call: &Call) -> Answer {
    let key = call.header("authorization").and_then(|line| line.split("Credential=").nth(1)?.split('/').next()).unwrap_or_default();
    match call.name.as_str() {
        "AssumeRole" => {
            let role = call.body.split("role%2F").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
            if role == "closed" {
                return Answer::query_error(403, "AccessDenied");
            }
            if role == "late" {
                return Answer::query_error(403, "ExpiredToken");
            }
            let expires = if role == "brief" { "2020-01-01T00:00:00Z" } else { "2999-01-01T00:00:00Z" };
            Answer::ok(format!(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{role}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                 <SessionToken>token-of-{role}</SessionToken><Expiration>{expires}</Expiration></Credentials></AssumeRoleResult>\
                 </AssumeRoleResponse>"
            ))
        }
        "GetCallerIdentity" => {
            let account = if key == "id" { "111111111111" } else { DNS };
            Answer::ok(format!(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::{account}:{key}</Arn><UserId>u</UserId>\
                 <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ))
        }
        _ => Answer::ok("<DescribeVpcsResponse/>"),
    }
}

fn role(name: &str) -> Access {
    Access { role_arn: Some(format!("arn:aws:iam::{DNS}:role/{name}")), ..Access::default() }
}

/// The accounts of the stack `web`, and what was called.
fn accounts(own: Access, named: &[(&str, Access)]) -> (Accounts, Scripted) {
    let (clients, scripted) = Scripted::in_account(sts);
    let named = named.iter().map(|(name, access)| ((*name).to_owned(), access.clone())).collect();
    (Accounts::new(clients, "web", Said { own, named }), scripted)
}

fn assumed(scripted: &Scripted) -> Vec<Call> {
    scripted.calls().into_iter().filter(|call| call.name == "AssumeRole").collect()
}

#[tokio::test]
async fn calls_in_an_account_are_made_with_the_credentials_of_its_role() {
    let access = Access { external_id: Some("our-secret".to_owned()), ..role("dns") };
    let (accounts, scripted) = accounts(Access::default(), &[("dns", access)]);
    assert_eq!(accounts.account("dns").await.unwrap(), DNS);
    accounts.is_own("111111111111", "arn:aws:sts::111111111111:id");
    let site = |account: &str| Site { account: account.to_owned(), region: "us-east-1".to_owned() };
    accounts.at(&site(DNS)).unwrap().ec2().describe_vpcs().send().await.unwrap();
    accounts.at(&site("111111111111")).unwrap().ec2().describe_vpcs().send().await.unwrap();
    let calls = scripted.calls();
    let asked = assumed(&scripted);
    assert_eq!(asked.len(), 1, "{:?}", scripted.names());
    for part in ["RoleSessionName=leoctl-web-dns", "ExternalId=our-secret", "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fdns"] {
        assert!(asked[0].body.contains(part), "{part}: {}", asked[0].body);
    }
    let tokens: Vec<_> = calls.iter().filter(|call| call.name == "DescribeVpcs").map(|call| call.header("x-amz-security-token")).collect();
    assert_eq!(tokens, [Some("token-of-dns"), None]);
    assert_eq!(accounts.caller(DNS).as_deref(), Some("arn:aws:sts::222222222222:dns"));

    // Of any other account nothing is asked, and it is said which it is.
    let nowhere = accounts.at(&site("333333333333")).err().unwrap();
    assert!(nowhere.message.contains("333333333333"), "{}", nowhere.message);
}

#[tokio::test]
async fn a_role_is_assumed_from_its_source_and_the_source_once() {
    let through = |name: &str| Access { source: Some("hub".to_owned()), ..role(name) };
    let (accounts, scripted) = accounts(Access::default(), &[("hub", role("hub")), ("a", through("a")), ("b", through("b"))]);
    let (a, b) = tokio::join!(accounts.account("a"), accounts.account("b"));
    assert!(a.is_ok() && b.is_ok());
    let asked = assumed(&scripted);
    let from: Vec<_> = asked.iter().map(|call| call.header("x-amz-security-token").unwrap_or("configured").to_owned()).collect();
    assert_eq!(from, ["configured", "token-of-hub", "token-of-hub"]);
}

#[tokio::test]
async fn the_role_of_the_stack_is_that_of_its_own_account_and_of_no_other() {
    let (accounts, scripted) = accounts(Access { session_name: Some("ci".to_owned()), ..role("deploy") }, &[("dns", role("dns"))]);
    accounts.own().region("us-east-1").ec2().describe_vpcs().send().await.unwrap();
    accounts.account("dns").await.unwrap();
    let asked = assumed(&scripted);
    assert!(asked[0].body.contains("RoleSessionName=ci"), "{}", asked[0].body);
    // The configured credentials assume both.
    assert!(asked.iter().all(|call| call.header("x-amz-security-token").is_none()));
}

#[tokio::test]
async fn credentials_that_expire_are_asked_for_anew() {
    let (accounts, scripted) = accounts(role("brief"), &[]);
    for _ in 0..2 {
        drop(accounts.own().region("us-east-1").ec2().describe_vpcs().send().await);
    }
    assert_eq!(assumed(&scripted).len(), 2);
}

#[tokio::test]
async fn a_role_that_is_closed_says_who_asked_for_which_and_how() {
    for external_id in [None, Some("x-external".to_owned())] {
        let access = Access { external_id: external_id.clone(), ..role("closed") };
        let (accounts, _) = accounts(access.clone(), &[("dns", access)]);
        let said = |failure: Failure| (failure.kind, failure.operation, failure.code, failure.message);
        let (kind, operation, code, message) = said(accounts.account("dns").await.unwrap_err());
        assert_eq!((kind, operation.as_str(), code.as_deref()), (FailureKind::Denied, "sts:AssumeRole", Some("AccessDenied")));
        let with = if external_id.is_some() { "with the external id that is written" } else { "without an external id" };
        let first = format!("arn:aws:sts::111111111111:id may not assume arn:aws:iam::{DNS}:role/closed, asked {with} for accounts.dns");
        assert_eq!(message.lines().next(), Some(first.as_str()));
        assert!(!message.contains("x-external"));
        // Whatever needed the credentials fails for the same reason.
        let call = accounts.own().region("us-east-1").ec2().describe_vpcs().send().await.or_fail("ec2:DescribeVpcs");
        let (kind, operation, _, message) = said(call.unwrap_err());
        assert_eq!((kind, operation.as_str()), (FailureKind::Denied, "sts:AssumeRole"));
        assert!(message.contains("for [stack]"), "{message}");
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_said_to_whoever_needs_the_account() {
    let (accounts, _) = accounts(Access::default(), &[("dns", role("dns")), ("shut", role("closed"))]);
    accounts.is_own("111111111111", "arn");
    accounts.expect("dns", "333333333333").await;
    accounts.expect("shut", "444444444444").await;
    let why = |account: &str| {
        let site = Site { account: account.to_owned(), region: "us-east-1".to_owned() };
        accounts.at(&site).err().map(|failure| failure.message).unwrap_or_default()
    };
    assert_eq!(why("333333333333"), format!("accounts.dns is account {DNS} now, and was 333333333333"));
    assert!(why("444444444444").contains("may not assume"), "{}", why("444444444444"));
    assert!(accounts.at(&Site { account: DNS.to_owned(), region: "us-east-1".to_owned() }).is_ok());
}

#[tokio::test]
async fn an_account_may_be_known_by_the_arn_of_a_role_that_is_not_there_yet() {
    let (accounts, _) = accounts(role("closed"), &[("dns", role("closed"))]);
    assert!(accounts.account("dns").await.is_err());
    accounts.believe_arns();
    assert_eq!(accounts.account("dns").await.unwrap(), DNS);
    assert_eq!(accounts.configured().await.unwrap(), "111111111111");
}

#[tokio::test]
async fn credentials_that_have_expired_are_said_to_be_what_failed() {
    let (accounts, _) = accounts(Access::default(), &[("dns", role("late"))]);
    let failure = accounts.account("dns").await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::Credentials, Some("ExpiredToken")));
    assert_eq!(failure.message, format!("arn:aws:iam::{DNS}:role/late cannot be assumed for accounts.dns: no"));
    assert!(!failure.kind.may_exist());
}
