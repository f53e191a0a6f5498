"""What may be done about what stands at the cursor, and what stands behind the lines."""

VPC = '[resource.vpc.main]\ncidr_block = "10.0.0.0/16"\n'


async def test_the_name_that_is_meant_is_written(editor, stack):
    name = "stacks/shop.toml"
    for wrong, right in [
        ('[resource.vpc.main]\ncidr_blo‸k = "10.0.0.0/16"\n', "cidr_block"),
        (VPC + '[outputs]\no = "🦁 ${1 + 1} ${vpc.mian‸.id}"\n', "vpc.main"),
        (VPC + '[outputs]\no = "${size(vpc.main.cidr_blck‸)}"\n', "cidr_block"),
        ('[resource.vp‸cc.main]\n', "vpc"),
        ('[local‸]\na = 1\n', "locals"),
        (VPC + 'instance_tenancy = "dedicted‸"\n', "dedicated"),
    ]:
        text = stack + wrong
        editor.at(name, text)
        found = await editor.actions(name, text)
        assert f"Change to `{right}`" in found, (wrong, list(found))
        action = found[f"Change to `{right}`"]
        assert action.is_preferred and action.diagnostics
        editor.type(name, editor.changed(action.edit)[name])
        said = [one.message for one in await editor.diagnostics(name)]
        assert not any(action.diagnostics[0].message == one for one in said), said
        assert right in editor.texts[name]


async def test_a_key_that_is_meant_by_a_number_stands_in_quotes(editor, stack):
    name = "stacks/shop.toml"
    for quote, other in ['"\'', '\'"']:
        text = stack + VPC + f"[resource.eip.a]\nfor_each = ['a']\n[outputs]\no = {quote}${{eip.a[‸0].id}}{quote}\n"
        editor.at(name, text)
        action = (await editor.actions(name, text))["Change to `a`"]
        editor.type(name, editor.changed(action.edit)[name])
        assert f"eip.a[{other}a{other}].id" in editor.texts[name]
        assert await editor.diagnostics(name) == []


async def test_what_a_block_needs_is_added(editor, stack):
    name = "stacks/shop.toml"
    text = stack + "[resource.subnet.a]‸\n"
    found = await editor.actions(name, text)
    (title,) = [title for title in found if title.startswith("Add `")]
    changed = editor.changed(found[title].edit)[name]
    assert changed.endswith('[resource.subnet.a]\nvpc_id = ""\ncidr_block = ""\n')
    editor.type(name, changed)
    assert not any(" needs `" in one.message for one in await editor.diagnostics(name))


async def test_hints_say_what_expressions_yield_and_how_many_instances_there_are(editor, stack):
    text = (
        stack + '[vars.key]\nsensitive = true\ndefault = "s3cret"\n[locals]\nnames = ["a", "b", "c"]\n'
        'count = "${size(locals.names) + 1}"\nlong = "${locals.names.map(n, \'a very long text indeed\')}"\nkey = "${vars.key}"\n'
        "[resource.eip.a]\nfor_each = \"${locals.names}\"\n[outputs]\nid = \"${eip.a['a'].id}\"\n"
    )
    hints = await editor.hints("stacks/shop.toml", text)
    assert hints["count"] == "4" and hints["for_each"] == "3 instances"
    assert len(hints["long"]) == 40 and hints["long"].endswith("…")
    assert "id" not in hints and "key" not in hints


async def test_the_last_apply_is_remembered_but_nothing_sensitive(editor, stack, applied_stack):
    name, text = applied_stack
    editor.open(name, text)
    hover = await editor.hover(name, text.replace("vpc.main.id", "vpc.main.i‸d"))
    assert "As of the last apply: `\"vpc-" in hover
    secret = await editor.hover(name, text.replace("ssm_parameter.key.secure_value", "ssm_parameter.key.secure_val‸ue"))
    assert "s3cret" not in secret
    renamed = text.replace("[resource.vpc.main]", "[resource.vpc.core‸]").replace("vpc.main.id", "vpc.core.id")
    found = await editor.actions(name, renamed)
    changed = editor.changed(found["Add [[moved]] from vpc.main"].edit)[name]
    assert changed.endswith('[[moved]]\nfrom = "vpc.main"\nto   = "vpc.core"\n')
