"""A real language client (pygls), which speaks with `leoctl lsp` as an editor does."""

import asyncio
import os
import pathlib
import subprocess

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

LEOCTL = os.environ["LEOCTL"]
# Nothing waits that long: it ends a test that would never end.
LONGEST = 120
CURSOR = "‸"


def position(text: str, at: int) -> lsp.Position:
    """A place in a text, as the protocol counts: in UTF-16."""
    before = text[:at]
    line = before.rsplit("\n", 1)[-1]
    return lsp.Position(line=before.count("\n"), character=len(line.encode("utf-16-le")) // 2)


def offset(text: str, place: lsp.Position) -> int:
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: place.line])
    units = lines[place.line].encode("utf-16-le")[: place.character * 2]
    return start + len(units.decode("utf-16-le"))


def applied(text: str, edits: list[lsp.TextEdit]) -> str:
    """A text with changes, the last ones first."""
    for edit in sorted(edits, key=lambda edit: offset(text, edit.range.start), reverse=True):
        text = text[: offset(text, edit.range.start)] + edit.new_text + text[offset(text, edit.range.end) :]
    return text


class Editor:
    """An editor with a project open."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.client = LanguageClient("leoctl-tests", "1")
        self.said: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.news = asyncio.Condition()
        self.versions: dict[str, int] = {}
        self.texts: dict[str, str] = {}

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: lsp.PublishDiagnosticsParams):
            async with self.news:
                self.said[params.uri] = params
                self.news.notify_all()

        @self.client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def registered(_: lsp.RegistrationParams):
            return None

    async def start(self):
        await self.client.start_io(LEOCTL, "lsp", "--stdio", cwd=self.folder)
        params = lsp.InitializeParams(capabilities=lsp.ClientCapabilities(), root_uri=self.folder.as_uri())
        self.server = await self.client.initialize_async(params)
        self.client.initialized(lsp.InitializedParams())

    async def stop(self):
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def write(self, name: str, text: str):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def text(self, name: str) -> str:
        """The text of a file as the editor has it."""
        return self.texts.get(name) or (self.folder / name).read_bytes().decode()

    def open(self, name: str, text: str | None = None):
        """Opens a file, with another text than is saved where one is given."""
        text = self.text(name) if text is None else text
        self.versions[name], self.texts[name] = 1, text
        item = lsp.TextDocumentItem(uri=self.uri(name), language_id="toml", version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))

    def type(self, name: str, text: str):
        """Changes the text of an open file, without saving it."""
        self.versions[name] += 1
        self.texts[name] = text
        document = lsp.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions[name])
        whole = lsp.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[whole]))

    async def until(self, is_so):
        async with self.news:
            await asyncio.wait_for(self.news.wait_for(is_so), LONGEST)

    async def diagnostics(self, name: str) -> list[lsp.Diagnostic]:
        """What is said of an open file as it is now."""
        uri = self.uri(name)
        await self.until(lambda: uri in self.said and self.said[uri].version == self.versions[name])
        return list(self.said[uri].diagnostics)

    async def is_right(self, name: str):
        """Waits until nothing is said of an open file. What was typed in another one may be heard after it."""
        uri = self.uri(name)
        await self.until(lambda: uri in self.said and self.said[uri].version == self.versions[name] and not self.said[uri].diagnostics)

    def at(self, name: str, text: str) -> dict:
        """Where the cursor stands in a text, which is typed without it."""
        at = text.index(CURSOR)
        text = text.replace(CURSOR, "")
        if name in self.versions:
            if self.texts[name] != text:
                self.type(name, text)
        else:
            self.open(name, text)
        return {"text_document": lsp.TextDocumentIdentifier(uri=self.uri(name)), "position": position(text, at)}

    async def complete(self, name: str, text: str) -> dict[str, lsp.CompletionItem]:
        """What is offered at the cursor, in the order in which editors list it."""
        found = await self.client.text_document_completion_async(lsp.CompletionParams(**self.at(name, text)))
        return {item.label: item for item in sorted(found.items, key=lambda item: item.sort_text)}

    async def hover(self, name: str, text: str) -> str:
        found = await self.client.text_document_hover_async(lsp.HoverParams(**self.at(name, text)))
        return found.contents.value if found else ""

    async def definition(self, name: str, text: str) -> list[tuple[str, str]]:
        """Where it leads: the file, and the text there."""
        found = await self.client.text_document_definition_async(lsp.DefinitionParams(**self.at(name, text)))
        return self.places(found or [])

    async def references(self, name: str, text: str) -> list[tuple[str, str]]:
        context = lsp.ReferenceContext(include_declaration=True)
        found = await self.client.text_document_references_async(lsp.ReferenceParams(context=context, **self.at(name, text)))
        return self.places(found or [])

    def places(self, found: list[lsp.Location]) -> list[tuple[str, str]]:
        def place(location: lsp.Location):
            name = self.name(location.uri)
            text = self.text(name)
            start, end = offset(text, location.range.start), offset(text, location.range.end)
            return name, text[start:end]

        return [place(location) for location in found]

    def name(self, uri: str) -> str:
        return uri.removeprefix(self.folder.as_uri() + "/")

    async def rename(self, name: str, text: str, new: str) -> dict[str, str]:
        """The files as they are after it."""
        edit = await self.client.text_document_rename_async(lsp.RenameParams(new_name=new, **self.at(name, text)))
        return self.changed(edit)

    def changed(self, edit: lsp.WorkspaceEdit) -> dict[str, str]:
        return {self.name(uri): applied(self.text(self.name(uri)), edits) for uri, edits in edit.changes.items()}

    async def actions(self, name: str, text: str) -> dict[str, lsp.CodeAction]:
        at = self.at(name, text)
        place = lsp.Range(start=at["position"], end=at["position"])
        context = lsp.CodeActionContext(diagnostics=[])
        params = lsp.CodeActionParams(text_document=at["text_document"], range=place, context=context)
        return {action.title: action for action in await self.client.text_document_code_action_async(params)}

    async def hints(self, name: str, text: str) -> dict[str, str]:
        """What stands behind each line that has a hint."""
        self.open(name, text)
        whole = lsp.Range(start=lsp.Position(0, 0), end=position(text, len(text)))
        params = lsp.InlayHintParams(text_document=lsp.TextDocumentIdentifier(uri=self.uri(name)), range=whole)
        found = await self.client.text_document_inlay_hint_async(params)
        lines = text.split("\n")
        return {lines[hint.position.line].split("=")[0].strip(): hint.label for hint in found}


@pytest_asyncio.fixture
async def editor(tmp_path):
    editor = Editor(tmp_path)
    await editor.start()
    yield editor
    await editor.stop()


@pytest.fixture
def stack() -> str:
    return '[stack]\nname = "shop"\nregion = "us-east-1"\n'


@pytest.fixture
def applied_stack(editor, stack):
    """A stack that has been applied to an emulator, where there is one."""
    endpoint = os.environ.get("LEOCTL_ENDPOINT")
    if not endpoint:
        pytest.skip("there is no emulator to apply a stack to")
    name = "stacks/shop.toml"
    text = (
        stack + '[resource.vpc.main]\ncidr_block = "10.0.0.0/16"\n'
        '[vars.key]\nsensitive = true\ndefault = "s3cret"\n'
        '[resource.ssm_parameter.key]\nname = "/shop/key"\ntype = "SecureString"\nsecure_value = "${vars.key}"\n'
        '[outputs]\nid = "${vpc.main.id}"\nkey = { value = "${ssm_parameter.key.secure_value}", sensitive = true }\n'
    )
    editor.write(name, text)
    subprocess.run([LEOCTL, "apply", "-y", "--endpoint-url", endpoint, name], cwd=editor.folder, check=True, capture_output=True)
    return name, text
