"""What is said of what stands at the cursor, where it is declared and named, and renaming it."""

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

VPC = '[resource.vpc.main]\ncidr_block = "10.0.0.0/16"\n'
WEB = '[vars.name]\ndescription = "Its name"\n[locals]\nl = "${vars.name}"\n[resource.eip.ip]\ntags = { Name = "${vars.name}" }\n[outputs]\nip = "${eip.ip.id}"\n'


async def test_types_attributes_functions_and_sections_are_explained(editor, stack):
    name = "stacks/shop.toml"
    assert "**vpc**" in await editor.hover(name, stack + VPC.replace("vpc", "v‸pc"))
    assert "`cidr_block` (IPv4 network" in await editor.hover(name, stack + VPC.replace("cidr", "ci‸dr"))
    assert "What is to exist" in await editor.hover(name, stack + VPC.replace("resource", "res‸ource"))
    text = stack + VPC + "[outputs]\no = \"${cidr‸subnet(vpc.main.cidr_block, 8, 1)}\"\n"
    assert "a subnet, IPv4 or IPv6" in await editor.hover(name, text)
    lifecycle = "lifecycle = { prevent_de‸stroy = true }\n"
    assert "Refuses every plan" in await editor.hover(name, stack + VPC + lifecycle)


async def test_what_an_expression_yields_is_said_when_it_is_known(editor, stack):
    name = "stacks/shop.toml"
    rest = VPC + '[vars.size]\ndescription = "How many"\ndefault = 2\n[vars.key]\nsensitive = true\ndefault = "s3cret"\n[outputs]\n'
    assert "Value: `\"10.0.0.0/16\"`" in await editor.hover(name, stack + rest + 'o = "🦁 ${vpc.main.cidr‸_block}"\n')
    variable = await editor.hover(name, stack + rest + 'o = "${vars.s‸ize + 1}"\n')
    assert "How many" in variable and "Value: `2`" in variable and "an integer" in variable
    assert "Value: `3`" in await editor.hover(name, stack + rest + 'o = "${vars.size ‸ + 1}"\n')
    secret = await editor.hover(name, stack + rest + 'o = { value = "${vars.k‸ey}", sensitive = true }\n')
    assert "s3cret" not in secret and "(sensitive)" in secret
    unknown = await editor.hover(name, stack + rest + 'o = "${vpc.main.i‸d}"\n')
    assert "Value" not in unknown and "a string" in unknown


async def test_references_lead_to_what_they_name(editor, stack):
    editor.write("modules/web.toml", WEB)
    name = "stacks/shop.toml"
    rest = VPC + '[vars.x]\ndefault = 1\n[locals]\ny = 2\n[data.caller_identity.me]\n[module.web]\nsource = "../modules/web.toml"\n[module.web.inputs]\nname = "n"\n'

    async def leads(expression):
        return await editor.definition(name, stack + rest + f'[outputs]\no = "{expression}"\n')

    assert await leads("a ${vpc.ma‸in.id}") == [(name, "main")]
    assert await leads("${vars.‸x}") == [(name, "x")]
    assert await leads("${1 + locals.y‸}") == [(name, "y")]
    assert await leads("${data.caller_identity.m‸e.account_id}") == [(name, "me")]
    assert await leads("${module.w‸eb.ip}") == [(name, "web")]
    assert await leads("${module.web.i‸p}") == [("modules/web.toml", "ip")]
    assert await leads("${vars.no‸ne}") == []
    text = stack + rest
    assert await editor.definition(name, text.replace("web.toml", "w‸eb.toml")) == [("modules/web.toml", "")]
    assert await editor.definition(name, text.replace("name = \"n\"", "na‸me = \"n\"")) == [("modules/web.toml", "name")]
    depends = stack + VPC + '[resource.eip.a]\ndepends_on = ["vpc.m‸ain"]\n'
    assert await editor.definition(name, depends) == [(name, "main")]


async def test_every_use_is_found_in_all_files_of_the_stack(editor):
    base = '[stack]\nregion = "us-east-1"\n' + VPC + '[resource.vpc.main.tags]\nName = "a"\n'
    editor.write("stacks/base/shop.toml", base)
    name = "stacks/shop.toml"
    text = '[stack]\nname = "shop"\nextends = ["base/shop.toml"]\n[resource.eip.a]\ndepends_on = ["vpc.main"]\ntags = { V = "${vpc.ma‸in.id} ${vpc.main.arn}" }\n'
    editor.write(name, text.replace("‸", ""))
    found = await editor.references(name, text)
    base_name = "stacks/base/shop.toml"
    assert sorted(found) == sorted([(base_name, "main")] * 2 + [(name, "main")] * 3)


async def test_symbols(editor, stack):
    name = "stacks/shop.toml"
    editor.open(name, stack + VPC + "[vars.x]\n[locals]\na = 1\n[[moved]]\nfrom = 'vpc.a'\nto = 'vpc.main'\n")
    params = lsp.DocumentSymbolParams(text_document=lsp.TextDocumentIdentifier(uri=editor.uri(name)))
    found = await editor.client.text_document_document_symbol_async(params)
    assert [one.name for one in found] == ["stack", "vpc.main", "vars.x", "locals.a", "[[moved]]"]
    assert found[1].range.end.line == 4


async def test_a_resource_is_renamed_everywhere_and_keeps_what_was_made(editor, stack):
    name = "stacks/shop.toml"
    text = (
        stack + "[resource.vpc.ma‸in]\ncidr_block = \"10.0.0.0/16\"\n[resource.vpc.main.lifecycle]\nprevent_destroy = true\n"
        "[resource.eip.a]\ndepends_on = [\"vpc.main\"]\ntags = { V = \"🦁 ${vpc.main.id} ${'vpc.main'}\" }\n"
        "[[moved]]\nfrom = \"vpc.old\"\nto = \"vpc.main\"\n"
    )
    changed = await editor.rename(name, text, "core")
    assert changed == {
        name: stack + "[resource.vpc.core]\ncidr_block = \"10.0.0.0/16\"\n[resource.vpc.core.lifecycle]\nprevent_destroy = true\n"
        "[resource.eip.a]\ndepends_on = [\"vpc.core\"]\ntags = { V = \"🦁 ${vpc.core.id} ${'vpc.main'}\" }\n"
        "[[moved]]\nfrom = \"vpc.old\"\nto = \"vpc.core\"\n"
        "\n[[moved]]\nfrom = \"vpc.main\"\nto   = \"vpc.core\"\n"
    }
    editor.type(name, changed[name])
    assert await editor.diagnostics(name) == []


async def test_locals_variables_and_modules_are_renamed(editor, stack):
    editor.write("modules/web.toml", WEB)
    name = "stacks/shop.toml"
    text = stack + '[locals]\ny = 2\nz = "${locals.y}"\n[module.web]\nsource = "../modules/web.toml"\ninputs = { name = "${locals.y}" }\n[outputs]\no = "${module.web.ip}"\n'
    editor.write(name, text)
    local = await editor.rename(name, text.replace("locals.y}\"\n[mod", "locals.‸y}\"\n[mod"), "w")
    assert local == {name: text.replace("\ny", "\nw").replace("locals.y", "locals.w")}
    module = await editor.rename(name, text.replace("module.web]", "module.w‸eb]"), "site")
    assert module == {name: text.replace("module.web", "module.site") + '\n[[moved]]\nfrom = "module.web"\nto   = "module.site"\n'}
    variable = await editor.rename("modules/web.toml", WEB.replace("vars.name]", "vars.na‸me]"), "title")
    assert variable == {"modules/web.toml": WEB.replace("vars.name", "vars.title"), name: text.replace("{ name", "{ title")}
    output = await editor.rename(name, text.replace("web.ip", "web.i‸p"), "address")
    assert output == {"modules/web.toml": WEB.replace("\nip =", "\naddress ="), name: text.replace("web.ip", "web.address")}
    resource = await editor.rename("modules/web.toml", WEB.replace("eip.ip]", "eip.i‸p]"), "own")
    moved = '\n[[moved]]\nfrom = "module.web.eip.ip"\nto   = "module.web.eip.own"\n'
    assert resource == {"modules/web.toml": WEB.replace("eip.ip", "eip.own"), name: text + moved}


async def test_what_names_something_in_a_module_is_renamed_with_it(editor, stack):
    editor.write("modules/web.toml", WEB)
    name = "stacks/shop.toml"
    blocks = (
        "[[moved]]\nfrom = \"eip.old\"\nto = 'module.web[\"a\"].eip.ip'\n"
        "[[import]]\nto = 'module.web[\"b\"].eip.ip'\nid = \"eipalloc-1\"\n"
    )
    text = stack + '[module.web]\nsource = "../modules/web.toml"\nfor_each = ["a", "b"]\ninputs = { name = "x" }\n' + blocks
    editor.write(name, text)
    module = await editor.rename(name, text.replace("[module.web]", "[module.w‸eb]"), "site")
    assert module == {name: text.replace("module.web", "module.site") + '\n[[moved]]\nfrom = "module.web"\nto   = "module.site"\n'}
    resource = await editor.rename("modules/web.toml", WEB.replace("eip.ip]", "eip.i‸p]"), "own")
    moved = '\n[[moved]]\nfrom = "module.web.eip.ip"\nto   = "module.web.eip.own"\n'
    assert resource == {"modules/web.toml": WEB.replace("eip.ip", "eip.own"), name: text.replace("eip.ip", "eip.own") + moved}
    for changed in resource:
        editor.type(changed, resource[changed])
    await editor.is_right(name)


async def test_a_rename_that_would_break_something_is_refused(editor, stack):
    name = "stacks/shop.toml"
    text = stack + "[locals]\na‸ = 1\nb = 2\n"
    for new, why in [("b", "a `b` already"), ("1x", "cannot be a name")]:
        with pytest.raises(JsonRpcException, match=why):
            await editor.rename(name, text, new)
    with pytest.raises(JsonRpcException, match="nothing here"):
        await editor.rename(name, stack.replace("region", "reg‸ion"), "x")


async def test_windows_line_breaks_stay(editor, stack):
    name = "stacks/shop.toml"
    text = (stack + VPC).replace("\n", "\r\n")
    changed = await editor.rename(name, text.replace("main", "ma‸in"), "core")
    assert changed[name].count("\n") == changed[name].count("\r\n") and changed[name].endswith('to   = "vpc.core"\r\n')


async def test_a_module_that_has_no_instance_now_keeps_what_other_variables_made(editor, stack):
    inner = "[resource.vpc.old]\ncidr_block = \"10.0.0.0/16\"\n[outputs]\nid = \"${vpc.old.id}\"\n"
    outer = "[module.net]\nsource = \"net.toml\"\nfor_each = [\"a\"]\n[outputs]\nids = \"${module.net['a'].id}\"\n"
    editor.write("modules/net.toml", inner)
    editor.write("modules/outer.toml", outer)
    whens = {
        "absent": "[vars.on]\ndefault = false\n[module.o]\nsource = \"../modules/outer.toml\"\nwhen = \"${vars.on}\"\n",
        "empty": "[vars.on]\ndefault = []\n[module.o]\nsource = \"../modules/outer.toml\"\nfor_each = \"${vars.on}\"\n",
        "lacking": "[vars.on]\n[module.o]\nsource = \"../modules/outer.toml\"\nwhen = \"${vars.on}\"\n",
        "wrong": "[module.o]\nsource = \"../modules/outer.toml\"\nwhen = \"${vars.onn}\"\n",
    }
    stacks = {f"stacks/{name}.toml": stack.replace('"shop"', f'"{name}"') + when for name, when in whens.items()}
    for name, text in stacks.items():
        editor.write(name, text)
    changed = await editor.rename("modules/net.toml", inner.replace("vpc.old]", "vpc.o‸ld]"), "new")
    moved = '\n[[moved]]\nfrom = "module.o.module.net.vpc.old"\nto   = "module.o.module.net.vpc.new"\n'
    assert changed == {"modules/net.toml": inner.replace("vpc.old", "vpc.new")} | {name: text + moved for name, text in stacks.items()}
    editor.open("stacks/absent.toml", changed["stacks/absent.toml"])
    assert await editor.diagnostics("stacks/absent.toml") == []
    output = await editor.rename("modules/net.toml", inner.replace("\nid =", "\ni‸d ="), "vpc")
    assert output == {"modules/net.toml": inner.replace("\nid =", "\nvpc ="), "modules/outer.toml": outer.replace(".id}", ".vpc}")}


async def test_renaming_there_and_back_leaves_a_stack_that_is_valid(editor, stack):
    name = "stacks/shop.toml"
    text = stack + VPC
    for before, after in [("main", "net"), ("net", "core"), ("core", "main"), ("main", "net"), ("net", "main")]:
        changed = await editor.rename(name, text.replace(f"vpc.{before}]", f"vpc.{before}‸]"), after)
        text = changed[name]
        editor.type(name, text)
        assert await editor.diagnostics(name) == [], text
    assert text == stack + VPC.replace("main", "main") + '\n[[moved]]\nfrom = "vpc.core"\nto   = "vpc.main"\n' + '\n[[moved]]\nfrom = "vpc.net"\nto   = "vpc.main"\n'


async def test_what_no_expression_can_name_is_no_name(editor, stack):
    name = "stacks/shop.toml"
    for new in ["in", "true", "false", "null"]:
        with pytest.raises(JsonRpcException, match="cannot be a name"):
            await editor.rename(name, stack + VPC.replace("main", "ma‸in"), new)
    assert name in await editor.rename(name, stack + VPC.replace("main", "ma‸in"), "for")
