"""The record of a run, in which nothing is secret and no account is named."""

import json
import os
import re
import time

# Account ids, keys of credentials, e-mail addresses, and the names of people and sessions in ARNs.
HIDDEN = [
    (re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])"), "ACCOUNT"),
    (re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z0-9]{12,}"), "KEY"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "ADDRESS"),
    (re.compile(r"(:(?:user|assumed-role|federated-user)/)[^\s\"',)]+"), r"\1SOMEBODY"),
]
# Of these the values are never written, whatever they look like.
SECRET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Transcript:
    """A line of JSON for each step, written as it ends."""

    def __init__(self, folder):
        self.path = folder / "transcript.jsonl"
        self.began = time.monotonic()
        # A run that goes on after another one adds to it.
        self.file = open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")

    def hide(self, text):
        """A text without what must not be shown."""
        for name in SECRET_VARIABLES:
            value = os.environ.get(name, "")
            if len(value) >= 8:
                text = text.replace(value, "SECRET")
        for pattern, instead in HIDDEN:
            text = pattern.sub(instead, text)
        return text

    def write(self, **entry):
        """Adds a step, and says it in a line."""
        entry = {"at": round(time.monotonic() - self.began, 1), **entry}
        self.file.write(self.hide(json.dumps(entry, ensure_ascii=False)) + "\n")
        self.file.flush()
        verdict = "ok  " if entry.get("ok") else "NOT " if entry.get("ok") is False else "    "
        seconds = f"{entry['seconds']:7.1f} s" if "seconds" in entry else " " * 9
        print(self.hide(f"{verdict}{seconds}  {entry['system']}: {entry['step']}"), flush=True)
        if entry.get("ok") is False:
            print(self.hide("    " + entry.get("said", "").strip().replace("\n", "\n    ")), flush=True)
