"""Writes botocore's models, without their documentation, as plain JSON: FOLDER/SERVICE.json, and index.json with the
folder name of each name that requests are signed for."""
import gzip
import json
import os
import sys
from pathlib import Path

import botocore

SERVICES = """acm application-autoscaling autoscaling backup cloudcontrol cloudformation cloudwatch ec2 ecr ecs efs elbv2 events guardduty iam kms
lambda logs pricing resourcegroupstaggingapi route53 s3 scheduler secretsmanager servicediscovery sns ssm sts""".split()


def bare(value):
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if key != "documentation" or not isinstance(one, str)}
    return [bare(one) for one in value] if isinstance(value, list) else value


def read(path):
    with gzip.open(path.with_suffix(".json.gz")) as file:
        return json.load(file)


def pages(folder):
    plain = folder / "paginators-1.json"
    return json.loads(plain.read_text() if plain.exists() else gzip.open(f"{plain}.gz").read())["pagination"]


folder, index = Path(sys.argv[1]), {}
folder.mkdir(parents=True, exist_ok=True)
for service in SERVICES:
    newest = max((Path(botocore.__file__).parent / "data" / service).iterdir())
    model = bare(read(newest / "service-2.json"))
    model["pagination"] = pages(newest)
    metadata = model["metadata"]
    index[metadata.get("signingName", metadata["endpointPrefix"])] = service
    (folder / f"{service}.json").write_text(json.dumps(model, separators=(",", ":")))
# Last and at once: where it is, the rest is.
(folder / "index.tmp").write_text(json.dumps(index))
os.replace(folder / "index.tmp", folder / "index.json")
