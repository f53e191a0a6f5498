//! What is said of one mistake in a file that is right otherwise: that mistake, and nothing that only follows from it.

use std::fmt::Write as _;
use std::path::Path;

use super::{Files, load};
use crate::stack::vars::Given;
use crate::testing::catalog;

struct Project<'a>(&'a str);

impl Files for Project<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        match path.to_str() {
            Some("s.toml") => Ok(self.0.to_owned()),
            Some("base.toml") => Ok("[resource.vpc.main]\ncidr_block = '10.0.0.0/16\n[vars.q]\ndefault = 1\n".to_owned()),
            Some("net.toml") => Ok(NET.to_owned()),
            _ => Err("there is no such file".to_owned()),
        }
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Err("there is no such file".to_owned())
    }
}

/// A module whose input has a condition, and is used.
const NET: &str = "[vars.net]\n[[vars.net.validate]]\ncondition = \"${vars.net.startsWith('10.')}\"\nmessage = 'begins with 10.'\n[resource.vpc.main]\ncidr_block = '${vars.net}'\n";
const HEAD: &str = "[stack]\nname = 's'\nregion = 'us-east-1'\n";
const VPC: &str = "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n";
/// What uses the network, three times.
const USES: &str = "[resource.subnet.a]\nvpc_id = '${vpc.main.id}'\ncidr_block = '${cidrsubnet(vpc.main.cidr_block, 8, 0)}'\n[outputs]\nv = '${vpc.main.id}'\n";
/// What uses a local, five times.
const LOCALS: &str = "a = '${locals.bad}-a'\nb = '${locals.a}-${locals.bad}'\n[resource.policy.p]\nname = '${locals.bad}'\n[resource.policy.q]\nname = 'q'\ndocument = { a = '${locals.b}' }\n[outputs]\no = '${locals.b}'\n";
const EACH: &str = "vpc_id = '${vpc.main.id}'\ncidr_block = '${cidrsubnet(vpc.main.cidr_block, 8, each.index)}'\n[outputs]\nall = \"${pluck(subnet.p, 'id')}\"\none = \"${subnet.p['a'].id}\"\n";

/// Every error with its line and its advice.
fn said(text: &str) -> String {
    let loaded = load(Path::new("s.toml"), &Project(text), &Given::default(), &catalog());
    assert!(loaded.stack.is_none(), "{text}");
    let mut said = String::new();
    for one in &loaded.diagnostics.0 {
        let source = one.span.as_ref().and_then(|span| Some((loaded.sources.get(span.file)?, span.range.start)));
        let place =
            source.map(|(source, at)| format!("{}:{}", source.path.display(), source.text.get(..at).unwrap().matches('\n').count() + 1));
        let help: String = one.help.iter().map(|help| format!(" ({help})")).collect();
        let _ = writeln!(said, "  {}: {}{help}", place.unwrap_or_default(), one.message);
    }
    said
}

#[test]
fn a_mistake_is_said_once_and_what_follows_from_it_is_not() {
    let mut all = String::new();
    for (name, text) in [
        ("a quote that is not closed", format!("[resource.vpc.main]\ncidr_block = '10.0.0.0/16\n{USES}")),
        ("a brace that is not closed", format!("[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\ntags = {{ A = 'b'\n{USES}")),
        ("a bracket that is not closed", format!("[resource.vpc.main]\ncidr_block = ['10.0.0.0/16'\nsix = true\n{USES}")),
        ("a header that is not closed", format!("[resource.vpc.main\ncidr_block = '10.0.0.0/16'\n{USES}")),
        ("an expression that is not closed", format!("[resource.vpc.main]\ncidr_block = '${{vars.x'\n{USES}")),
        ("a bracket that is not closed, and two other mistakes", format!("[locals]\nl = [1,\n{VPC}tags = {{ A = b }}\nsix = 'x'\n{USES}")),
        ("a key that stands twice", format!("{VPC}cidr_block = '10.1.0.0/16'\n{USES}")),
        ("a table that stands twice", format!("{VPC}{VPC}{USES}")),
        ("a table that stands twice, and a key", format!("{VPC}{VPC}[resource.policy.p]\nname = 'a'\nname = 'b'\n{USES}")),
        ("an attribute that may be left out and is misspelled", format!("{VPC}sixx = true\n{USES}six = '${{vpc.main.six}}'\n")),
        ("a misspelled type beside one that is right, and an attribute", format!("[resource.vpcc.main]\n{VPC}{USES}c = '${{vpc.main.cidr}}'\n")),
        ("a brace that is not closed, and an attribute", format!("[locals]\nl = {{ a = 1\n{VPC}{USES}c = '${{vpc.main.cidr}}'\n")),
        ("no value", format!("[resource.vpc.main]\ncidr_block =\n{USES}")),
        ("no quotes", format!("[resource.vpc.main]\ncidr_block = vars.cidr\n{USES}")),
        ("no name", format!("[resource.vpc]\ncidr_block = '10.0.0.0/16'\ntags = {{ A = 'b' }}\n{USES}")),
        ("no type", format!("[resource.main]\ncidr_block = '10.0.0.0/16'\n{USES}")),
        ("no `resource`", format!("[vpc.main]\ncidr_block = '10.0.0.0/16'\n{USES}")),
        ("two brackets", format!("[[resource.vpc.main]]\ncidr_block = '10.0.0.0/16'\n{USES}")),
        ("a misspelled type", format!("{}{USES}", VPC.replace("vpc", "vcp"))),
        ("a misspelled type everywhere", format!("{VPC}{USES}").replace("vpc.main", "vcp.main")),
        ("a misspelled type, by which something is imported, moved and waited for", "[resource.vcp.main]\n[[import]]\nto = 'vcp.main'\nid = 'i'\n[[moved]]\nfrom = 'vpc.old'\nto = 'vcp.main'\n[resource.policy.p]\nname = 'p'\ndepends_on = ['vcp.main']\n".to_owned()),
        ("a misspelled section", format!("[resources.vpc.main]\ncidr_block = '10.0.0.0/16'\n{USES}")),
        ("an attribute that is misspelled", format!("[resource.vpc.main]\ncidr_blok = '10.0.0.0/16'\n{USES}")),
        ("an attribute that is missing", format!("[resource.vpc.main]\n{USES}")),
        ("a reference that is misspelled", format!("{VPC}[resource.subnet.a]\nvpc_id = '${{vcp.main.id}}'\ncidr_block = '10.0.1.0/24'\n[outputs]\no = '${{subnet.a.vpc_id}}'\n")),
        ("a local that fails", format!("[locals]\nbad = \"${{1 + 'a'}}\"\n{LOCALS}")),
        ("a local that is no expression", format!("[locals]\nbad = '${{1 +}}'\n{LOCALS}")),
        ("a local without quotes", format!("[locals]\nbad = x\n{LOCALS}")),
        ("a data source that is wrong", "[data.zones.z]\nnope = 1\n[resource.policy.p]\nfor_each = '${data.zones.z.names}'\nname = 'p'\n[outputs]\no = '${data.zones.z.names}'\n".to_owned()),
        ("a data source that is misspelled", "[data.zone.z]\n[resource.policy.p]\nfor_each = '${data.zone.z.names}'\nname = 'p'\n[outputs]\no = '${data.zones.z.names}'\n".to_owned()),
        ("a `for_each` that fails", format!("{VPC}[resource.subnet.p]\nfor_each = '${{[1][3]}}'\n{EACH}")),
        ("a `for_each` that is no list", format!("{VPC}[resource.subnet.p]\nfor_each = '${{1 + 2}}'\n{EACH}")),
        ("a `for_each` that is misspelled", format!("{VPC}[resource.subnet.p]\nfor_eac = ['a']\n{EACH}")),
        ("a default that is an expression", "[vars.v]\ndefault = '${1 + 1}'\n[resource.policy.p]\nname = '${vars.v}'\n".to_owned()),
        ("a default that is misspelled", "[vars.v]\ndefalt = 'x'\n[resource.policy.p]\nname = '${vars.v}'\n".to_owned()),
        ("a default that is no TOML", "[vars.v]\ndefault = \nallowed = ['a']\n[resource.policy.p]\nname = '${vars.v}'\n".to_owned()),
        ("a variable that is no table", "[vars]\nv = 'x'\n[resource.policy.p]\nname = '${vars.v}'\n[resource.policy.q]\nname = '${vars.v}q'\n".to_owned()),
        ("a variable without a value", "[vars.v]\n[resource.policy.p]\nname = '${vars.v}'\n[resource.policy.q]\nname = '${vars.v}q'\n".to_owned()),
        ("a key without `=`", format!("{VPC}sixx true\n{USES}")),
        ("texts in expressions between the quotes that are around them", format!("[locals]\nl = [\"${{vars.m[\"foo\"]}}\", 1]\nk = {{ a = \"${{join(\",\", l)}}\" }}\nj = \"${{join(\",\", l)}}\"\ni = \"${{1 == \"x\"}}\"\n{VPC}{USES}")),
        ("a text in an expression that is not closed", format!("[locals]\nl = \"${{'abc}}\"\n{VPC}{USES}")),
        ("a condition without `${`", format!("[vars.b]\ndefault = true\n{VPC}when = 'vars.b'\n")),
        ("a condition with one bracket", "[vars.b]\ndefault = true\n[vars.b.validate]\ncondition = '${vars.b}'\n".to_owned()),
        ("an address that is not closed", format!("[[moved]]\nfrom = \"\nto = 'vpc.main'\n{VPC}{USES}")),
        ("a method that there is not", "[locals]\nl = ['a']\nq = \"${locals.l.any(x, x == 'a')}\"\n".to_owned()),
        ("what others say for `depends_on`", format!("{VPC}[resource.policy.p]\nname = 'p'\nDependsOn = 'vpc'\n")),
        ("a value that is refused, and what is made of it", format!("[resource.vpc.main]\ncidr_block = '10.0.0.1/16'\n{USES}")),
        ("a value that is refused of each instance", "[resource.vpc.each]\nfor_each = ['a', 'b', 'c']\ncidr_block = '10.${each.index}.0.0/8'\nsix = 'x'\n[outputs]\no = \"${pluck(vpc.each, 'cidr_block')}\"\n".to_owned()),
        ("tags of the stack that are a list", format!("tags = [{{ Key = 'a', Value = 'b' }}]\n{VPC}{USES}")),
        ("tags of the stack that are a text", format!("tags = 'x'\n{VPC}{USES}")),
        ("a tag of the stack that is a list", format!("tags = {{ a = 'x', b = ['x'] }}\n{VPC}{USES}")),
        ("an attribute of what is null", "[vars.m]\ndefault = { a = 'x' }\n[locals]\nn = { a = '${null}' }\n[outputs]\no = '${locals.n.a.address}'\n".to_owned()),
        ("an env file that is not there", "[env]\nfiles = ['.env.defaults']\n[resource.policy.p]\nname = '${env.A}'\n[outputs]\no = '${env.B}'\n".to_owned()),
    ] {
        let _ = writeln!(all, "{name}\n{}", said(&format!("{HEAD}{text}")));
    }
    for (name, base) in [("a base that is wrong", "base.toml"), ("a base that is not there", "gone.toml"), ("a base of itself", "s.toml")] {
        let _ = writeln!(all, "{name}\n{}", said(&format!("{HEAD}extends = ['{base}']\n{USES}")));
    }
    let _ = writeln!(all, "a stack's name that is no TOML\n{}", said(&format!("[stack]\nname = x\n{VPC}{USES}")));
    insta::assert_snapshot!(all);
}

/// A stack with one output of this expression.
fn output(expression: &str) -> String {
    format!(
        "{HEAD}{VPC}[resource.subnet.many]\nfor_each = ['a', 'b']\nvpc_id = '${{vpc.main.id}}'\ncidr_block = '10.0.1.0/24'\n[vars.env]\ndefault = 'x'\n[vars.n]\ndefault = 3\n[vars.xs]\ndefault = ['a']\n[outputs]\no = \"{expression}\"\n"
    )
}

const OPERATORS: &[&str] = &[
    "vars.n <> 3",
    "vars.n = 3",
    "vars.n ?? 3",
    "vars.n === 3",
    "vars.n !== 3",
    "vars.env == 'x' and vars.n == 3",
    "vars.n == 3 or true",
    "not (vars.n == 3)",
    "not vars.env",
    "vars.n ?: 3",
    "4 if vars.n == 3 else 5",
    "vars.n not in vars.xs",
    "vars.n is null",
    "vars.env is not null",
    "vars.n ** 2",
    "vars.n ^ 2",
    "vars.env =~ 'x'",
    "vars.env ~ 'x'",
    "vars.n > 3 & true",
    "vars.n > 3 | true",
    "vars.env | upper",
    "x => x + 1",
    "vars.n => 3",
    "vars.n =< 3",
    "vars.env?.x",
    "vars.xs.0",
    "vars.n // 2",
    "vars.n mod 2",
    "vars.n++",
    "vars.xs[0:1]",
    "vars.xs contains 'a'",
    "[vars.xs...]",
    "'a' if true",
    "$vars.env",
    "`x`",
    "if vars.n == 3 then 4 else 5",
    "vars.n == 3 ? 1",
    "f'x'",
    "vars.env eq 'x'",
    "True",
    "AWS::Region",
    "nil",
    "'x-${vars.env}'",
    "'x-${size(vars.xs)}-y' + 'z'",
    "'${vars.env'",
    "'x-${vars.xs.join('-')}'",
    "vars.xs.contains('a')",
    "subnet.many.map(s, s.id)",
    "pluck(vpc.main, 'id')",
    "vars.xs in 'a'",
    "subnet.many.filter(s, s.id != '')",
    "subnet.many.all(s, s.id.startsWith('a'))",
    "pluck(vars.xs, 'id')",
    "{'a': 1, b = 2}",
];

#[test]
fn habits_of_other_tools_are_answered_with_what_is_written_here() {
    let mut all = String::new();
    for expression in [
        "${var.env}",
        "${local.env}",
        "${length(vars.xs)}",
        "${join(',', vars.xs)}",
        "${lookup(vars.m, 'a')}",
        "${[for x in vars.xs : x]}",
        "${subnet.many[*].id}",
        "${!Ref vpc}",
        "${element(vars.xs, 0)}",
        "${toset(vars.xs)}",
        "${concat(vars.xs, vars.xs)}",
        "${format('%s', vars.env)}",
        "${templatefile('a', {})}",
        "${jsonencode({ A = 1 })}",
        "${AWS.Region}",
        "${path.module}",
        "${self.name}",
        "${terraform.workspace}",
        "${count.index}",
        "${aws_vpc.main.id}",
        "vpc.main.id",
        "${subnet.many.id}",
        "${vars.n + vars.env}",
        "${not(true)}",
        "${upper(vars.env)}",
        "${vars.xs[9]}",
        "${1 / 0}",
        "${nope(1)}",
        "${vars.env and true}",
    ] {
        let _ = writeln!(all, "{expression}\n{}", said(&output(expression)));
    }
    for expression in OPERATORS {
        let _ = writeln!(all, "{expression}\n{}", said(&output(&format!("${{{expression}}}"))));
    }
    for (name, text) in [
        ("a section of Terraform's", "[variable.x]\ndefault = 1\n"),
        ("a provider", "[provider.aws]\nregion = 'x'\n"),
        ("a type of Terraform's that is a part here", "[resource.route_table_association.a]\nsubnet_id = 'x'\n"),
        ("one bracket for an import", "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n[import]\nto = 'vpc.main'\nid = 'vpc-1'\n"),
        ("an import to nothing", "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n[[import]]\nid = 'vpc-1'\nto = 'vpc.mian'\n"),
        ("all changes ignored", "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\nlifecycle = { ignore_changes = 'all' }\n"),
        ("all changes ignored, in a list", "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\nlifecycle = { ignore_changes = ['all'] }\n"),
        (
            "one text for a list",
            "[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\n[resource.policy.p]\nname = 'p'\ndepends_on = 'vpc.main'\n",
        ),
        ("an attribute of Terraform's", "[resource.vpc.main]\ncidr = '10.0.0.0/16'\n[outputs]\no = '${vpc.main.cidr}'\n"),
        ("a prefix of a name", "[resource.policy.p]\nname_prefix = 'p'\n"),
        ("a block of Terraform's", "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n[outputs]\no = '${vpc.main.id}'\n"),
        (
            "a text between << and a word",
            "[resource.policy.p]\nname = 'p'\ndocument = <<EOF\n{ \"a\": 1 }\nEOF\n[outputs]\no = '${policy.p.nope}'\n",
        ),
        ("as YAML has it", "[resource.vpc.main]\ncidr_block: 10.0.0.0/16\n[outputs]\no = '${vpc.main.nope}'\n"),
        ("a misspelled key of an output", "[outputs]\no = { value = 'x', sensative = true }\n"),
    ] {
        let _ = writeln!(all, "{name}\n{}", said(&format!("{HEAD}{text}")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_mistake_hides_another_that_does_not_follow_from_it() {
    let text = format!(
        "{HEAD}{VPC}[vars.xs]\ndefault = ['a']\n[resource.policy.p]\nname = '${{nope.x.id}}'\n[resource.policy.q]\nname = '${{nofn(1)}}'\n[outputs]\na = '${{foo}}'\nb = '${{vars.xs[9]}}'\nc = '${{1 +}}'\nd = '${{vpc.main.idd}}'\ne = '${{1 / 0}}'\n"
    );
    let said = said(&text);
    for one in ["`nope.x`", "`nofn`", "`foo`", "element 9", "ends too early", "`idd`", "zero"] {
        assert!(said.contains(one), "{one}: {said}");
    }
    assert_eq!(said.lines().count(), 7, "{said}");
}

#[test]
fn a_variable_that_is_refused_is_said_once() {
    let text = format!("{HEAD}[vars.six]\ndefault = true\n[resource.vpc.main]\ncidr_block = '10.0.0.0/16'\nsix = '${{vars.six}}'\n");
    let given = Given { arguments: vec![("six".to_owned(), "foo".to_owned())], ..Given::default() };
    let loaded = load(Path::new("s.toml"), &Project(&text), &given, &catalog());
    let said: Vec<&str> = loaded.diagnostics.0.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(said, ["variable `six` is a boolean, not a string"]);
}

#[test]
fn what_is_made_of_a_value_that_a_condition_refuses_is_not_judged() {
    let condition = "[[vars.net.validate]]\ncondition = \"${vars.net.startsWith('10.')}\"\nmessage = 'begins with 10.'\n";
    let uses =
        "[locals]\nn = '${vars.net}'\n[resource.vpc.main]\ncidr_block = '${locals.n}'\n[outputs]\nn = '${cidrsubnet(locals.n, 8, 1)}'\n";
    let in_stack = format!("[vars.net]\ndefault = 'wide'\n{condition}{uses}");
    assert_eq!(said(&format!("{HEAD}{in_stack}")).lines().count(), 1, "{}", said(&format!("{HEAD}{in_stack}")));
    let used = "[module.m]\nsource = 'net.toml'\n[module.m.inputs]\nnet = 'wide'\n";
    let said = said(&format!("{HEAD}{used}"));
    assert!(said.lines().count() == 1 && said.contains("begins with 10."), "{said}");
}

#[test]
fn a_mistake_of_all_instances_of_a_module_is_said_once() {
    let used = "[module.m]\nsource = 'net.toml'\nfor_each = ['10.a', '10.b', '10.c']\n[module.m.inputs]\nnet = '${each.value}'\n";
    let said = said(&format!("{HEAD}{used}"));
    assert!(said.lines().count() == 1 && said.contains("\"10.a\" is not a CIDR block"), "{said}");
}

#[test]
fn what_may_be_meant_is_a_warning() {
    for (expression, said) in [
        ("${vars.n == '3'}", "an integer and a string are compared here, which are never equal"),
        ("${vars.env != 3}", "a string and an integer are compared here, which are never equal"),
        ("vars.env", "`vars.env` stands here as a text"),
    ] {
        let loaded = load(Path::new("s.toml"), &Project(&output(expression)), &Given::default(), &catalog());
        assert!(loaded.stack.is_some(), "{expression}: {:?}", loaded.diagnostics.0);
        assert_eq!(loaded.diagnostics.0.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(), [said]);
    }
}

#[test]
fn an_output_that_says_more_than_its_value_is_no_table() {
    let keys = |output: &str| said(&format!("{HEAD}[outputs]\no = {output}\n"));
    assert!(keys("{ value = 'x', sensitive = true, export = 'x' }").contains("unknown key of an output `export`"));
    let table = format!("{HEAD}[outputs]\no = {{ value = 1, values = [1, 2] }}\n");
    assert!(load(Path::new("s.toml"), &Project(&table), &Given::default(), &catalog()).stack.is_some());
}
