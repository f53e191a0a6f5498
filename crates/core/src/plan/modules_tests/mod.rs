//! Modules: what their names mean, and what is said of mistakes.

mod written_out;

use crate::model::value::Value;
use crate::plan::types::Plan;
use crate::testing::{Account, change, names, stack, whole};

const NETWORK: &str = r#"
#file modules/network.toml
[vars.cidr]

[vars.zones]
default = ["a", "b"]

[locals]
width = "${size(vars.zones)}"

[resource.vpc.main]
cidr_block = "${vars.cidr}"
tags       = { Stack = "${stack.name}" }

[resource.subnet.public]
for_each   = "${vars.zones}"
vpc_id     = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vars.cidr, 8, each.index)}"

[outputs]
vpc_id  = "${vpc.main.id}"
subnets = "${pluck(subnet.public, 'id')}"
width   = "${locals.width}"
"#;

fn with_network(text: &str) -> String {
    format!("{text}{NETWORK}")
}

fn addresses(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|change| change.address.to_string()).collect()
}

/// The messages of what is wrong with a stack.
fn wrong(text: &str) -> Vec<String> {
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    stack(text).err().unwrap_or_default().into_iter().map(first).collect()
}

#[test]
fn what_is_in_a_module_has_an_address_of_its_own_and_is_seen_through_outputs() {
    let text = with_network(
        "[module.net]\nsource = 'modules/network.toml'\n[module.net.inputs]\ncidr = '10.0.0.0/16'\n\
         [resource.route_table.r]\nvpc_id = '${module.net.vpc_id}'\nsubnet_ids = '${module.net.subnets}'\n\
         [outputs]\nwidth = '${module.net.width}'\nvpc = '${module.net.vpc_id}'",
    );
    let account = Account::new().applied(&text);
    let plan = account.plan(&text).unwrap();
    assert!(!plan.changes_resources(), "{:?}", plan.changes);
    let all = [r#"module.net.subnet.public["a"]"#, r#"module.net.subnet.public["b"]"#, "module.net.vpc.main", "route_table.r"];
    let mut found = addresses(&plan);
    found.sort();
    assert_eq!(found, all);
    assert_eq!(names(&change(&plan, "route_table.r").depends_on), &all[..3]);
    assert_eq!(names(&change(&plan, all[0]).depends_on), &all[2..3]);
    assert_eq!(plan.outputs["width"].after, Some(Value::Int(2)));
    assert_eq!(
        change(&plan, all[2]).after.get("tags").and_then(|tags| tags.get("leoctl:address")),
        Some(&Value::string("module.net.vpc.main"))
    );
}

#[test]
fn an_unknown_says_what_it_waits_for_through_a_module() {
    let text = with_network(
        "[module.net]\nsource = 'modules/network.toml'\n[module.net.inputs]\ncidr = '10.0.0.0/16'\n\
         [resource.route_table.r]\nvpc_id = '${module.net.vpc_id}'",
    );
    let plan = Account::new().plan(&text).unwrap();
    let waits: Vec<&String> = change(&plan, "route_table.r").waits_for.values().flatten().collect();
    assert_eq!(waits, ["module.net.vpc.main.id"]);
}

#[test]
fn two_modules_use_each_other_s_outputs_as_long_as_no_resource_depends_on_itself() {
    let both = |note: &str| {
        format!(
            "[module.a]\nsource = 'modules/m.toml'\ninputs = {{ given = '${{module.b.group}}' }}\n\
             [module.b]\nsource = 'modules/m.toml'\ninputs = {{ given = '${{module.a.group}}' }}\n\
             #file modules/m.toml\n[vars.given]\n[resource.group.g]\nname = '{note}'\n\
             [resource.policy.p]\nname = '${{vars.given}}'\n[outputs]\ngroup = '${{group.g.arn}}'"
        )
    };
    let plan = Account::new().plan(&both("x")).unwrap();
    assert_eq!(names(&change(&plan, "module.a.policy.p").depends_on), ["module.b.group.g"]);
    assert_eq!(names(&change(&plan, "module.b.policy.p").depends_on), ["module.a.group.g"]);
    let cycle = wrong(&both("${vars.given}"));
    assert!(matches!(cycle.as_slice(), [one] if one.starts_with("dependency cycle") && one.contains("module.a.group.g")), "{cycle:?}");
}

#[test]
fn a_module_sees_no_name_of_the_stack_that_uses_it() {
    let found = wrong(
        "[vars.size]\ndefault = 1\n[locals]\nx = 1\n[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n\
         [module.m]\nsource = 'modules/m.toml'\n\
         #file modules/m.toml\n[resource.policy.p]\nname = '${vpc.main.id}${vars.size}${locals.x}${env.A}${each.key}${stack.name}'",
    );
    let expected = [
        "`vpc.main` is outside of the module",
        "there is no variable `size`",
        "there is no local `x`",
        "`env.A` is outside of the module",
        "`each` exists only in a resource with `for_each`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn modules_are_used_inside_of_modules_and_never_by_themselves() {
    let nested = "[module.outer]\nsource = 'modules/outer.toml'\n\
         [outputs]\narn = '${module.outer.arn}'\n\
         #file modules/outer.toml\n[module.inner]\nsource = 'deep/inner.toml'\ninputs = { name = '${stack.name}-x' }\n\
         [outputs]\narn = '${module.inner.arn}'\n\
         #file modules/deep/inner.toml\n[vars.name]\n[resource.group.g]\nname = '${vars.name}'\n[outputs]\narn = '${group.g.arn}'";
    let plan = Account::new().plan(nested).unwrap();
    assert_eq!(addresses(&plan), ["module.outer.module.inner.group.g"]);
    assert_eq!(plan.outputs["arn"].waits_for, ["module.outer.module.inner.group.g.arn"]);
    let itself = nested.replace("[vars.name]", "[vars.name]\n[module.again]\nsource = '../outer.toml'");
    assert_eq!(wrong(&itself), ["a module uses itself: modules/outer.toml → modules/deep/inner.toml → modules/outer.toml"]);
    let outside = nested.replace("deep/inner.toml'\ninputs", "../../inner.toml'\ninputs");
    assert!(wrong(&outside).contains(&"the module ../inner.toml is outside of the project".to_owned()), "{:?}", wrong(&outside));
}

#[test]
fn what_is_sensitive_stays_so_into_a_module_and_out_of_it() {
    let text = "[vars.token]\ndefault = 'h1dden'\nsensitive = true\n\
         [module.m]\nsource = 'modules/m.toml'\ninputs = { from = '${vars.token}', own = 'pl4in', open = 'x' }\n\
         [outputs]\nfrom = '${module.m.from}'\nown = '${module.m.own}'\nopen = '${module.m.open}'\nsaid = '${module.m.said}'\n\
         #file modules/m.toml\n[vars.from]\n[vars.own]\nsensitive = true\n[vars.open]\n\
         [resource.policy.p]\nname = 'n'\ndocument = { a = '${vars.own}' }\n\
         [outputs]\nfrom = '${vars.from}'\nown = '${vars.own}'\nopen = '${vars.open}'\nsaid = { value = 'y', sensitive = true }";
    let plan = Account::new().plan(text).unwrap();
    let secret: Vec<&str> =
        plan.outputs.iter().filter(|(_, output)| output.after.as_ref().unwrap().has_secret()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(secret, ["from", "own", "said"]);
    assert!(plan.stack.is_output_sensitive("own") && plan.stack.is_output_sensitive("said") && !plan.stack.is_output_sensitive("open"));
    assert_eq!(plan.redactor().redact("h1dden, pl4in"), "(sensitive), (sensitive)");
    assert!(change(&plan, "module.m.policy.p").after.has_secret());
}

#[test]
fn a_module_for_several_keys_is_there_once_for_each() {
    let text = "[module.web]\nsource = 'modules/web.toml'\nfor_each = { orders = 80, billing = 81 }\n\
         [module.web.inputs]\nname = '${each.key}-${each.value + each.index}'\n\
         [module.off]\nsource = 'modules/web.toml'\nwhen = false\ninputs = { name = 'off' }\n\
         [locals]\nkey = 'orders'\n\
         [resource.policy.one]\nname = '${module.web[\"orders\"].arn}'\n\
         [resource.policy.other]\nname = '${module.web[locals.key].arn}'\n\
         [resource.cluster.all]\nproviders = '${pluck(module.web, \"arn\")}'\n\
         [outputs]\noff = '${module.off == null}'\nkeys = '${keys(module.web)}'\n\
         #file modules/web.toml\n[vars.name]\n[resource.group.g]\nname = '${vars.name}'\n\
         [outputs]\narn = '${group.g.arn}'\nloop = '${vars.name}'";
    let plan = Account::new().plan(text).unwrap();
    let web = |key: &str| format!("module.web[\"{key}\"].group.g");
    assert_eq!(names(&change(&plan, "policy.one").depends_on), [web("orders")]);
    assert_eq!(names(&change(&plan, "policy.other").depends_on), [web("orders")]);
    assert_eq!(names(&change(&plan, "cluster.all").depends_on), [web("billing"), web("orders")]);
    assert_eq!(change(&plan, &web("billing")).after.get("name"), Some(&Value::string("billing-81")));
    assert_eq!(change(&plan, &web("orders")).after.get("name"), Some(&Value::string("orders-81")));
    assert_eq!(plan.outputs["off"].after, Some(Value::Bool(true)));
    assert_eq!(plan.outputs["keys"].after, Some(Value::from(serde_json::json!(["billing", "orders"]))));
    assert_eq!(plan.changes.len(), 5);
}

#[test]
fn one_output_of_every_instance_waits_for_no_other_output() {
    let text = "[module.m]\nsource = 'modules/m.toml'\nfor_each = ['a', 'b']\ninputs = { names = '${pluck(module.m, \"name\")}' }\n\
         #file modules/m.toml\n[vars.names]\n[resource.group.g]\nname = 'g'\n[resource.cluster.c]\nproviders = '${vars.names}'\n\
         [outputs]\nname = '${group.g.arn}'\nlast = '${cluster.c.arn}'";
    let plan = Account::new().plan(text).unwrap();
    let depends_on = names(&change(&plan, "module.m[\"a\"].cluster.c").depends_on);
    assert_eq!(depends_on, ["module.m[\"a\"].group.g", "module.m[\"b\"].group.g"]);
}

#[test]
fn one_output_of_an_instance_by_a_computed_key_waits_for_nothing_else_of_it() {
    let text = "[locals]\nnext = { a = 'b', b = 'a' }\n\
         [module.m]\nsource = 'modules/m.toml'\nfor_each = ['a', 'b']\ninputs = { name = '${module.m[locals.next[each.key]].name}' }\n\
         #file modules/m.toml\n[vars.name]\n[resource.group.g]\nname = 'g'\n[resource.policy.p]\nname = '${vars.name}'\n\
         [outputs]\nname = '${group.g.arn}'\nlast = '${policy.p.arn}'";
    let plan = Account::new().plan(text).unwrap();
    assert_eq!(names(&change(&plan, "module.m[\"a\"].policy.p").depends_on), ["module.m[\"b\"].group.g"]);
    assert_eq!(wrong(&text.replace("a = 'b'", "a = 'c'")), ["there is no instance of module.m `c`"]);
}

#[test]
fn what_says_which_modules_there_are_has_to_be_known_before_aws_is_asked() {
    let of = |more: &str| {
        wrong(&format!(
            "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n[module.m]\nsource = 'modules/m.toml'\n{more}\n\
             #file modules/m.toml\n[resource.group.g]\nname = 'g'"
        ))
    };
    assert_eq!(
        of("when = '${vpc.main.id == null}'"),
        ["`when` of module.m depends on vpc.main.id, which is not known before AWS is asked"]
    );
    assert_eq!(
        of("for_each = '${[stack.account_id]}'"),
        ["`for_each` of module.m depends on stack.account_id, which is not known before AWS is asked"]
    );
    assert_eq!(of("for_each = 3"), ["`for_each` of module.m is a list or a table, not an integer"]);
    assert_eq!(of("for_each = '${keys(module.n)}'"), ["there is no module `n`"]);
}

#[test]
fn a_module_may_be_repeated_over_the_keys_of_another_wherever_that_stands() {
    let text = "[module.b]\nsource = 'modules/m.toml'\nfor_each = '${keys(module.a)}'\n\
         [module.a]\nsource = 'modules/m.toml'\nfor_each = ['x', 'y']\n\
         #file modules/m.toml\n[resource.group.g]\nname = 'g'";
    let plan = Account::new().plan(text).unwrap();
    assert!(change(&plan, "module.b[\"y\"].group.g").depends_on.is_empty());
    assert_eq!(plan.changes.len(), 4);
}

#[test]
fn everything_in_a_module_waits_for_what_its_use_names_and_others_wait_for_all_of_it() {
    let text = "[resource.group.first]\nname = 'first'\n[module.m]\nsource = 'modules/m.toml'\ndepends_on = ['group.first']\n\
         [module.n]\nsource = 'modules/m.toml'\ndepends_on = ['module.m']\n\
         [resource.group.last]\nname = 'last'\ndepends_on = ['module.n']\n\
         #file modules/m.toml\n[module.deep]\nsource = 'deep.toml'\n[resource.group.g]\nname = 'g'\n\
         #file modules/deep.toml\n[resource.group.d]\nname = 'd'";
    let plan = Account::new().plan(text).unwrap();
    let depends_on = |address: &str| names(&change(&plan, address).depends_on);
    assert_eq!(depends_on("module.m.module.deep.group.d"), ["group.first"]);
    assert_eq!(depends_on("module.n.group.g"), ["module.m.group.g", "module.m.module.deep.group.d"]);
    assert_eq!(depends_on("group.last"), ["module.n.group.g", "module.n.module.deep.group.d"]);
    let wrong = wrong(&text.replace("'module.m']", "'module.x', 'module.m.group.g']"));
    assert_eq!(wrong, ["there is no module `x`", "`module.m.group.g` is inside of a module"]);
}

#[test]
fn what_a_module_is_given_fits_what_it_declares_and_both_places_are_said() {
    let of = |inputs: &str| {
        let text = format!(
            "[module.web]\nsource = 'modules/web.toml'\nfor_each = ['a', 'b']\ninputs = {{ {inputs} }}\n\
             #file modules/web.toml\n[vars.name]\n[vars.size]\ndefault = 1\nallowed = [1, 2]\n\
             [[vars.size.validate]]\ncondition = '${{vars.size < 2 || vars.name != \"small\"}}'\nmessage = 'small ones have size 1, not ${{vars.size}}'\n\
             [resource.group.g]\nname = '${{vars.name}}${{vars.size}}'"
        );
        stack(&text).err().unwrap_or_default()
    };
    assert!(of("name = 'x', size = 2").is_empty());
    let missing = of("size = 1");
    assert!(
        matches!(missing.as_slice(), [one] if one.starts_with("module.web is not given its input `name`") && one.contains("modules/web.toml:1:7")),
        "{missing:?}"
    );
    let more = of("name = 'x', sise = 1");
    assert!(
        matches!(more.as_slice(), [one] if one.starts_with("module.web has no input `sise`\n  did you mean `size`?") && one.contains("modules/web.toml")),
        "{more:?}"
    );
    let kind = of("name = 'x', size = 'big'");
    assert!(
        matches!(kind.as_slice(), [one] if one.contains("is an integer, not a string") && one.contains("modules/web.toml:2:7")),
        "{kind:?}"
    );
    let allowed = of("name = 'x', size = 3");
    assert!(
        matches!(allowed.as_slice(), [one] if one.contains("cannot be 3\n  allowed: 1, 2; the module declares it at modules/web.toml:2:7")),
        "{allowed:?}"
    );
    let unknown = of("name = 'x', size = '${module.web[\"a\"] == null}'");
    assert!(matches!(unknown.as_slice(), [one] if one.contains("is an integer, not a boolean")), "{unknown:?}");
    let condition = of("name = 'small', size = 2");
    assert!(
        matches!(condition.as_slice(), [one] if one.contains("small ones have size 1, not 2\n  its condition stands at modules/web.toml:")),
        "{condition:?}"
    );
}

#[test]
fn a_condition_of_a_variable_of_the_stack_is_checked_too_and_shows_no_secret() {
    let of = |more: &str| {
        wrong(&format!(
            "[vars.port]\ndefault = 80\n{more}\n[[vars.port.validate]]\ncondition = '${{vars.port > 1000}}'\nmessage = 'not ${{vars.port}}'"
        ))
    };
    assert_eq!(of(""), ["variable `port`: not 80"]);
    assert_eq!(of("sensitive = true"), ["variable `port`: it does not meet its condition; the message uses a sensitive value"]);
}

#[test]
fn checks_in_modules_are_reported_with_their_module() {
    let text = "[module.m]\nsource = 'modules/m.toml'\nfor_each = ['a']\n\
         #file modules/m.toml\n[checks.c]\nassert = '${1 > 2}'\nmessage = 'no'";
    let plan = Account::new().plan(text).unwrap();
    assert!(matches!(plan.checks.as_slice(), [one] if one.name == "module.m[\"a\"].c" && one.holds == Some(false)), "{:?}", plan.checks);
}

#[test]
fn a_plan_is_about_a_module_or_one_instance_of_it() {
    let text = "[module.m]\nsource = 'modules/m.toml'\nfor_each = ['a', 'b']\n[resource.group.other]\nname = 'other'\n\
         [resource.group.first]\nname = 'first'\n[module.n]\nsource = 'modules/m.toml'\ndepends_on = ['group.first']\n\
         #file modules/m.toml\n[resource.group.g]\nname = 'g'";
    let planned = |targets: &[&str], excludes: &[&str], replace: &[&str]| {
        let mut account = Account::new();
        let parse = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        (account.options.targets, account.options.excludes, account.options.replace) = (parse(targets), parse(excludes), parse(replace));
        let plan = account.plan(text)?;
        let made = plan.changes.iter().filter(|change| change.is_change());
        let mut made: Vec<String> = made.map(|change| change.address.to_string()).collect();
        made.sort();
        Ok::<_, Vec<String>>(made)
    };
    assert_eq!(planned(&["module.m"], &[], &[]).unwrap(), [r#"module.m["a"].group.g"#, r#"module.m["b"].group.g"#]);
    assert_eq!(planned(&["module.m[a]"], &[], &[]).unwrap(), [r#"module.m["a"].group.g"#]);
    assert_eq!(planned(&["module.m.group.g"], &["module.m[b]"], &[]).unwrap(), [r#"module.m["a"].group.g"#]);
    assert_eq!(planned(&["module.n"], &[], &[]).unwrap(), ["group.first", "module.n.group.g"]);
    assert_eq!(planned(&[], &["module.m", "group.first"], &[]).unwrap(), ["group.other"]);
    for (targets, replace) in [(vec!["module.x"], vec![]), (vec!["module.m[c]"], vec![]), (vec![], vec!["module.x"])] {
        let refused = planned(&targets, &[], &replace).unwrap_err();
        assert!(matches!(refused.as_slice(), [one] if one.ends_with("is neither in the stack nor in its state")), "{refused:?}");
    }
}

#[test]
fn addresses_in_and_of_modules_are_moved_imported_and_removed_as_others_are() {
    let of = |more: &str| {
        wrong(&format!(
            "{more}\n[module.m]\nsource = 'modules/m.toml'\n[resource.group.own]\nname = 'own'\n#file modules/m.toml\n[resource.group.g]\nname = 'g'"
        ))
    };
    assert!(of("[[moved]]\nfrom = 'module.old'\nto = 'module.m'\n[[moved]]\nfrom = 'group.g'\nto = 'module.m.group.g'").is_empty());
    assert!(of("[[import]]\nto = 'module.m.group.g'\nid = 'g-1'\n[[removed]]\nfrom = 'module.gone'").is_empty());
    assert_eq!(of("[[removed]]\nfrom = 'module.m'"), ["[[removed]] from module.m, which is still in the stack"]);
    assert_eq!(of("[[moved]]\nfrom = 'module.a'\nto = 'module.b'"), ["[[moved]] to module.b, which the stack does not have"]);
    assert_eq!(
        of("[[moved]]\nfrom = 'module.a'\nto = 'group.own'"),
        ["module.a cannot become group.own: one is a module, and the other a resource"]
    );
    assert_eq!(of("[[import]]\nto = 'module.m.group.x'\nid = 'g-1'"), ["[[import]] to module.m.group.x, which the stack does not have"]);
}

#[test]
fn an_input_that_nothing_uses_is_judged_too_also_while_it_is_not_known() {
    let of = |value: &str| {
        wrong(&format!(
            "[resource.group.g]\nname = 'g'\n[module.m]\nsource = 'modules/m.toml'\ninputs = {{ size = {value} }}\n\
             #file modules/m.toml\n[vars.size]\ndefault = 1\nallowed = [1, 2]"
        ))
    };
    assert!(of("2").is_empty());
    assert_eq!(of("3"), ["input `size` of module.m cannot be 3"]);
    assert_eq!(of("'${group.g.arn}'"), ["input `size` of module.m is an integer, not a string"]);
}

#[test]
fn nothing_is_said_of_what_a_module_that_cannot_be_read_may_have() {
    let text = "[module.m]\nsource = 'modules/m.toml'\ninputs = { size = 1 }\n[outputs]\nx = '${module.m.x}'\n\
         #file modules/m.toml\n[vars.size]\n[outputs]\nx = '${vars.size}'\n[resource.group.g\nname = 'g'";
    assert_eq!(wrong(text).len(), 1, "{:?}", wrong(text));
    let absent = "[module.m]\nsource = 'modules/n.toml'\n[outputs]\nx = '${module.m.x}'";
    assert_eq!(wrong(absent), ["cannot read modules/n.toml: there is no such file"]);
}

#[test]
fn a_module_says_how_much_its_own_resources_are_used() {
    let of = |cost: &str| {
        format!("[module.m]\nsource = 'modules/m.toml'\nfor_each = ['a']\n#file modules/m.toml\n[resource.group.g]\nname = 'g'\n{cost}")
    };
    let used = stack(&of("[cost.group.g]\n")).unwrap();
    let blocks: Vec<String> = used.config.usage.blocks.keys().map(ToString::to_string).collect();
    assert_eq!(blocks, ["module.m[\"a\"].group.g"]);
    assert_eq!(wrong(&of("[cost]\nlog_gb = 5")), ["in a module, `[cost]` is about single resources only"]);
}

#[test]
fn where_a_stack_is_cannot_be_said_by_a_module() {
    let text = "[stack]\nname = '${module.m.name}'\n[module.m]\nsource = 'modules/m.toml'\n#file modules/m.toml\n[outputs]\nname = 'x'";
    let found = whole(text).err().unwrap();
    assert!(found[0].starts_with("the stack's name can use variables, locals and env only"), "{found:?}");
}

#[test]
fn what_a_module_is_repeated_over_may_be_known_later_than_its_keys() {
    let text = "[resource.group.one]\nname = 'one'\n[module.m]\nsource = 'modules/m.toml'\nfor_each = { a = '${group.one.arn}', b = 'x' }\n\
         inputs = { name = '${each.key}-${each.value}' }\n\
         #file modules/m.toml\n[vars.name]\n[resource.policy.p]\nname = '${vars.name}'";
    let plan = Account::new().plan(text).unwrap();
    assert_eq!(names(&change(&plan, "module.m[\"a\"].policy.p").depends_on), ["group.one"]);
    let waits: Vec<&String> = change(&plan, "module.m[\"a\"].policy.p").waits_for.values().flatten().collect();
    assert_eq!(waits, ["group.one.arn"]);
    let account = Account::new().applied(text);
    let plan = account.plan(text).unwrap();
    assert!(!plan.changes_resources(), "{:?}", plan.changes);
    let name = |key: &str| change(&plan, &format!("module.m[\"{key}\"].policy.p")).after.get("name").cloned();
    assert_eq!((name("a"), name("b")), (Some(Value::string("a-group.one")), Some(Value::string("b-x"))));
}

#[test]
fn what_is_in_a_module_is_in_the_account_that_its_use_says_unless_it_says_its_own() {
    let mut account = Account::new();
    let site = |account: &str, region: &str| crate::model::place::Site::new(account.repeat(12), region);
    account.identity.accounts = [("a".to_owned(), site("2", "eu-west-1")), ("b".to_owned(), site("3", "us-east-1"))].into();
    let text = "[accounts.a]\nprofile = 'a'\n[accounts.b]\nprofile = 'b'\n\
         [module.m]\nsource = 'modules/m.toml'\nfor_each = ['a', 'b']\naccount = '${each.key}'\n[module.m.inputs]\nother = \"${each.key == 'a' ? 'b' : 'a'}\"\n\
         [resource.vpc.here]\ncidr_block = '10.9.0.0/16'\n\
         #file modules/m.toml\n[vars.other]\n[resource.vpc.inner]\ncidr_block = '10.0.0.0/16'\n\
         [resource.vpc.own]\naccount = '${vars.other}'\nregion = 'us-west-2'\ncidr_block = '10.1.0.0/16'\n\
         [module.deep]\nsource = 'deep.toml'\n#file modules/deep.toml\n[resource.vpc.far]\ncidr_block = '10.2.0.0/16'\n";
    let plan = account.plan(text).unwrap();
    let of = |address: &str| {
        let change = change(&plan, address);
        (change.account.get(..1).unwrap_or_default().to_owned(), change.region.clone(), change.account_name.clone().unwrap_or_default())
    };
    let is = |account: &str, region: &str, name: &str| (account.to_owned(), region.to_owned(), name.to_owned());
    assert_eq!(of("vpc.here"), is("1", "us-east-1", ""));
    assert_eq!(of("module.m[\"a\"].vpc.inner"), is("2", "eu-west-1", "a"));
    assert_eq!(of("module.m[\"a\"].vpc.own"), is("3", "us-west-2", "b"));
    assert_eq!(of("module.m[\"b\"].vpc.inner"), is("3", "us-east-1", "b"));
    assert_eq!(of("module.m[\"b\"].vpc.own"), is("2", "us-west-2", "a"));
    assert_eq!(of("module.m[\"a\"].module.deep.vpc.far"), is("2", "eu-west-1", "a"));
}
