"""Makes the bucket that the environment names, unless it is there: what compose runs at start."""  # noqa: INP001  it is run as a file

from __future__ import annotations

import os

import boto3
from botocore.exceptions import ClientError

bucket = os.environ["S3_BUCKET"]
client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
try:
    client.head_bucket(Bucket=bucket)
except ClientError as error:
    if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:  # noqa: PLR2004  not found
        raise
    client.create_bucket(Bucket=bucket)
