//! What a stack file says of accounts, what is refused of it, and how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::accounts::{accounts, used};
use super::files::Files;
use super::vars::Given;
use super::{Loaded, load};
use crate::testing::catalog;

const ROLE: &str = "arn:aws:iam::222222222222:role/dns";

/// Files by path; the stack's is `s.toml`.
struct Texts(BTreeMap<PathBuf, String>);

impl Files for Texts {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

/// A stack with what stands in `[stack]` (`own`) and below, and a module `m.toml`.
fn loaded(own: &str, below: &str, module: &str) -> Loaded {
    let stack = format!("[stack]\nname = 's'\nregion = 'us-east-1'\n{own}{below}");
    let files = [(PathBuf::from("s.toml"), stack), (PathBuf::from("m.toml"), module.to_owned())];
    load(Path::new("s.toml"), &Texts(files.into()), &Given::default(), &catalog())
}

fn told(loaded: &Loaded) -> Vec<String> {
    loaded.diagnostics.0.iter().map(|one| one.message.clone()).collect()
}

fn refused(own: &str, below: &str) -> Vec<String> {
    told(&loaded(own, below, ""))
}

const VPC: &str = "[resource.vpc.a]\ncidr_block = '10.0.0.0/16'\n";

#[test]
fn what_is_said_of_an_account_is_evaluated_before_aws_is_asked() {
    let below = format!(
        "[vars.env]\ndefault = 'prod'\n[vars.id]\ndefault = 'x1'\nsensitive = true\n[accounts.hub]\nprofile = 'hub-${{vars.env}}'\n\
         [accounts.dns]\nrole_arn = '{ROLE}'\nexternal_id = '${{vars.id}}'\nregion = 'eu-west-1'\nsource = 'hub2'\n\
         [accounts.hub2]\nrole_arn = '{ROLE}'\nsession_name = 'by-${{vars.env}}'\n{VPC}account = 'dns'\n"
    );
    let loaded = loaded(&format!("role_arn = '{ROLE}'\n"), &below, "");
    assert_eq!(told(&loaded), Vec::<String>::new());
    let stack = loaded.stack.unwrap();
    let found = accounts(&stack).unwrap();
    assert_eq!(found.own.role_arn.as_deref(), Some(ROLE));
    assert_eq!(found.named["hub"].profile.as_deref(), Some("hub-prod"));
    assert_eq!(found.named["hub2"].session_name.as_deref(), Some("by-prod"));
    let dns = &found.named["dns"];
    let said = (dns.external_id.as_deref(), dns.region.as_deref(), dns.source.as_deref());
    assert_eq!(said, (Some("x1"), Some("eu-west-1"), Some("hub2")));
    assert_eq!(used(&stack), ["dns".to_owned()].into());
}

#[test]
fn what_makes_no_sense_of_an_account_is_said() {
    let account = |body: &str| refused("", &format!("[accounts.dns]\n{body}\n[accounts.other]\nprofile = 'p'\n"));
    assert_eq!(account(""), ["accounts.dns does not say how calls reach it"]);
    assert_eq!(account("role_arn = 'dns'"), ["`dns` cannot be the ARN of a role"]);
    assert_eq!(account("role_arn = 3"), ["`role_arn` of accounts.dns is a string, not an integer"]);
    assert_eq!(account("profile = ''"), ["`profile` of accounts.dns is empty"]);
    assert_eq!(account("profile = 'p'\nregion = 'mars'"), ["`mars` cannot be a region"]);
    assert_eq!(
        account("profile = 'p'\nexternal_id = 'x'"),
        ["`external_id` of [accounts.dns] is about a role, and there is no `role_arn`"]
    );
    assert_eq!(account(&format!("role_arn = '{ROLE}'\nsession_name = 'a b'")), ["`a b` cannot be the name of a session"]);
    assert_eq!(account(&format!("role_arn = '{ROLE}'\nsource = 'othr'")), ["there is no account `othr`"]);
    assert_eq!(account(&format!("role_arn = '{ROLE}'\nsource = 'other'\nprofile = 'p'")), ["accounts.dns has both `source` and `profile`"]);
    assert_eq!(account("rol_arn = 'x'\nprofile = 'p'"), ["unknown key of [accounts.dns] `rol_arn`"]);
    assert_eq!(refused("external_id = 'x'\n", ""), ["`external_id` of [stack] is about a role, and there is no `role_arn`"]);
    let secret = "[vars.p]\ndefault = 'x'\nsensitive = true\n[accounts.dns]\nprofile = '${vars.p}'\n";
    assert_eq!(refused("", secret), ["`profile` of accounts.dns is sensitive, but it is shown in messages"]);
    let made = format!("{VPC}[accounts.dns]\nprofile = '${{vpc.a.id}}'\n");
    assert_eq!(refused("", &made), ["`profile` of accounts.dns can use variables, locals and env only"]);
}

#[test]
fn sources_that_go_round_are_named_once() {
    let account = |name: &str, source: &str| format!("[accounts.{name}]\nrole_arn = '{ROLE}'\nsource = '{source}'\n");
    let below = [account("a", "b"), account("b", "c"), account("c", "a"), account("d", "a")].concat();
    assert_eq!(refused("", &below), ["the sources of accounts are a cycle: a → b → c → a"]);
    assert_eq!(refused("", &account("a", "a")), ["the sources of accounts are a cycle: a → a"]);
}

#[test]
fn the_account_of_a_block_is_one_of_the_stacks_and_known_before_aws_is_asked() {
    let block = |account: &str| refused("", &format!("[accounts.dns]\nprofile = 'p'\n{VPC}account = {account}\n"));
    assert_eq!(block("'dns'"), Vec::<String>::new());
    assert_eq!(block("'dsn'"), ["there is no account `dsn`"]);
    assert_eq!(block("3"), ["the account of vpc.a is a name, not an integer"]);
    assert_eq!(
        block("'${vpc.b.id}'\n[resource.vpc.b]\ncidr_block = '10.1.0.0/16'"),
        ["the account of vpc.a depends on vpc.b, and has to be known before AWS is asked"]
    );
    assert_eq!(refused("", &format!("{VPC}account = 'dns'\n")), ["there is no account `dns`"]);
    // A misspelled key is taken for what it is meant to be.
    assert_eq!(refused("", &format!("[accounts.dns]\nprofile = 'p'\n{VPC}acount = 'dns'\n")), ["unknown key `acount`"]);
}

#[test]
fn the_account_of_a_module_is_that_of_what_is_in_it_and_says_none_itself() {
    let stack = "[accounts.a]\nprofile = 'a'\n[accounts.b]\nprofile = 'b'\n[module.m]\nsource = 'm.toml'\naccount = 'a'\n[module.m.inputs]\nwhich = 'b'\n";
    let module = "[vars.which]\n[resource.vpc.inner]\ncidr_block = '10.0.0.0/16'\n[resource.vpc.own]\ncidr_block = '10.1.0.0/16'\naccount = '${vars.which}'\n";
    let found = loaded("", stack, module);
    assert_eq!(told(&found), Vec::<String>::new());
    assert_eq!(used(&found.stack.unwrap()), ["a".to_owned(), "b".to_owned()].into());
    let each = stack
        .replace("account = 'a'\n", "account = '${each.key}'\nfor_each = ['a', 'b']\n")
        .replace("[module.m.inputs]", "[module.m.inputs]\n");
    let found = loaded("", &each, module);
    assert_eq!(told(&found), Vec::<String>::new());

    let constant = module.replace("'${vars.which}'", "'b'");
    assert_eq!(told(&loaded("", stack, &constant)), ["a module does not know the accounts of the stack that uses it"]);
    assert!(
        told(&loaded("", stack, &format!("{module}[accounts.x]\nprofile = 'p'\n")))
            .contains(&"a module has no section `accounts`".to_owned())
    );
    let unknown = stack.replace("account = 'a'", "account = 'c'");
    assert_eq!(told(&loaded("", &unknown, module)), ["there is no account `c`"]);
}

#[test]
fn an_account_is_needed_by_what_there_is_and_by_nothing_else() {
    let needed = |block: &str| {
        let accounts = "[vars.on]\ndefault = false\n[accounts.a]\nprofile = 'a'\n[accounts.b]\nprofile = 'b'\n";
        let found = loaded("", &format!("{accounts}{VPC}{block}"), "");
        assert_eq!(told(&found), Vec::<String>::new());
        used(&found.stack.unwrap()).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(needed("account = 'a'\nwhen = '${vars.on}'\n"), Vec::<String>::new());
    assert_eq!(needed("account = 'a'\nfor_each = []\n"), Vec::<String>::new());
    assert_eq!(needed("account = 'a'\nfor_each = ['x']\n"), ["a"]);
    assert_eq!(needed("account = '${each.value}'\nfor_each = { x = 'a', y = 'b' }\n"), ["a", "b"]);
    // How many there are only AWS says: which account they are in is known, or may be any.
    let zones = "[data.zones.here]\n";
    assert_eq!(needed(&format!("account = 'b'\nfor_each = '${{data.zones.here.names}}'\n{zones}")), ["b"]);
    assert_eq!(
        needed(&format!("account = '${{each.index == 0 ? \"a\" : \"b\"}}'\nfor_each = '${{data.zones.here.names}}'\n{zones}")),
        ["a", "b"]
    );
}
