"""Lists what is in the account, past every tool. A line of JSON on stdout for each line on stdin."""

import functools
import json
import sys
import time

import boto3

REGION = "us-east-1"


@functools.cache
def client(service):
    return boto3.client(service, region_name=REGION)


def pages(service, operation, key, **arguments):
    return [item for page in client(service).get_paginator(operation).paginate(**arguments) for item in page[key]]


def settled():
    """Waits until CloudFormation has ended what it is at, for two minutes at most: it goes on when the tool is dead."""
    for _ in range(240):
        stacks = pages("cloudformation", "describe_stacks", "Stacks")
        if not any(stack["StackStatus"].endswith("_IN_PROGRESS") and not stack["StackStatus"].startswith("REVIEW") for stack in stacks):
            return [stack["StackName"] for stack in stacks if not stack["StackStatus"].startswith("DELETE_COMPLETE")]
        time.sleep(0.5)
    raise SystemExit("CloudFormation does not come to an end")


def network():
    """What is not the default VPC's, and not made by AWS with a VPC."""
    vpcs = [vpc["VpcId"] for vpc in pages("ec2", "describe_vpcs", "Vpcs") if not vpc.get("IsDefault")]
    gateways = pages("ec2", "describe_internet_gateways", "InternetGateways")
    tables = pages("ec2", "describe_route_tables", "RouteTables")
    groups = pages("ec2", "describe_security_groups", "SecurityGroups")
    default = [vpc["VpcId"] for vpc in pages("ec2", "describe_vpcs", "Vpcs") if vpc.get("IsDefault")]
    return {
        "VPC": vpcs,
        "subnet": [subnet["SubnetId"] for subnet in pages("ec2", "describe_subnets", "Subnets") if subnet["VpcId"] not in default],
        "internet gateway": [
            gateway["InternetGatewayId"] for gateway in gateways if not any(a["VpcId"] in default for a in gateway.get("Attachments", []))
        ],
        "route table": [
            table["RouteTableId"] for table in tables if table["VpcId"] in vpcs and not any(a.get("Main") for a in table.get("Associations", []))
        ],
        "security group": [group["GroupId"] for group in groups if group["GroupName"] != "default" and group.get("VpcId") not in default],
    }


def balancing():
    balancers = [balancer["LoadBalancerArn"] for balancer in pages("elbv2", "describe_load_balancers", "LoadBalancers")]
    return {
        "load balancer": balancers,
        "target group": [group["TargetGroupArn"] for group in pages("elbv2", "describe_target_groups", "TargetGroups")],
        "listener": [
            listener["ListenerArn"] for arn in balancers for listener in pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)
        ],
    }


def containers():
    ecs = client("ecs")
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    active = [cluster["clusterArn"] for cluster in clusters if cluster["status"] == "ACTIVE"]
    services = [(cluster, arn) for cluster in active for arn in ecs.list_services(cluster=cluster)["serviceArns"]]
    described = [service for cluster, arn in services for service in ecs.describe_services(cluster=cluster, services=[arn])["services"]]
    return {
        "cluster": active,
        "service": [service["serviceArn"] for service in described if service["status"] == "ACTIVE"],
        "task definition": pages("ecs", "list_task_definitions", "taskDefinitionArns", status="ACTIVE"),
        "repository": [repository["repositoryName"] for repository in pages("ecr", "describe_repositories", "repositories")],
    }


def account():
    stacks = settled()
    found = {
        "stack": stacks,
        **network(),
        **balancing(),
        **containers(),
        "log group": [group["logGroupName"] for group in pages("logs", "describe_log_groups", "logGroups")],
        "role": [role["RoleName"] for role in pages("iam", "list_roles", "Roles") if not role["Path"].startswith("/aws-service-role/")],
        "bucket": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
        "secret": [secret["Name"] for secret in pages("secretsmanager", "list_secrets", "SecretList")],
    }
    return {kind: sorted(names) for kind, names in found.items() if names}


for _ in sys.stdin:
    print(json.dumps(account()), flush=True)
