"""Runs leoctl, counts its calls of AWS, and kills it at one of them."""

import collections
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from .aws import Aws

# What leoctl says of its calls with -vv.
CALL = re.compile(r' (calling AWS|AWS answered) operation="?([\w:-]+)"?(?: status=(?:Some\()?(\d+))?')
READS = re.compile(r":(Describe|Get|List|Head|Batch|Simulate|Filter|Start)")


class Ran:
    """How a command ended."""

    def __init__(self, code, seconds, output, errors, calls, refused):
        self.code, self.seconds, self.output, self.errors = code, seconds, output, errors
        # Calls by operation; answers that were errors, by operation and HTTP status.
        self.calls, self.refused = calls, refused

    @property
    def changing(self):
        """How many calls changed something."""
        return sum(count for name, count in self.calls.items() if changes(name))

    def json(self):
        return json.loads(self.output)


def changes(operation):
    """Whether a call may change something in AWS."""
    return not READS.search(operation)


class Leoctl:
    """A binary that works in a folder."""

    def __init__(self, binary, folder, region, endpoint, transcript):
        self.binary, self.folder, self.transcript = os.path.abspath(binary), folder, transcript
        self.environment = {**os.environ, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, "NO_COLOR": "1"}
        self.region, self.endpoint = region, endpoint
        if endpoint:
            self.environment["AWS_ENDPOINT_URL"] = endpoint

    def aws(self):
        """AWS itself, as leoctl is told of it."""
        return Aws(self.region, self.endpoint, self.environment)

    def run(self, *arguments, kill_at=None):
        """One command. With `kill_at` leoctl gets SIGKILL as it makes that changing call, counted from 1."""
        command = [self.binary, *arguments, "-vv"]
        began = time.monotonic()
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace"
            )
            listener = Listener(process, kill_at)
            code = process.wait()
            listener.join()
            output.seek(0)
            return Ran(code, time.monotonic() - began, output.read(), "".join(listener.said), listener.calls, listener.refused)


class Listener(threading.Thread):
    """Reads what leoctl says of its calls; the rest of it is kept."""

    def __init__(self, process, kill_at):
        super().__init__(daemon=True)
        self.process, self.kill_at = process, kill_at
        self.calls, self.refused, self.said = collections.Counter(), collections.Counter(), []
        self.start()

    def run(self):
        changing = 0
        for line in self.process.stderr:
            call = CALL.search(line)
            if not call:
                if not re.search(r" (TRACE|DEBUG) ", line):
                    self.said.append(line)
                continue
            what, operation, status = call.groups()
            if what == "AWS answered":
                if status and int(status) >= 400:
                    self.refused[f"{operation} {status}"] += 1
                continue
            self.calls[operation] += 1
            changing += changes(operation)
            if changes(operation) and changing == self.kill_at:
                self.process.send_signal(signal.SIGKILL)
