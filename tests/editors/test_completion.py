"""What is offered at the cursor."""

import pytest
from conftest import applied

VPC = '[resource.vpc.main]\ncidr_block = "10.0.0.0/16"\n'


async def test_sections_types_and_what_a_block_has_beside_its_attributes(editor, stack):
    name = "stacks/shop.toml"
    assert {"resource", "data", "vars", "locals", "module", "moved"} <= (await editor.complete(name, stack + "[‸")).keys()
    types = await editor.complete(name, stack + "[resource.‸")
    assert {"vpc", "ecs_service"} <= types.keys() and not any(one.startswith("awscc_") for one in types)
    assert "virtual private cloud" in types["vpc"].detail.lower() or types["vpc"].documentation
    asked = await editor.complete(name, stack + "[resource.awscc_rds‸]\n")
    assert "awscc_rds_db_instance" in asked
    assert sorted(await editor.complete(name, stack + "[resource.vpc.main.‸]")) == ["lifecycle", "tags", "timeouts"]
    tables = await editor.complete(name, stack + "[[resource.ecs_task_definition.web.‸]]")
    assert "container_definitions" in tables and "family" not in tables


async def test_attributes_are_offered_the_required_ones_first_and_none_twice(editor, stack):
    found = await editor.complete("stacks/shop.toml", stack + '[resource.subnet.a]\ncidr_block = "10.0.0.0/24"\n‸\n[locals]\n')
    labels = list(found)
    assert labels[0] == "vpc_id" and "required" in found["vpc_id"].detail and found["vpc_id"].documentation.value
    assert "cidr_block" not in labels and "id" not in labels
    assert labels.index("for_each") > labels.index("availability_zone")


async def test_what_is_taken_replaces_what_is_typed(editor, stack):
    text = stack + "[resource.subnet.a]\nvpc‸\n"
    found = await editor.complete("stacks/shop.toml", text)
    assert applied(text.replace("‸", ""), [found["vpc_id"].text_edit]).endswith("[resource.subnet.a]\nvpc_id = \n")


async def test_attributes_inside_of_tables_and_lists(editor, stack):
    text = stack + '[resource.security_group.a]\ningress = [{ ip_protocol = "tcp", ‸ }]\n'
    found = await editor.complete("stacks/shop.toml", text)
    assert "from_port" in found and "ip_protocol" not in found and "vpc_id" not in found


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('[resource.vpc.main]\ninstance_tenancy = "‸"\n', "dedicated"),
        ("[resource.vpc.main]\nenable_dns_support = ‸\n", "true"),
        ('[resource.vpc.main]\nlifecycle = { deletion_policy = "‸" }\n', "retain"),
        ('[resource.vpc.main]\nlifecycle = { ‸ }\n', "prevent_destroy"),
        ('[vars.x]\n‸\n', "description"),
        ("[stack.backend.s3]\n‸\n", "bucket"),
        ("[[moved]]\n‸\n", "from"),
    ],
)
async def test_values_and_keys(editor, stack, line, wanted):
    assert wanted in await editor.complete("stacks/shop.toml", stack + line)


async def test_addresses_are_offered_where_such_stand(editor, stack):
    text = stack + VPC + '[resource.eip.a]\ndepends_on = ["‸"]\n'
    assert "vpc.main" in await editor.complete("stacks/shop.toml", text)


async def test_expressions(editor, stack):
    name = "stacks/shop.toml"
    rest = VPC + '[vars.size]\ndescription = "How many"\ndefault = 2\n[locals]\nname = "x"\ntable = { a = 1 }\n[data.caller_identity.me]\n'
    start = stack + rest + "[outputs]\no = "

    async def offered(expression):
        return await editor.complete(name, f'{start}"{expression}"\n')

    roots = await offered("${‸}")
    assert {"vars", "locals", "stack", "data", "vpc.main", "cidrsubnet", "math.ceil"} <= roots.keys()
    assert "each" not in roots and roots["cidrsubnet"].detail.startswith("cidrsubnet(")
    variables = await offered("a ${vars.‸} b")
    assert list(variables) == ["size"] and variables["size"].documentation.value == "How many"
    assert list(await offered("${locals.n‸")) == ["name", "table"]
    assert list(await offered("${locals.table.‸}"))[0] == "a"
    assert {"id", "arn", "cidr_block"} <= (await offered("${vpc.main.‸}")).keys()
    assert list(await offered("${vpc.‸}")) == ["main"]
    assert "account_id" in await offered("${data.caller_identity.me.‸}")
    assert "region" in await offered("${1 + stack.‸}")
    assert "split" in await offered("${locals.name.‸}")
    assert "ceil" in await offered("${math.‸}")
    assert await offered("${'vars.‸'}") == {}


async def test_each_is_offered_where_there_is_one(editor, stack):
    text = stack + "[resource.eip.a]\nfor_each = ['a', 'b']\ntags = { Name = \"${‸}\" }\n"
    assert "each" in await editor.complete("stacks/shop.toml", text)
    assert list(await editor.complete("stacks/shop.toml", text.replace("‸", "each.‸"))) == ["index", "key", "value"]


async def test_modules_inputs_outputs_and_paths(editor, stack):
    editor.write("modules/web.toml", '[vars.name]\ndescription = "Its name"\n[vars.port]\ndefault = 80\n[outputs]\nurl = "${vars.name}"\n')
    name = "stacks/shop.toml"
    used = stack + '[module.web]\nsource = "../modules/web.toml"\n'
    inputs = await editor.complete(name, used + "[module.web.inputs]\n‸\n")
    assert list(inputs) == ["name", "port"] and inputs["name"].documentation.value == "Its name"
    assert list(await editor.complete(name, used + 'inputs = { name = "x" }\n[outputs]\no = "${module.‸}"\n')) == ["web"]
    assert "url" in await editor.complete(name, used + 'inputs = { name = "x" }\n[outputs]\no = "${module.web.‸}"\n')
    assert "../modules/" in await editor.complete(name, stack + '[module.web]\nsource = "../‸"\n')
    assert "../modules/web.toml" in await editor.complete(name, stack + '[module.web]\nsource = "../modules/‸"\n')


async def test_a_syntax_error_takes_no_name_away(editor, stack):
    name = "stacks/shop.toml"
    whole = stack + VPC + "[locals]\na = 1\n[outputs]\no = 1\n"
    editor.open(name, whole)
    await editor.diagnostics(name)
    broken = stack + VPC + "[locals]\na = [1, {\n[outputs]\no = \"${‸\n"
    assert {"vpc.main", "locals"} <= (await editor.complete(name, broken)).keys()
    assert "a" in await editor.complete(name, broken.replace("${‸", "${locals.‸"))


async def test_nothing_is_offered_in_comments(editor, stack):
    assert await editor.complete("stacks/shop.toml", stack + "# [‸\n") == {}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("[resource.security_group.a]\ningress = [{ ip_protocol = 'tcp', ‸\n", "from_port"),
        ("[resource.security_group.a]\ningress = [\n  { ip_protocol = 'tcp', ‸\n]\n", "from_port"),
        ("[resource.security_group.a]\ningress = [\n  { ip_protocol = 'tcp',\n    ‸\n[locals]\n", "from_port"),
        ("[resource.vpc.main]\nlifecycle = { deletion_policy = \"‸\n[locals]\n", "retain"),
        ("[resource.vpc.main]\nlifecycle = { ‸\n", "prevent_destroy"),
    ],
)
async def test_what_a_line_has_not_closed_yet_is_completed(editor, stack, line, wanted):
    assert wanted in await editor.complete("stacks/shop.toml", stack + line)


async def test_a_value_may_be_a_reference(editor, stack):
    name = "stacks/shop.toml"
    start = stack + VPC + "[vars.net]\ndefault = 'x'\n[resource.subnet.a]\nfor_each = ['a']\nvpc_id = \"${vpc.main.id}\"\n"
    start += "[resource.ecs_cluster.c]\nname = 'c'\n"

    async def taken(line, label):
        text = start + line
        found = await editor.complete(name, text)
        return list(found), applied(text.replace("‸", ""), [found[label].text_edit]).removeprefix(start)

    labels, text = await taken("[resource.security_group.a]\nvpc_id = ‸\n", "vpc.main.id")
    assert labels[0] == "vpc.main.id" and "vars.net" in labels
    assert text == '[resource.security_group.a]\nvpc_id = "${vpc.main.id}"\n'
    _, text = await taken('[resource.security_group.a]\nvpc_id = "‸"\n', "vars.net")
    assert text == '[resource.security_group.a]\nvpc_id = "${vars.net}"\n'
    _, text = await taken("[resource.lb.a]\nsubnets = ‸\n", "vars.net")
    assert text == '[resource.lb.a]\nsubnets = "${vars.net}"\n'
    labels, text = await taken("[resource.lb.a]\nsubnets = ‸\n", "pluck(subnet.a, 'id')")
    assert labels[0] == "pluck(subnet.a, 'id')" and "lb.a.arn" not in labels
    labels, text = await taken("[resource.ecs_service.s]\ncluster = ‸\n", "ecs_cluster.c.arn")
    assert labels[0] == "ecs_cluster.c.arn" and text.endswith('cluster = "${ecs_cluster.c.arn}"\n')
    _, text = await taken("[resource.vpc_endpoint.a]\nsubnet_ids = ‸\n", "pluck(subnet.a, 'id')")
    assert text == "[resource.vpc_endpoint.a]\nsubnet_ids = \"${pluck(subnet.a, 'id')}\"\n"
    labels, _ = await taken("[resource.vpc_endpoint.a]\nsubnet_ids = [‸]\n", "vpc.main.id")
    assert "pluck(subnet.a, 'id')" not in labels


async def test_an_empty_file_of_a_project_is_begun(editor):
    assert {"stack", "resource"} <= (await editor.complete("stacks/new.toml", "[‸")).keys()
    of_module = (await editor.complete("modules/new.toml", "[‸")).keys()
    assert {"vars", "resource"} <= of_module and "stack" not in of_module
    empty = (await editor.complete("modules/empty.toml", "‸")).keys()
    assert "stack" not in empty


async def test_a_condition_is_offered_where_it_is_one_of_several(editor, stack):
    name = "stacks/shop.toml"
    assert "validate" not in await editor.complete(name, stack + "[vars.x.‸]\n")
    assert "validate" in await editor.complete(name, stack + "[[vars.x.‸]]\n")


async def test_methods_are_offered_of_what_has_them(editor, stack):
    name = "stacks/shop.toml"
    start = stack + "[locals]\nl = ['a']\nt = 'x'\nm = { a = 1 }\n[outputs]\n"
    of = {kind: (await editor.complete(name, start + f'o = "${{locals.{kind}.‸}}"\n')).keys() for kind in "ltm"}
    assert "all" in of["l"] and "charAt" not in of["l"]
    assert "charAt" in of["t"] and "all" not in of["t"]
    assert set(of["m"]) == {"a"}


@pytest.mark.parametrize(
    ("line", "wanted"), [("[accounts.dns]\n‸\n", "role_arn"), ("[cost.lb.main]\n‸\n", "lb_capacity_units"), ("[accounts]\ndns = { ‸ }\n", "role_arn")]
)
async def test_keys_of_accounts_and_costs(editor, stack, line, wanted):
    assert wanted in await editor.complete("stacks/shop.toml", stack + line)
