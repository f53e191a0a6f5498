"""A proxy between a tool and the emulator: counts calls, and strikes the tool down at one of those that change something."""

import concurrent.futures
import http.client
import http.server
import threading
import time

import calls
import mends

# Set anew for the answer, or only between the two ends of one connection.
OWN_HEADERS = ("content-length", "transfer-encoding", "connection")


class Strike:
    """What is to happen to the tool at its n-th changing call: killed before the emulator gets it, or after it answered."""

    def __init__(self, number, after):
        self.number, self.after = number, after
        # The run, once it has begun.
        self.victim = concurrent.futures.Future()
        self.at, self.down = None, False

    def kill(self):
        self.down = True
        self.victim.result(timeout=60).kill()


class Proxy(http.server.ThreadingHTTPServer):
    """Passes calls on to an emulator, and remembers them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Passing)
        self.target = target
        self.lock = threading.Lock()
        self.restart()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def restart(self, strike=None):
        """Begins to count anew."""
        with self.lock:
            self.seen, self.changing, self.under_way, self.strike = [], 0, 0, strike

    def arrived(self, call):
        """Remembers a call: the strike, if the tool is to be struck down at this one or is down already."""
        with self.lock:
            self.seen.append(call)
            self.changing += call.changing
            self.under_way += 1
            strike = self.strike
            if strike and call.changing and self.changing == strike.number:
                strike.at = call
                return strike
            return strike if strike and strike.down else None

    def left(self):
        with self.lock:
            self.under_way -= 1

    def wait_until_quiet(self):
        """Waits until what the tool had under way has been answered, for a minute at most."""
        for _ in range(1200):
            if self.under_way <= 0:
                return
            time.sleep(0.05)

    def handle_error(self, request, client_address):
        """A tool that was killed leaves its connections broken: nothing to tell."""


class Passing(http.server.BaseHTTPRequestHandler):
    """One connection of a tool."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        call = calls.read(self.command, self.path, self.headers, body)
        strike = self.server.arrived(call)
        try:
            self.carry(call, body, strike)
        finally:
            self.server.left()

    def carry(self, call, body, strike):
        if strike and (strike.down or not strike.after):
            strike.kill()
            self.close_connection = True
            return
        connection = http.client.HTTPConnection(self.server.target, timeout=300)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        status, content = mends.mended(call, body, answer.status, answer.read())
        connection.close()
        if strike:
            strike.kill()
            self.close_connection = True
            return
        self.answer(status, answer.getheaders(), content)

    def answer(self, status, headers, content):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        # What answers HEAD says how long the content would be.
        length = dict((name.lower(), value) for name, value in headers).get("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = pass_on

    def log_message(self, *_):
        pass
