//! One stack in several accounts.

use super::world::{ACCOUNT, Fault, HOME, World};
use crate::engine::ports::FailureKind;
use crate::plan::select::Options;
use crate::plan::types::Action;

const DNS: &str = "222222222222";
const OTHER: &str = "333333333333";
/// The account `dns`, as the stack file has it.
const ACCOUNTS: &str = "[accounts.dns]\nrole_arn = \"arn:aws:iam::222222222222:role/dns\"\n";

fn world() -> World {
    let world = World::default();
    world.cloud.leads("dns", DNS);
    world
}

/// The stack file with the account `dns` and some blocks.
fn stack(blocks: &str) -> String {
    format!("{ACCOUNTS}{blocks}")
}

const BOTH: &str =
    "[resource.group.here]\nname = \"here\"\n[resource.record.there]\naccount = \"dns\"\nname = \"there\"\nuses = \"${group.here.arn}\"\n";

#[tokio::test(start_paused = true)]
async fn each_resource_is_made_changed_and_deleted_in_the_account_it_names() {
    let world = world();
    world.apply(&stack(BOTH)).await;
    assert_eq!(world.cloud.accounts(), [format!("group here {ACCOUNT}"), format!("record there {DNS}")]);
    assert_eq!(world.shelf.state().unwrap().named_accounts, [("dns".to_owned(), DNS.to_owned())].into());

    world.apply(&stack(&BOTH.replace("[resource.record.there]\n", "[resource.record.there]\nnote = \"x\"\n"))).await;
    let calls = world.cloud.calls.lock().unwrap().iter().map(|call| (call.verb, call.place.account.clone())).collect::<Vec<_>>();
    assert_eq!(calls.last(), Some(&("update", DNS.to_owned())));

    // What the stack file does not have any more is deleted where it is; so is everything in the end.
    world.apply(&stack("[resource.group.here]\nname = \"here\"\n")).await;
    assert_eq!(world.cloud.accounts(), [format!("group here {ACCOUNT}")]);
    world.apply(&stack(BOTH)).await;
    world.destroy(&stack(BOTH)).await;
    assert!(world.cloud.accounts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_account_is_a_replacement_and_the_old_one_is_deleted_where_it_is() {
    for (kind, first) in [("group", "create"), ("role", "create"), ("bucket", "delete")] {
        let world = world();
        let body = |account: &str| stack(&format!("[resource.{kind}.r]\nname = \"web\"\n{account}"));
        world.apply(&body("")).await;
        let planned = world.plan(&body("account = \"dns\"\n")).await.unwrap();
        let change = &planned.plan.changes[0];
        assert_eq!((change.action, change.account.as_str()), (Action::Replace, DNS));
        let said = format!("it is in {HOME} of account {ACCOUNT}, and is to be in {HOME} of account {DNS}");
        assert_eq!(change.reason.as_deref(), Some(said.as_str()));
        world.cloud.calls.lock().unwrap().clear();
        world.apply(&body("account = \"dns\"\n")).await;
        let calls = world.cloud.calls.lock().unwrap();
        let calls: Vec<_> = calls.iter().map(|call| (call.verb, call.place.account.as_str())).collect();
        // The name of a bucket is taken everywhere: the two cannot be there at once.
        let wanted = if first == "create" { [("create", DNS), ("delete", ACCOUNT)] } else { [("delete", ACCOUNT), ("create", DNS)] };
        assert_eq!(calls, wanted, "{kind}");
        assert_eq!(world.cloud.accounts(), [format!("{kind} web {DNS}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_to_another_account_than_it_did_refuses_to_run() {
    let world = world();
    world.apply(&stack(BOTH)).await;
    world.cloud.leads("dns", OTHER);
    let calls = world.cloud.calls.lock().unwrap().len();
    for options in [Options::default(), Options { destroy: true, ..Options::default() }] {
        let refused = world.plan_with(&stack(BOTH), &options).await.err().unwrap();
        assert_eq!(refused, format!("accounts.dns is account {OTHER} now, and record.there is in account {DNS}"));
    }
    assert_eq!(world.cloud.calls.lock().unwrap().len(), calls);

    // With both accounts in the file the resource moves.
    world.cloud.leads("old", DNS);
    let old = "[accounts.old]\nprofile = \"old\"\n";
    world.apply(&stack(&format!("{old}{BOTH}"))).await;
    assert_eq!(world.cloud.accounts(), [format!("group here {ACCOUNT}"), format!("record there {OTHER}")]);
    world.apply(&stack(BOTH)).await;
    assert_eq!(world.shelf.state().unwrap().named_accounts["dns"], OTHER);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_an_account_that_the_stack_file_has_no_more_is_not_forgotten() {
    let world = world();
    world.apply(&stack(BOTH)).await;
    let here = "[resource.group.here]\nname = \"here\"\n";
    let refused = world.plan(here).await.err().unwrap();
    assert_eq!(refused, format!("record.there is in account {DNS}, and no account of the stack file is that one"));
    // Under whatever name the account is there, it is deleted there.
    world.cloud.leads("elsewhere", DNS);
    world.apply(&format!("[accounts.elsewhere]\nprofile = \"p\"\n{here}")).await;
    assert_eq!(world.cloud.accounts(), [format!("group here {ACCOUNT}")]);
    world.apply(here).await;
}

#[tokio::test(start_paused = true)]
async fn only_the_accounts_that_are_needed_are_asked() {
    let world = world();
    let body = stack("[accounts.unused]\nprofile = \"p\"\n[resource.group.g]\nname = \"g\"\n");
    world.apply(&body).await;
    assert!(world.cloud.asked_for_accounts.lock().unwrap().is_empty());
    let refused = world.plan(&stack("[accounts.unused]\nprofile = \"p\"\n[resource.group.g]\naccount = \"unused\"\nname = \"g\"\n")).await;
    assert!(refused.err().unwrap().contains("nobody may be unused"));
    // Which one an instance names is known before AWS is asked; asked is each once.
    world.cloud.asked_for_accounts.lock().unwrap().clear();
    let each = "[resource.group.g]\nfor_each = [\"a\", \"b\"]\naccount = \"${each.key == 'a' ? 'dns' : 'dns'}\"\nname = \"${each.key}\"\n";
    world.plan(&stack(&format!("[accounts.unused]\nprofile = \"p\"\n{each}"))).await.unwrap();
    assert_eq!(*world.cloud.asked_for_accounts.lock().unwrap(), ["dns"]);
}

#[tokio::test(start_paused = true)]
async fn two_names_of_one_account_are_one_account_and_the_plan_says_so() {
    let world = world();
    world.cloud.leads("again", DNS);
    world.cloud.leads("own", ACCOUNT);
    let more = "[accounts.again]\nprofile = \"p\"\n[accounts.own]\nprofile = \"p\"\n";
    let body = |name: &str| {
        stack(&format!(
            "{more}[resource.record.a]\naccount = \"dns\"\nname = \"a\"\n[resource.record.b]\naccount = \"{name}\"\nname = \"b\"\n"
        ))
    };
    world.apply(&body("again")).await;
    let warned = world.plan(&body("again")).await.unwrap().plan.warnings;
    assert_eq!(
        warned,
        [format!("accounts.again and accounts.dns are one account, {DNS}: the credentials of accounts.again are used there")]
    );
    let planned = world.plan(&body("dns")).await.unwrap();
    assert!(!planned.plan.has_changes());
    assert!(planned.plan.warnings.is_empty());
    let own = world.plan(&body("own")).await.unwrap().plan.warnings;
    assert_eq!(own, [format!("accounts.own is account {ACCOUNT}, the stack's own: the stack's credentials are used there")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_killed_goes_on_in_the_account_it_was_in() {
    for (at, fault) in [(0, Fault::KilledBefore), (0, Fault::KilledAfter), (1, Fault::KilledBefore), (1, Fault::KilledAfter)] {
        for other in [stack(BOTH), stack("[resource.group.here]\nname = \"here\"\n")] {
            let world = world();
            world.cloud.strike(at, fault);
            assert!(world.run(&stack(BOTH), &Options::default()).await.is_none(), "killed");
            world.apply(&other).await;
            let wanted = other.matches("[resource.").count();
            assert_eq!(world.cloud.accounts().len(), wanted, "{at} {fault:?}: {:?}", world.cloud.accounts());
            world.destroy(&other).await;
            assert!(world.cloud.accounts().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_killed_while_it_was_made_is_found_there_though_its_block_names_another_account_by_now() {
    for kind in ["record", "group", "role"] {
        for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::DoneAndFails(FailureKind::Ambiguous)] {
            let world = world();
            world.cloud.leads("second", OTHER);
            let body = |account: &str| {
                stack(&format!("[accounts.second]\nprofile = \"p\"\n[resource.{kind}.r]\naccount = \"{account}\"\nname = \"r\"\n"))
            };
            world.cloud.strike(0, fault);
            world.run(&body("dns"), &Options::default()).await;
            world.apply(&body("second")).await;
            assert_eq!(world.cloud.accounts(), [format!("{kind} r {OTHER}")], "{fault:?}");
            world.destroy(&body("second")).await;
            assert!(world.cloud.accounts().is_empty());
        }
    }
}
