import json
import os

import boto3


def handler(event, context):
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=event["SecretId"])
    wanted = json.loads(secret["SecretString"])
    return {"host": os.environ["DATABASE_HOST"], "database": wanted["dbname"], "user": wanted["username"]}
