"""Asks AWS itself what is there, past leoctl."""

import datetime
import hashlib
import hmac
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

# The tag that names the stack of what leoctl has made.
STACK_TAG = "leoctl:stack"
# The Tagging API lists what is deleted for a while: so often, and so many seconds apart, it is asked again.
PATIENCE, PAUSE = 20, 30


class Unasked(Exception):
    """AWS could not be asked."""


def credentials(environment):
    """Key, secret and token: of the environment, or of whatever the AWS CLI has."""
    names = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
    if environment.get(names[0]) and environment.get(names[1]):
        return tuple(environment.get(name) for name in names)
    try:
        command = ["aws", "configure", "export-credentials", "--format", "process"]
        found = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
        return found["AccessKeyId"], found["SecretAccessKey"], found.get("SessionToken")
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        raise Unasked("no credentials in the environment, and the AWS CLI (version 2) gives none") from error


class Aws:
    """AWS, or an emulator, in a region."""

    def __init__(self, region, endpoint, environment=os.environ):
        self.region, self.endpoint, self.credentials = region, endpoint, credentials(environment)

    def left(self, prefix, stack):
        """What there is by the stack's tag, and by the prefix of a name where AWS lists no tags."""
        return sorted({*self.tagged(stack), *self.containers(prefix), *self.roles(prefix), *self.log_groups(prefix), *self.alarms(prefix)})

    def tagged(self, stack):
        """The ARNs of what has the stack's tag; without ECS's, whose inactive ones are listed for hours or for ever, and without
        listeners and their rules, which are listed for hours and go with their load balancer."""
        body = {"TagFilters": [{"Key": STACK_TAG, "Values": [stack]}]}
        pages = self.pages("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", body, "PaginationToken", "PaginationToken")
        for page in pages:
            arns = (found["ResourceARN"] for found in page.get("ResourceTagMappingList", ()))
            yield from (arn for arn in arns if ":ecs:" not in arn and ":listener" not in arn)

    def containers(self, prefix):
        """The clusters, and the families with active task definitions, whose names begin so; services are in clusters."""
        service = "AmazonEC2ContainerServiceV20141113"
        for page in self.pages("ecs", f"{service}.ListClusters", {}, "nextToken", "nextToken"):
            yield from (arn for arn in page.get("clusterArns", ()) if arn.rsplit("/", 1)[-1].startswith(prefix))
        body = {"familyPrefix": prefix, "status": "ACTIVE"}
        for page in self.pages("ecs", f"{service}.ListTaskDefinitionFamilies", body, "nextToken", "nextToken"):
            yield from (f"task definition {family}" for family in page.get("families", ()))

    def log_groups(self, prefix):
        """The log groups whose names begin so: some are made by AWS services, without tags."""
        for start in (prefix, *(f"{folder}{prefix}" for folder in ("/", "/ecs/", "/aws/ecs/containerinsights/", "/aws/lambda/", "/aws/vpc/"))):
            for page in self.pages("logs", "Logs_20140328.DescribeLogGroups", {"logGroupNamePrefix": start}, "nextToken", "nextToken"):
                yield from (f"log group {group['logGroupName']}" for group in page.get("logGroups", ()))

    def roles(self, prefix):
        """The roles whose names begin so: the Tagging API lists none."""
        for names in self.names("iam", "ListRoles", "2010-05-08", "RoleName", ("IsTruncated", "Marker", "Marker")):
            yield from (f"role {name}" for name in names if name.startswith(prefix))

    def alarms(self, prefix):
        """The alarms whose names begin so: AWS makes some by itself, without tags."""
        asked = {"AlarmNamePrefix": prefix, "AlarmTypes.member.1": "MetricAlarm", "AlarmTypes.member.2": "CompositeAlarm"}
        for names in self.names("monitoring", "DescribeAlarms", "2010-08-01", "AlarmName", (None, "NextToken", "NextToken"), **asked):
            yield from (f"alarm {name}" for name in names)

    def pages(self, service, target, body, asked, answered):
        """The pages of an operation of a service that speaks JSON."""
        token = None
        while True:
            headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}
            page = json.loads(self.call(service, headers, json.dumps({**body, **({asked: token} if token else {})})))
            yield page
            token = page.get(answered)
            if not token:
                return

    def names(self, service, action, version, element, paging, **members):
        """The texts of an element, page by page, of a service that speaks XML."""
        goes_on, answered, asked = paging
        token = None
        while True:
            form = {"Action": action, "Version": version, **members, **({asked: token} if token else {})}
            headers = {"content-type": "application/x-www-form-urlencoded"}
            page = xml.etree.ElementTree.fromstring(self.call(service, headers, urllib.parse.urlencode(form)))
            texts = lambda name: [found.text or "" for found in page.iter() if found.tag.rsplit("}", 1)[-1] == name]  # noqa: E731
            yield texts(element)
            token = next(iter(texts(answered)), None)
            if not token or goes_on and texts(goes_on) != ["true"]:
                return

    def call(self, service, headers, body):
        """One call, signed (IAM User Guide, "Create a signed AWS API request"): the text of the answer."""
        region = "us-east-1" if service == "iam" else self.region
        host = {"iam": "iam.amazonaws.com"}.get(service, f"{service}.{region}.amazonaws.com")
        url = self.endpoint or f"https://{host}"
        host = urllib.parse.urlsplit(url).netloc
        key, secret, token = self.credentials
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        headers = {**headers, "host": host, "x-amz-date": now, **({"x-amz-security-token": token} if token else {})}
        signed = ";".join(sorted(headers))
        canonical = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = "\n".join(["POST", "/", "", canonical, signed, hashlib.sha256(body.encode()).hexdigest()])
        scope = f"{now[:8]}/{region}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        with_key = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            with_key = hmac.new(with_key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(with_key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        asked = urllib.request.Request(f"{url.rstrip('/')}/", body.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Unasked(f"{service}: {error.code} {error.read().decode(errors='replace')[:500]}") from error
        except OSError as error:
            raise Unasked(f"{service}: {error}") from error


def settled(aws, prefix, stack, waits=True):
    """What is left once AWS lists it no more, or for good; on an emulator, and where nobody waits, at once."""
    left = aws.left(prefix, stack)
    for _ in range(PATIENCE if waits and not aws.endpoint else 0):
        if not left:
            break
        time.sleep(PAUSE)
        left = aws.left(prefix, stack)
    return left
