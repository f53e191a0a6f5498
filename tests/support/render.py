"""Renders Markdown as forges do, and says what became of it: one JSON value a line in, one out.

cmark-gfm is GitHub's own renderer. markdown-it has the plugins whose markup GitLab and others have besides.
"""

import json
import re
import sys
from html.parser import HTMLParser

import cmarkgfm.cmark
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]

MARKDOWN_IT = MarkdownIt("gfm-like", {"html": True, "linkify": True})
for plugin in (deflist_plugin, footnote_plugin, front_matter_plugin, tasklists_plugin):
    MARKDOWN_IT.use(plugin)
MARKDOWN_IT.use(dollarmath_plugin, double_inline=True)

# What forges read out of rendered text, outside code: mentions, references, shortcodes, links, math.
REFERENCES = [
    r"@\w",
    r"#\w",
    r"(?i)\bgh-\d",
    r"[A-Za-z][A-Za-z0-9_]*-\d",
    r"!\d",
    r"!\[",
    r"&(?!amp;)\w",
    r"[~%$^]\"?\w",
    r"\$",
    r":[\w+-]+:",
    r"(?i)www\.",
    r"://",
    r"(?i)\b[0-9a-f]{7,}\b",
    r"\[",
    r"\{[+-]",
    r"(?i)[a-z]\.[a-z]{2}",
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]",
]
# What is read by lines, out of the Markdown itself or out of the log it is printed to.
LINES = [r"^/", r"^>>>", r"^\s*::", r"##[A-Za-z]*\[", r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"]


class Seen(HTMLParser):
    """The elements without inline code, the text, and the pieces of text outside code."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.plain, self.comments, self.code = [], [], [], [], []
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag == "code":
            self.code.append("")
        if tag != "code" or "pre" in self.open:
            self.elements.append(" ".join([tag] + [f"{name}={value}" for name, value in attributes]))
        if tag not in ("br", "hr", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if tag != "code" or "pre" in self.open:
            self.elements.append("/" + tag)

    def handle_data(self, data):
        self.text.append(data)
        if "code" in self.open:
            self.code[-1] += data
        elif "pre" not in self.open:
            self.plain.append(data)

    def handle_comment(self, data):
        self.comments.append(data)

    def unknown_decl(self, data):
        self.elements.append("declaration")

    handle_decl = unknown_decl
    handle_pi = unknown_decl


def seen(html):
    parser = Seen()
    parser.feed(html)
    parser.close()
    found = [f"{reference} in {piece!r}" for reference in REFERENCES for piece in parser.plain if re.search(reference, piece)]
    return {
        "elements": parser.elements,
        "text": "".join(parser.text),
        "code": parser.code,
        "comments": parser.comments,
        "found": found,
    }


for line in sys.stdin:
    markdown = json.loads(line)
    lines = [f"{pattern} in {one!r}" for pattern in LINES for one in markdown.split("\n") if re.search(pattern, one)]
    github = cmarkgfm.cmark.markdown_to_html_with_extensions(markdown, options=OPTIONS, extensions=EXTENSIONS)
    rendered = {"cmark-gfm": seen(github), "markdown-it": seen(MARKDOWN_IT.render(markdown))}
    print(json.dumps({"lines": lines, "rendered": rendered}))
