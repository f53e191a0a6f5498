"""What is said to be wrong, as one types."""

from lsprotocol import types as lsp


async def test_what_is_wrong_is_said_as_one_types_and_taken_back(editor, stack):
    text = stack + '[resource.vpc.main]\ncidr_blok = "10.0.0.0/16"\n'
    editor.write("stacks/shop.toml", stack)
    editor.open("stacks/shop.toml", text)
    said = await editor.diagnostics("stacks/shop.toml")
    assert [one.message.split("\n")[0] for one in said] == ["vpc.main has no attribute `cidr_blok`"]
    assert (said[0].range.start.line, said[0].range.start.character, said[0].range.end.character) == (4, 0, 9)
    assert "did you mean `cidr_block`?" in said[0].message and said[0].source == "leoctl"
    editor.type("stacks/shop.toml", text.replace("blok", "block"))
    assert await editor.diagnostics("stacks/shop.toml") == []


async def test_a_diagnostic_has_its_code_and_the_other_place_it_is_about(editor, stack):
    name = "stacks/shop.toml"
    editor.open(name, stack + '[locals]\na = 1\na = 2\nb = "${vars.none}"\n')
    twice, unknown = sorted(await editor.diagnostics(name), key=lambda one: one.range.start.line)
    assert (twice.code, unknown.code) == ("E0101", "E0402")
    (also,) = twice.related_information
    assert also.location.range.start.line == twice.range.start.line - 1
    assert unknown.range.end.character - unknown.range.start.character == len("vars.none")


async def test_places_are_counted_in_utf_16(editor, stack):
    text = stack + "[locals]\na = \"🦁é ${vars.none}\"\n"
    editor.open("stacks/shop.toml", text)
    (said,) = await editor.diagnostics("stacks/shop.toml")
    assert "vars" in text.split("\n")[4] and "there is no variable `none`" in said.message
    assert (said.range.start.character, said.range.end.character) == (11, 20)


async def test_line_breaks_of_windows_are_no_mistake_and_shift_nothing(editor, stack):
    text = (stack + '[resource.vpc.main]\ncidr_block = "10.0.0.0/99"\n').replace("\n", "\r\n")
    editor.open("stacks/shop.toml", text)
    (said,) = await editor.diagnostics("stacks/shop.toml")
    assert (said.range.start.line, said.range.start.character, said.range.end.character) == (4, 13, 26)


async def test_every_mistake_of_broken_toml_is_said(editor, stack):
    editor.open("stacks/shop.toml", stack + "[locals]\na = \nb = yes\n")
    said = await editor.diagnostics("stacks/shop.toml")
    assert [one.range.start.line for one in said] == [4, 5]


async def test_a_mistake_in_a_base_is_said_there_and_its_unsaved_text_counts(editor):
    editor.write("stacks/base/shop.toml", '[stack]\nregion = "us-east-1"\n[locals]\nb = "${locals.a}"\n')
    editor.write("stacks/shop.toml", '[stack]\nname = "shop"\nextends = ["base/shop.toml"]\n[locals]\na = 1\n')
    editor.open("stacks/shop.toml")
    assert await editor.diagnostics("stacks/shop.toml") == []
    editor.open("stacks/base/shop.toml", '[stack]\nregion = "us-east-1"\n[locals]\nb = "${locals.none}"\n')
    (said,) = await editor.diagnostics("stacks/base/shop.toml")
    assert "there is no local `none`" in said.message
    editor.type("stacks/base/shop.toml", '[stack]\nregion = "us-east-1"\n[locals]\nc = 1\n')
    assert await editor.diagnostics("stacks/base/shop.toml") == []
    # What the stack names of the base is gone now, and is said there.
    editor.type("stacks/shop.toml", '[stack]\nname = "shop"\nextends = ["base/shop.toml"]\n[locals]\na = "${locals.b}"\n')
    (said,) = await editor.diagnostics("stacks/shop.toml")
    assert "there is no local `b`" in said.message


async def test_a_module_is_checked_by_itself_and_in_the_stack_that_uses_it(editor, stack):
    module = '[vars.name]\ndescription = "Its name"\n[locals]\nl = "${vars.name}"\n[outputs]\nname = "${locals.l}"\n'
    editor.write("modules/web.toml", module)
    user = stack + '[module.web]\nsource = "../modules/web.toml"\ninputs = { name = "x" }\n[outputs]\nn = "${module.web.name}"\n'
    editor.write("stacks/shop.toml", user)
    editor.open("stacks/shop.toml")
    editor.open("modules/web.toml")
    assert await editor.diagnostics("stacks/shop.toml") == []
    assert await editor.diagnostics("modules/web.toml") == []
    editor.type("modules/web.toml", module.replace("[outputs]\nname", "[outputs]\ntitle"))
    assert await editor.diagnostics("modules/web.toml") == []
    uri = editor.uri("stacks/shop.toml")
    await editor.until(lambda: editor.said[uri].diagnostics)
    assert "no output of module.web `name`" in editor.said[uri].diagnostics[0].message


async def test_a_file_that_is_none_of_leoctls_is_left_alone(editor, stack):
    editor.write("Cargo.toml", '[package]\nname = "x"\n')
    editor.open("Cargo.toml")
    editor.open("stacks/shop.toml", stack)
    assert await editor.diagnostics("stacks/shop.toml") == []
    assert editor.uri("Cargo.toml") not in editor.said


async def test_a_closed_file_is_what_is_saved_again(editor, stack):
    editor.write("stacks/shop.toml", stack)
    editor.open("stacks/shop.toml", stack + "[resorce]\n")
    assert await editor.diagnostics("stacks/shop.toml") != []
    document = lsp.TextDocumentIdentifier(uri=editor.uri("stacks/shop.toml"))
    editor.client.text_document_did_close(lsp.DidCloseTextDocumentParams(text_document=document))
    await editor.until(lambda: not editor.said[document.uri].diagnostics)
