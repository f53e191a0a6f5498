"""The emulator that all tools of the comparison use: MiniStack, whose CloudFormation compares templates as AWS's does."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import time

import proxy

VERSION = "1.5.33"
PACKAGES = [f"ministack=={VERSION}", "cbor2==6.3.0", "boto3==1.43.106"]
HERE = pathlib.Path(__file__).resolve().parent
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Emulator:
    """An emulator of its own with a proxy before it and a lister beside it, gone at the end."""

    def __init__(self, python, home):
        self.python = python
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        here = {"GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
        program = pathlib.Path(self.python).parent / "ministack"
        self.process = subprocess.Popen([program], env={**self.environment, **here}, stdin=subprocess.DEVNULL, **QUIET)
        self.wait()
        self.proxy = proxy.Proxy(f"127.0.0.1:{self.port}")
        listing = {**self.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.lister = subprocess.Popen([self.python, HERE / "account.py"], env=listing, **pipes)
        return self

    def wait(self):
        for _ in range(900):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise SystemExit("the emulator does not come up")

    def reset(self):
        """An empty account."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/_ministack/reset")
        connection.getresponse().read()
        connection.close()
        self.proxy.restart()

    def account(self):
        """What is in the account, seen past the tool: names by kind."""
        self.proxy.wait_until_quiet()
        self.lister.stdin.write("look\n")
        self.lister.stdin.flush()
        line = self.lister.stdout.readline()
        if not line:
            raise SystemExit("what is in the account cannot be listed")
        return json.loads(line)

    def __exit__(self, *_):
        self.proxy.shutdown()
        self.proxy.server_close()
        for process in (self.lister, self.process):
            process.kill()
            process.wait()
