"""What a request to AWS is: its service, its operation, and whether it changes something."""

import re
import typing
import urllib.parse

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
READS = re.compile(r"(Describe|List|Get|Head|Validate|Simulate|Estimate|Decode|Assume|Lookup|Filter|Search|BatchGet|BatchCheck)")


class Call(typing.NamedTuple):
    """One request, by what it asks for."""

    service: str
    operation: str
    changing: bool


def read(method, path, headers, body):
    """The call that a request is, in any of the protocols: JSON with a target, a form with an action, or REST."""
    scope = SCOPE.search(headers.get("authorization", ""))
    service = scope[1] if scope else ""
    target = headers.get("x-amz-target")
    if target:
        return named(service, target.rpartition(".")[2])
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        return named(service, form(body).get("Action", ""))
    modern = re.search(r"/operation/(\w+)$", path)
    if modern:
        return named(service, modern[1])
    return Call(service, f"{method} {path}", method not in ("GET", "HEAD"))


def named(service, operation):
    return Call(service, operation, READS.match(operation) is None)


def form(body):
    return dict(urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
