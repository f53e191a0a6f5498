use serde_json::json;

use crate::model::address::Block;
use crate::model::path::Path;
use crate::model::pin::put;
use crate::model::value::Value;
use crate::plan::build::Live;
use crate::plan::types::{Action, Plan};
use crate::testing::{Account, change, names};

const SUBNETS: &str = r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[resource.subnet.g]
for_each = ["a", "b"]
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
"#;

fn edges(more: &str, address: &str) -> Vec<String> {
    let plan = Account::new().plan(&format!("{SUBNETS}{more}")).unwrap();
    names(&change(&plan, address).depends_on)
}

const BOTH: [&str; 2] = [r#"subnet.g["a"]"#, r#"subnet.g["b"]"#];
const B_ONLY: [&str; 1] = [r#"subnet.g["b"]"#];

#[test]
fn an_instance_depends_on_the_instances_that_were_looked_up() {
    let table = |value: &str| {
        edges(
            &format!(
                r#"
[locals]
all = "${{pluck(subnet.g, 'id')}}"
one = "${{subnet.g['b'].id}}"
[resource.route_table.r]
vpc_id = "x"
{value}
"#
            ),
            "route_table.r",
        )
    };
    assert_eq!(table(r#"tags = { x = "${subnet.g['b'].id}" }"#), B_ONLY);
    assert_eq!(table(r#"tags = { x = "${subnet.g['a' < 'b' ? 'b' : 'a'].id}" }"#), B_ONLY, "a computed key");
    assert_eq!(table(r#"tags = { x = "${locals.one}" }"#), B_ONLY, "through a local");
    assert_eq!(table(r#"tags = { x = "${subnet.g['b'].id}", y = "${locals.all[0]}" }"#), BOTH, "beside a local over all");
    assert_eq!(table(r#"tags = { y = "${locals.all[0]}", x = "${locals.all[1]}", z = "${locals.one}" }"#), BOTH, "a local used before");
    assert_eq!(table("depends_on = [\"subnet.g\"]\ntags = { x = \"${subnet.g['b'].id}\" }"), BOTH, "beside depends_on");
    assert_eq!(table("region = \"${size(keys(subnet.g)) == 2 ? 'us-east-1' : 'us-west-2'}\""), BOTH, "through `region`");
}

#[test]
fn each_instance_depends_on_what_it_looked_up_itself() {
    let stack = r#"
[resource.route_table.r]
for_each = ["a", "b"]
vpc_id = "x"
subnet_ids = ["${subnet.g[each.key].id}"]
"#;
    assert_eq!(edges(stack, r#"route_table.r["b"]"#), B_ONLY);
    let all = stack.replace(r#"["a", "b"]"#, r#""${keys(subnet.g)}""#);
    assert_eq!(edges(&all, r#"route_table.r["b"]"#), BOTH, "through `for_each`");
}

#[test]
fn what_an_unknown_cut_short_depends_on_all_that_its_text_names() {
    let of = |value: &str| edges(&format!("[resource.policy.p]\nname = \"{value}\"\n"), "policy.p");
    let all = [r#"subnet.g["a"]"#, r#"subnet.g["b"]"#, "vpc.main"];
    assert_eq!(of("${vpc.main.id == 'x' ? subnet.g['a'].id : subnet.g['b'].id}"), all);
    assert_eq!(of("${vpc.main.id + subnet.g['b'].id}"), [B_ONLY[0], "vpc.main"], "what comes behind an unknown");
    assert_eq!(of("${false ? subnet.g['a'].id : subnet.g['b'].id}"), B_ONLY, "the branch not taken");
}

#[test]
fn a_data_source_brings_along_what_it_was_read_for() {
    let stack = r#"
[data.zones.all]
of = "${subnet.g['b'].id}"
[resource.policy.p]
name = "${data.zones.all.names[0]}"
"#;
    assert_eq!(edges(stack, "policy.p"), B_ONLY);
}

const IPV6: &str = r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
six = SIX

[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
IPV6
"#;

pub(super) fn ipv6(on: bool) -> String {
    let block = "ipv6_cidr_block = \"${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}\"";
    IPV6.replace("SIX", if on { "true" } else { "false" }).replace("IPV6", if on { block } else { "" })
}

#[test]
fn what_follows_a_change_is_unknown_until_it_is_made() {
    let account = Account::new().applied(&ipv6(false));
    let more = r#"
[resource.policy.p]
name = "${vpc.main.ipv6_cidr_block == null ? 'none' : vpc.main.ipv6_cidr_block}"
[outputs]
six = "${vpc.main.ipv6_cidr_block == null ? 'none' : vpc.main.ipv6_cidr_block}"
same = "${vpc.main.id}"
"#;
    let plan = account.plan(&format!("{}{more}", ipv6(true))).unwrap();
    let vpc = change(&plan, "vpc.main");
    assert_eq!(vpc.action, Action::Update);
    assert!(matches!(vpc.after.get("ipv6_cidr_block"), Some(Value::Unknown)));
    assert!(!vpc.after.get("id").unwrap().has_unknown(), "what follows nothing stays");
    let subnet = change(&plan, r#"subnet.s["a"]"#);
    assert_eq!(subnet.action, Action::Update, "{:?}", subnet.attributes);
    assert!(matches!(subnet.after.get("ipv6_cidr_block"), Some(Value::Unknown)));
    assert!(matches!(change(&plan, "policy.p").after.get("name"), Some(Value::Unknown)));
    assert!(plan.outputs["six"].after.as_ref().unwrap().has_unknown() && plan.outputs["six"].is_change());
    assert!(!plan.outputs["same"].after.as_ref().unwrap().has_unknown());
}

#[test]
fn an_update_of_something_else_leaves_it_known() {
    let account = Account::new().applied(&ipv6(false));
    let plan = account.plan(&ipv6(false).replace("six = false", "tags = { x = \"y\" }")).unwrap();
    assert!(!change(&plan, "vpc.main").after.has_unknown());
}

#[test]
fn an_unknown_says_what_it_waits_for() {
    let stack = format!(
        r#"{SUBNETS}
[locals]
first = "${{subnet.g['a'].id}}"
[resource.route_table.r]
for_each = "${{subnet.g}}"
vpc_id = "${{vpc.main.id}}"
subnet_ids = "${{pluck(subnet.g, 'id')}}"
tags = {{ known = "x", first = "${{locals.first}}", two = "${{vpc.main.id}}-${{locals.first}}", own = "${{each.value.id}}" }}
routes = [{{ to = "b", via = "${{vpc.main.id}}" }}, {{ to = "a", via = "${{locals.first}}" }}]
[outputs]
vpc = "${{vpc.main.id}}"
"#
    );
    let plan = Account::new().plan(&stack).unwrap();
    let shown: Vec<String> =
        change(&plan, r#"route_table.r["a"]"#).waits_for.iter().map(|(path, on)| format!("{path}: {}", on.join(", "))).collect();
    assert_eq!(
        shown,
        [
            r#"routes[0].via: subnet.g["a"].id"#,
            "routes[1].via: vpc.main.id",
            "subnet_ids[0]: subnet.g",
            "subnet_ids[1]: subnet.g",
            r#"tags.first: subnet.g["a"].id"#,
            "tags.own: subnet.g",
            r#"tags.two: subnet.g["a"].id, vpc.main.id"#,
            "vpc_id: vpc.main.id",
        ]
    );
    assert_eq!(plan.outputs["vpc"].waits_for, ["vpc.main.id"]);
}

#[test]
fn a_sensitive_output_comes_and_goes_in_the_plan_like_any_other() {
    let one = "[outputs.token]\nvalue = \"x\"\nsensitive = true\n";
    let changes = |account: &Account, stack: &str| {
        let plan = account.plan(stack).unwrap();
        (plan.outputs["token"].is_change(), plan.has_changes())
    };
    let mut account = Account::new();
    assert_eq!(changes(&account, one), (true, true), "it is new");
    account.state.sensitive_outputs.insert("token".to_owned());
    assert_eq!(changes(&account, one), (false, false), "it is there");
    assert_eq!(changes(&account, ""), (true, true), "it goes");
    assert_eq!(changes(&account, &one.replace("true", "false")), (true, true), "it is shown from now on");
}

#[test]
fn no_secret_is_named_in_what_is_waited_for() {
    let stack = format!(
        r#"{SUBNETS}
[vars.key]
default = "marker"
sensitive = true
[resource.policy.p]
name = "${{policy.q.document[vars.key]}}"
[resource.policy.q]
name = "q"
document = {{ marker = "${{vpc.main.id}}" }}
"#
    );
    let plan = Account::new().plan(&stack).unwrap();
    let references: Vec<&String> = change(&plan, "policy.p").waits_for.values().flatten().collect();
    assert_eq!(references, ["policy.q.document"]);
}

#[test]
fn a_data_source_may_name_a_new_instance_and_sees_no_removed_one() {
    let data = |block: &str| format!("{}[data.zones.z]\nof = \"{block}\"\n", SUBNETS);
    let account = Account::new().applied(SUBNETS);
    let three = data("${subnet.g['c'].id}").replace(r#"["a", "b"]"#, r#"["a", "b", "c"]"#);
    let plan = account.plan(&three).unwrap();
    assert_eq!(plan.reads.len(), 1, "it is read once the instance is there");
    assert!(account.readable(&three).is_empty());
    let one = data("${pluck(subnet.g, 'id').join(',') + keys(subnet.g).join(',')}").replace(r#"["a", "b"]"#, r#"["a"]"#);
    let read = account.readable(&one);
    assert_eq!(read[0].0, Block::new("zones", "z"));
    assert_eq!(read[0].1.get("of").and_then(Value::as_str), Some(r#"subnet.g["a"]a"#));
}

#[test]
fn a_failure_raises_no_errors_about_what_uses_it() {
    let stack = format!(
        r#"{}
[locals]
ids = "${{pluck(subnet.g, 'id')}}"
[data.zones.z]
of = "${{locals.ids[0]}}"
[resource.route_table.each]
for_each = "${{subnet.g}}"
vpc_id = "${{vpc.main.id}}"
subnet_ids = ["${{each.value.id}}"]
[resource.policy.p]
for_each = "${{data.zones.z.names}}"
name = "${{each.value}}"
[resource.policy.own]
name = "${{subnet.g['a'].id}}"
enabled = "${{[true][size(vpc.main.id)]}}"
[outputs]
x = "${{locals.ids.join(',')}}"
"#,
        SUBNETS.replace("cidrsubnet(vpc.main.cidr_block, 8, each.index)", "cidrsubnet(vpc.main.tags.net, 8, each.index)")
    );
    // It is known only live that there is no such tag.
    let mut account = Account::new().applied(SUBNETS);
    account.state.resources.get_mut(&"subnet.g[\"a\"]".parse().unwrap()).unwrap().current.as_mut().unwrap().guard.prevent_destroy = true;
    let errors = account.plan(&stack).unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors[0].contains("net"), "{errors:#?}");
}

#[test]
fn what_a_type_follows_has_to_be_there() {
    let json = json!({ "type": "object", "properties": { "a": { "type": "string", "x-computed": true, "x-follows": ["b"] } } });
    assert!(crate::model::schema::TypeSchema::compile("t", &json).unwrap_err().to_string().contains("x-follows b"));
}

#[test]
fn what_ignore_changes_names_is_left_alone_however_it_is_written() {
    for path in [r#"tags["kubernetes.io/x"]"#, "tags.Owner", r#"tags["Owner"]"#, r#"routes["a"].via"#, "routes.a.via"] {
        let text = format!(
            r#"
[resource.route_table.r]
vpc_id = "x"
tags = {{ "kubernetes.io/x" = "mine", Owner = "mine" }}
routes = [{{ to = "a", via = "mine" }}, {{ to = "b", via = "b" }}]
lifecycle = {{ ignore_changes = ['{path}'] }}
"#
        );
        let mut account = Account::new().applied(&text);
        let live = account.live.values_mut().next().unwrap();
        let Live::Present(value) = live else { panic!("it is there") };
        let theirs = put(value.clone(), &Path::parse(path).unwrap().0, &Value::string("theirs"));
        assert_ne!(*value, theirs, "{path}");
        *live = Live::Present(theirs);
        let plan = account.plan(&text).unwrap();
        assert_eq!(change(&plan, "route_table.r").action, Action::NoOp, "{path}: {:?}", plan.changes);
        assert!(plan.drift.is_empty(), "{path}: {:?}", plan.drift);
    }
}

#[test]
fn a_predecessor_counts_as_what_becomes_of_it() {
    let text = "[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n";
    for (retain, expected) in [(false, ("delete", 1, 0)), (true, ("forget", 0, 1))] {
        let mut account = Account::new().applied(text);
        let known = account.state.resources.values_mut().next().unwrap();
        let mut predecessor = known.current.clone().unwrap();
        predecessor.place.id = "vpc-before".to_owned();
        predecessor.guard.retain = retain;
        known.deposed.push(predecessor);
        let plan = account.plan(text).unwrap();
        let [step] = plan.steps.as_slice() else { panic!("one step: {:?}", plan.steps) };
        assert_eq!((step.kind.name(), plan.summary().delete, plan.summary().forget), expected);
    }
}

/// The edges that the state would remember, and whether remembering them is all there is to be done.
fn remembered(plan: &Plan, address: &str) -> (Vec<String>, bool) {
    let change = change(plan, address);
    (names(&change.remembered_depends_on()), !change.state_only.is_empty() && change.action == Action::NoOp)
}

#[test]
fn the_state_forgets_edges_of_what_was_not_used_and_keeps_those_of_what_still_is() {
    let policy = |lines: &str| format!("{SUBNETS}[resource.policy.p]\n{lines}\n");
    // The condition was not known; by now it is, and one of the branches was not taken.
    let cut = policy("name = \"${vpc.main.id == 'x' ? subnet.g['a'].id : subnet.g['b'].id}\"");
    let mut account = Account::new().applied(&cut);
    let edges = &mut account.state.resources.get_mut(&"policy.p".parse().unwrap()).unwrap().current.as_mut().unwrap().depends_on;
    edges.insert(0, r#"subnet.g["a"]"#.parse().unwrap());
    let plan = account.plan(&cut).unwrap();
    assert_eq!(remembered(&plan, "policy.p"), ([B_ONLY[0], "vpc.main"].map(str::to_owned).to_vec(), true), "nothing of `a` is in it");

    // What AWS keeps of an earlier reference is still used, whatever the stack file says now.
    let written = "[resource.route_table.r]\nvpc_id = \"x\"\n";
    let before = format!("{SUBNETS}{written}subnet_ids = [\"${{subnet.g['b'].id}}\"]\n");
    let ignored = format!("{SUBNETS}{written}subnet_ids = [\"y\"]\nlifecycle = {{ ignore_changes = [\"subnet_ids\"] }}\n");
    let mut account = Account::new().applied(&before);
    let plan = account.plan(&ignored).unwrap();
    assert_eq!(change(&plan, "route_table.r").action, Action::NoOp);
    assert!(change(&plan, "route_table.r").depends_on.is_empty(), "nothing that is evaluated waits for it");
    assert_eq!(remembered(&plan, "route_table.r").0, B_ONLY);
    account = account.applied(&ignored);
    let known = account.state.current(&"route_table.r".parse().unwrap()).unwrap();
    assert_eq!(names(&known.depends_on), B_ONLY);
    // It goes before what it uses, and not the other way round.
    account.options.destroy = true;
    let steps = account.plan(&ignored).unwrap().steps;
    let number = |address: &str| steps.iter().position(|step| step.address.to_string() == address).unwrap();
    assert!(steps[number(B_ONLY[0])].after.contains(&number("route_table.r")));
    account.options.destroy = false;
    assert!(account.plan(&ignored).unwrap().steps.is_empty(), "it is remembered once");

    // Changed in AWS, too, the edge goes.
    let changed = ignored.replace("lifecycle = { ignore_changes = [\"subnet_ids\"] }", "");
    let plan = account.plan(&changed).unwrap();
    assert_eq!((change(&plan, "route_table.r").action, remembered(&plan, "route_table.r").0), (Action::Update, Vec::new()));
}
