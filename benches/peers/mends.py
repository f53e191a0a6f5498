"""Where the emulator answers otherwise than AWS, and a tool of the comparison stumbles over it: the answer of AWS.

All tools get the same answers. Each mend takes the request's body and the answer's, and returns status and body, or
nothing where the answer is right.
"""

import json
import re

import calls

NOT_FOUND = """<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type>\
<Code>TargetGroupNotFound</Code><Message>One or more target groups not found</Message></Error></ErrorResponse>"""


def target_groups(request, answer):
    """AWS answers with an error for a name that is not there, MiniStack with an empty list: Ansible reads its first element."""
    if any(key.startswith("Names.") for key in calls.form(request)) and not re.search(rb"<TargetGroupArn>", answer):
        return 400, NOT_FOUND.encode()
    return None


def services(_, answer):
    """AWS shows how a service is spread over zones, MiniStack leaves it out: Terraform would set it on every run."""
    content = json.loads(answer)
    for service in content.get("services", []):
        service.setdefault("availabilityZoneRebalancing", "DISABLED")
    return 200, json.dumps(content).encode()


MENDS = {
    ("elasticloadbalancing", "DescribeTargetGroups"): target_groups,
    ("ecs", "DescribeServices"): services,
}


def mended(call, request, status, answer):
    """Status and body as AWS would have them."""
    mend = MENDS.get((call.service, call.operation))
    return (mend(request, answer) if mend and status == 200 else None) or (status, answer)
