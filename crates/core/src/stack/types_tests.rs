use crate::testing::stack;

const BEFORE: &str = r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.a]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"
[resource.subnet.g]
for_each = ["a", "b"]
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
[data.zones.z]
[locals]
id = "${subnet.a.id}"
ids = ["${subnet.a.id}"]
table = { id = "${subnet.a.id}" }
"#;

/// The errors of a route table or a policy with these attributes.
fn errors(attributes: &str) -> Vec<String> {
    let block = match attributes.contains("subnet_ids") || attributes.contains("vpc_id") || attributes.contains("routes") {
        true if attributes.contains("vpc_id") => "[resource.route_table.r]",
        true => "[resource.route_table.r]\nvpc_id = \"x\"",
        false if attributes.contains("name =") => "[resource.policy.p]",
        false => "[resource.policy.p]\nname = \"x\"",
    };
    stack(&format!("{BEFORE}{block}\n{attributes}\n")).err().unwrap_or_default()
}

#[test]
fn a_text_where_a_list_is_wanted_is_said_with_the_cure() {
    assert_eq!(
        errors(r#"subnet_ids = "${subnet.a.id}""#),
        ["`subnet_ids` is a list, and `subnet.a.id` is a string\n  write `[\"${subnet.a.id}\"]`"]
    );
    assert_eq!(
        errors(r#"subnet_ids = "${locals.id}""#),
        ["`subnet_ids` is a list, and `locals.id` is a string\n  write `[\"${locals.id}\"]`"]
    );
    let each = errors("for_each = \"${data.zones.z.names}\"\nsubnet_ids = \"${each.value}\"");
    assert_eq!(each, ["`subnet_ids` is a list, and `each.value` is a string\n  write `[\"${each.value}\"]`"]);
    assert_eq!(errors(r#"subnet_ids = "net-${subnet.a.id}""#), ["`subnet_ids` is a list, not a string\n  write `[\"…\"]`"]);
    assert_eq!(errors(r#"subnet_ids = "subnet-1""#), ["`subnet_ids` is a list, not a string\n  write `[\"…\"]`"]);
    assert_eq!(errors(r#"subnet_ids = "${subnet.a.id + 'x'}""#).len(), 1);
    assert_eq!(errors(r#"subnet_ids = "${cidrsubnet(vpc.main.ipv6_cidr_block, 8, 1)}""#).len(), 1);
    assert_eq!(errors(r#"subnet_ids = "${cidrsubnet(subnet.a.ipv6_cidr_block, 8, 1)}""#).len(), 1, "what fails is not of a kind, too");
}

#[test]
fn resources_where_their_ids_are_wanted_are_said_with_the_cure() {
    assert_eq!(errors(r#"vpc_id = "${vpc.main}""#), ["`vpc_id` is a string, not a table\n  write `${vpc.main.id}`"]);
    assert_eq!(errors(r#"subnet_ids = ["${data.zones.z}"]"#), ["element 0 of `subnet_ids` is a string, and `data.zones.z` is a table"]);
    assert_eq!(
        errors(r#"subnet_ids = ["${data.zones.z.names}"]"#),
        ["element 0 of `subnet_ids` is a string, and `data.zones.z.names` is a list\n  \
          write `${(data.zones.z.names)[0]}` for one of its elements, or `${(data.zones.z.names).join(',')}` for all in one text"]
    );
}

#[test]
fn a_list_where_a_text_is_wanted_is_said() {
    assert_eq!(
        errors(r#"name = "${data.zones.z.names}""#),
        ["`name` is a string, and `data.zones.z.names` is a list\n  \
          write `${(data.zones.z.names)[0]}` for one of its elements, or `${(data.zones.z.names).join(',')}` for all in one text"]
    );
    assert_eq!(errors(r#"name = "${data.zones.z.names.filter(x, x != 'a')}""#).len(), 1);
    let inside = errors(r#"name = "x-${data.zones.z.names}""#);
    assert!(inside[0].starts_with("`data.zones.z.names` is a list, which cannot stand inside a text"), "{inside:?}");
}

#[test]
fn other_kinds_are_told_apart() {
    for wrong in [
        r#"enabled = "${subnet.a.id}""#,
        r#"count = "${data.zones.z.names}""#,
        r#"enabled = "${subnet.a.id == 'x' ? 'yes' : 'no'}""#,
        r#"enabled = "${size(data.zones.z.names)}""#,
        r#"document = "${size(data.zones.z.names)}""#,
        r#"subnet_ids = "${size(data.zones.z.names)}""#,
        r#"subnet_ids = "${data.zones.z.names.map(x, [x])}""#,
        r#"subnet_ids = "${subnet.a.id == 'x' ? [] : 'x'}""#,
        "vpc_id = \"x\"\ntags = \"${data.zones.z.names}\"",
        r#"routes = "${subnet.a.id}""#,
        r#"routes = [{ to = "a", weight = "${data.zones.z.names}" }]"#,
    ] {
        assert_eq!(errors(wrong).len(), 1, "{wrong}: {:?}", errors(wrong));
    }
}

#[test]
fn what_fits_or_is_not_known_is_silent() {
    for right in [
        r#"subnet_ids = "${[subnet.a.id]}""#,
        r#"subnet_ids = "${data.zones.z.names}""#,
        r#"subnet_ids = "${locals.ids}""#,
        r#"subnet_ids = "${pluck(subnet.g, 'id')}""#,
        r#"subnet_ids = "${data.zones.z.names.map(x, x + 'b')}""#,
        r#"subnet_ids = "${jsondecode(subnet.a.id)}""#,
        r#"subnet_ids = "${subnet.a.id == 'x' ? null : [subnet.a.id]}""#,
        r#"subnet_ids = ["${locals.table.id}"]"#,
        r#"count = "${subnet.a.id}""#,
        r#"count = "${size(data.zones.z.names)}""#,
        r#"enabled = "${data.zones.z.names == []}""#,
        r#"name = "${size(data.zones.z.names)}""#,
        r#"name = "${data.zones.z.names[0]}""#,
        r#"document = "${data.zones.z.names}""#,
        r#"document = { a = "${data.zones.z.names}" }"#,
        r#"name = "a-${size(data.zones.z.names)}""#,
    ] {
        assert_eq!(errors(right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn what_turns_out_to_be_of_another_kind_is_said_in_the_words_of_the_stack_file() {
    use crate::model::fit::misfit;
    use crate::model::value::Value;
    let catalog = crate::testing::catalog();
    let attributes = &catalog.resources["route_table"].schema.attributes;
    let wrong = |value: serde_json::Value| misfit(attributes, &Value::from(value)).map(|(_, problem)| problem);
    assert_eq!(wrong(serde_json::json!({ "subnet_ids": "s-1" })).as_deref(), Some("`subnet_ids` is a list, not a string"));
    assert_eq!(
        wrong(serde_json::json!({ "routes": [{ "to": "a", "weight": [1] }] })).as_deref(),
        Some("`routes[0].weight` is an integer, not a list")
    );
    assert_eq!(wrong(serde_json::json!({ "subnet_ids": ["s-1"], "tags": {} })), None);
}
