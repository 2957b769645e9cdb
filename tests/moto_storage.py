"""Moto's S3, another program's view of the protocol: it checks signatures, keys and permissions."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import NamedTuple
from urllib.request import Request, urlopen

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class Bucket(NamedTuple):
    """A bucket: the address of its service, its name, and the keys of a user who may use it."""

    address: str
    name: str
    key: str
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the bucket can be opened."""
        keys = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        return {**keys, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.address, "AWS_ALLOW_HTTP": "true"}


@contextmanager
def serving_moto(name: str = "bucket"):
    """Serve a bucket at a free port of this machine; requests without the right keys are refused."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        root = {"endpoint_url": address, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        users = boto3.client("iam", **root)
        users.create_user(UserName="board")
        users.put_user_policy(UserName="board", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        keys = users.create_access_key(UserName="board")["AccessKey"]
        boto3.client("s3", **root).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        # From now on, keys count.
        begin = Request(f"{address}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})  # noqa: S310
        urlopen(begin).close()  # noqa: S310 - of this test
        yield Bucket(address, name, keys["AccessKeyId"], keys["SecretAccessKey"])
    finally:
        server.stop()
