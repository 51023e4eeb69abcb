"""The object store over HTTP with boto3: what policies let through, signatures, sessions, and S3's own answers."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError

from labs.parts.bucket import ClientBucket, objects
from labs.parts.iam import Kind, Policy, Reason, read
from labs.parts.object_store import AccessDeniedError, Bucket, Credentials, ObjectStore, Role, User, signatures
from labs.parts.object_store.requests import HttpRequest, ServiceError

ACCOUNT, OTHER = "123456789012", "444455556666"
BASE = f"arn:aws:iam::{ACCOUNT}:role/EMR_EC2_RestrictedRole"


def policy(kind: Kind, *statements: dict[str, Any]) -> Policy:
    found = read(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind).policy
    assert found
    return found


def allow(action: str | list[str], *resources: str, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": [f"arn:aws:s3:::{one}" for one in resources], **rest}


def trust(**principal: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}


EC2, FROM_BASE = trust(Service="ec2.amazonaws.com"), trust(AWS=BASE)
ENGINEERS = policy(Kind.IDENTITY, allow("s3:*", "engineering", "engineering/*"))
READERS = policy(
    Kind.IDENTITY,
    allow("s3:GetObject", "science/*"),
    allow("s3:ListBucket", "science", Condition={"StringLike": {"s3:prefix": "public/*"}}),
)


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    shared = policy(
        Kind.RESOURCE,
        {**allow("s3:GetObject", "shared/*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}},
    )
    roles = [
        Role("EMR_EC2_RestrictedRole", policy(Kind.TRUST, EC2)),
        Role("engineer", policy(Kind.TRUST, EC2, FROM_BASE), {"own bucket": ENGINEERS}),
        Role("reader", policy(Kind.TRUST, FROM_BASE), {"public": READERS}),
        Role("cleaner", policy(Kind.TRUST, EC2), {"some": policy(Kind.IDENTITY, allow("s3:*", "scratch/tmp/*"))}),
        Role("untrusting", policy(Kind.TRUST, EC2), {"all": policy(Kind.IDENTITY, allow("s3:*", "*"))}),
    ]
    users = [User("operator", {"all": policy(Kind.IDENTITY, {"Effect": "Allow", "Action": "*", "Resource": "*"})})]
    buckets = [
        Bucket("engineering"),
        Bucket("science"),
        Bucket("empty"),
        Bucket("scratch"),
        Bucket("shared", shared),
        Bucket("foreign", account=OTHER),
    ]
    with ObjectStore(ACCOUNT, buckets, roles, users) as found:
        root = found.client("s3", found.root)
        for key in ("public/a.csv", "secret/ä b+c.csv"):
            root.put_object(Bucket="science", Key=key, Body=b"1,2")
        yield found


def session(store: ObjectStore, role: str) -> Credentials:
    base = store.instance_profile("EMR_EC2_RestrictedRole")
    return store.assume_role(base, f"arn:aws:iam::{ACCOUNT}:role/{role}", "anna")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_role_reaches_its_own_bucket_and_no_other(store: ObjectStore) -> None:
    client = store.client("s3", session(store, "engineer"))
    own = ClientBucket(client, "engineering")
    own.put("in/ä b+c?.csv", b"1,2,3")
    own.copy("in/ä b+c?.csv", "out/copy")
    assert [one.key for one in objects(own)] == ["in/ä b+c?.csv", "out/copy"]
    assert own.get("in/ä b+c?.csv", 2, 1) == b"2"
    with pytest.raises(ClientError) as error:
        client.list_objects_v2(Bucket="science")
    assert code(error) == "AccessDenied"


def test_a_decision_is_kept_with_its_reason(store: ObjectStore) -> None:
    client = store.client("s3", session(store, "engineer"))
    with pytest.raises(ClientError):
        client.get_object(Bucket="science", Key="public/a.csv")
    found = store.decisions[-1]
    assert (found.operation, found.action) == ("GetObject", "s3:GetObject")
    assert found.resource == "arn:aws:s3:::science/public/a.csv"
    assert found.caller == f"arn:aws:sts::{ACCOUNT}:assumed-role/engineer/anna"
    assert found.decision.reason is Reason.NO_ALLOW


@pytest.mark.parametrize("prefix", ["public/", "public/2018/"])
def test_a_condition_on_the_prefix_lets_that_listing_through(store: ObjectStore, prefix: str) -> None:
    client = store.client("s3", session(store, "reader"))
    client.list_objects_v2(Bucket="science", Prefix=prefix)
    client.list_objects(Bucket="science", Prefix=prefix)
    for refused in ("", "secret/"):
        with pytest.raises(ClientError):
            client.list_objects_v2(Bucket="science", Prefix=refused)


def test_what_is_not_there_is_hidden_from_who_may_not_list(store: ObjectStore) -> None:
    for role, answer in (("reader", "AccessDenied"), ("engineer", "NoSuchKey")):
        client = store.client("s3", session(store, role))
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket="science" if role == "reader" else "engineering", Key="nothing")
        assert code(error) == answer


def test_copying_needs_the_source_and_the_target(store: ObjectStore) -> None:
    engineer, operator = (
        store.client("s3", session(store, "engineer")),
        store.client("s3", store.access_key("operator")),
    )
    origin = {"Bucket": "science", "Key": "public/a.csv"}
    with pytest.raises(ClientError):
        engineer.copy_object(Bucket="engineering", Key="a", CopySource=origin)
    operator.copy_object(Bucket="engineering", Key="a", CopySource=origin)
    assert [one.action for one in store.decisions[-2:]] == ["s3:GetObject", "s3:PutObject"]


def test_deleting_many_asks_for_each_key(store: ObjectStore) -> None:
    root, client = store.client("s3", store.root), store.client("s3", store.instance_profile("cleaner"))
    for key in ("tmp/a", "kept"):
        root.put_object(Bucket="scratch", Key=key, Body=b"")
    answer = client.delete_objects(Bucket="scratch", Delete={"Objects": [{"Key": "tmp/a"}, {"Key": "kept"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["tmp/a"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("kept", "AccessDenied")]
    assert [one["Key"] for one in root.list_objects_v2(Bucket="scratch")["Contents"]] == ["kept"]


def test_a_great_object_comes_in_parts(store: ObjectStore) -> None:
    client = store.client("s3", session(store, "engineer"))
    upload = client.create_multipart_upload(Bucket="engineering", Key="great")["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(
                Bucket="engineering", Key="great", UploadId=upload, PartNumber=number, Body=body
            )["ETag"],
        }
        for number, body in ((1, b"a" * 5_242_880), (2, b"b"))
    ]
    client.complete_multipart_upload(
        Bucket="engineering", Key="great", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert client.head_object(Bucket="engineering", Key="great")["ContentLength"] == 5_242_881


def test_buckets_are_listed_located_and_only_deleted_empty(store: ObjectStore) -> None:
    operator = store.client("s3", store.access_key("operator"))
    own = {"empty", "engineering", "science", "scratch", "shared"}
    assert {one["Name"] for one in operator.list_buckets()["Buckets"]} == own
    operator.get_bucket_location(Bucket="science")
    operator.head_bucket(Bucket="science")
    with pytest.raises(ClientError) as error:
        operator.delete_bucket(Bucket="science")
    assert code(error) == "BucketNotEmpty"
    with pytest.raises(ClientError):
        store.client("s3", session(store, "engineer")).delete_bucket(Bucket="empty")
    operator.delete_bucket(Bucket="empty")


def test_a_bucket_policy_lets_a_role_in_and_another_account_needs_one(store: ObjectStore) -> None:
    store.client("s3", store.root).put_object(Bucket="shared", Key="a", Body=b"1")
    assert store.client("s3", session(store, "reader")).get_object(Bucket="shared", Key="a")["Body"].read() == b"1"
    with pytest.raises(ClientError):
        store.client("s3", store.access_key("operator")).list_objects_v2(Bucket="foreign")
    assert store.decisions[-1].decision.reason is Reason.NO_RESOURCE_ALLOW


def test_a_role_is_assumed_only_by_whom_it_trusts(store: ObjectStore) -> None:
    with pytest.raises(ClientError) as error:
        session(store, "untrusting")
    assert code(error) == "AccessDenied"
    assert store.decisions[-1].decision.reason is Reason.NO_TRUST
    with pytest.raises(AccessDeniedError):
        store.instance_profile("reader")
    caller = store.client("sts", session(store, "reader")).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/anna"


def test_a_session_policy_narrows_a_session(store: ObjectStore) -> None:
    base = store.instance_profile("EMR_EC2_RestrictedRole")
    narrow = json.dumps({"Version": "2012-10-17", "Statement": allow("s3:ListBucket", "*")})
    given = store.assume_role(base, f"arn:aws:iam::{ACCOUNT}:role/engineer", "anna", Policy=narrow)
    client = store.client("s3", given)
    client.list_objects_v2(Bucket="engineering")
    with pytest.raises(ClientError):
        client.put_object(Bucket="engineering", Key="a", Body=b"")
    assert store.decisions[-1].decision.reason is Reason.SESSION
    with pytest.raises(ClientError) as error:
        store.assume_role(base, f"arn:aws:iam::{ACCOUNT}:role/engineer", "anna", Policy="{}")
    assert code(error) == "MalformedPolicyDocument"


def test_a_session_ends_after_an_hour(store: ObjectStore) -> None:
    client, began = store.client("s3", session(store, "engineer")), time.time()
    with time_machine.travel(began + 3_500):
        client.list_objects_v2(Bucket="engineering")
    with time_machine.travel(began + 3_700), pytest.raises(ClientError) as error:
        client.list_objects_v2(Bucket="engineering")
    assert code(error) == "ExpiredToken"


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"access_key_id": "AKIANOBODY"}, "InvalidAccessKeyId"),
        ({"secret_access_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"session_token": "wrong"}, "InvalidToken"),
    ],
)
def test_wrong_credentials_are_refused(store: ObjectStore, changed: dict[str, str], answer: str) -> None:
    given = session(store, "engineer")
    found = {name: getattr(given, name) for name in ("access_key_id", "secret_access_key", "session_token")}
    with pytest.raises(ClientError) as error:
        store.client("s3", Credentials(**{**found, **changed})).list_objects_v2(Bucket="engineering")
    assert code(error) == answer


def test_an_address_signed_in_advance_gives_that_object_and_no_other(store: ObjectStore) -> None:
    client = store.client("s3", session(store, "engineer"))
    client.put_object(Bucket="engineering", Key="signed.csv", Body=b"1,2")
    address = client.generate_presigned_url("get_object", Params={"Bucket": "engineering", "Key": "signed.csv"})
    assert urllib.request.urlopen(address).read() == b"1,2"
    for wrong in (address.replace("signed.csv", "in/a"), address.partition("?")[0], f"{address}&versions"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(wrong)
        assert error.value.code == 403


class _EveryHeader(S3SigV4Auth):
    """Signs the user agent too, as Java's SDK does."""

    def headers_to_sign(self, request: Any) -> Any:
        found = super().headers_to_sign(request)
        found["user-agent"] = request.headers["user-agent"]
        return found


def test_a_client_may_sign_its_user_agent(store: ObjectStore) -> None:
    request = AWSRequest("GET", f"{store.endpoint}/science?list-type=2", headers={"user-agent": "aws-sdk-java"})
    given = BotoCredentials(store.root.access_key_id, store.root.secret_access_key)
    _EveryHeader(given, "s3", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, headers=dict(request.headers.items()))
    assert b"public/a.csv" in urllib.request.urlopen(sent).read()
    sent.add_header("user-agent", "another")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(sent)
    assert error.value.code == 403


# From the S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple
# Chunks": its key, its request of 66,560 letters and its signatures.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHUNKS = (
    (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
CHUNKED = b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (size, one.encode(), b"a" * size) for size, one in CHUNKS)


def _verified(body: bytes) -> bytes:
    names = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
    names += "x-amz-decoded-content-length;x-amz-storage-class"
    headers = {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders={names},Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": "66824",
    }
    request = HttpRequest("PUT", "/examplebucket/chunkObject.txt", "", headers, body)
    claim = signatures.read_claim(request)
    assert claim
    return signatures.verify(request, claim, SECRET, 1_369_353_600)


def test_chunks_are_verified_as_in_the_documentations_example() -> None:
    assert _verified(CHUNKED) == b"a" * 66_560


class _Chunked(S3SigV4Auth):
    def payload(self, _: Any) -> str:
        return signatures.STREAMING


def test_an_object_that_comes_in_signed_chunks_is_stored_without_them(store: ObjectStore) -> None:
    request = AWSRequest("PUT", f"{store.endpoint}/engineering/chunked", headers={"content-encoding": "aws-chunked"})
    given = BotoCredentials(store.root.access_key_id, store.root.secret_access_key)
    _Chunked(given, "s3", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    claim = signatures.read_claim(HttpRequest("PUT", "/engineering/chunked", "", headers, b""))
    assert claim
    key, previous, body = signatures._signing_key(given.secret_key, claim.scope), claim.signature, b""
    for content in (b"1,2\n", b"3,4\n", b""):
        digests = f"{hashlib.sha256(b'').hexdigest()}\n{hashlib.sha256(content).hexdigest()}"
        previous = signatures._sign(key, claim, f"{previous}\n{digests}", "-PAYLOAD")
        body += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(content), previous.encode(), content)
    urllib.request.urlopen(urllib.request.Request(request.url, body, headers, method="PUT"))
    found = store.client("s3", store.root).get_object(Bucket="engineering", Key="chunked")
    assert found["Body"].read() == b"1,2\n3,4\n"
    assert not found.get("ContentEncoding")


@pytest.mark.parametrize("body", [CHUNKED.replace(b"aa", b"ab", 1), CHUNKED[:-89], b""])
def test_changed_or_missing_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(ServiceError):
        _verified(body)


@pytest.mark.parametrize("path", ["/science?acl", "/science/a?tagging", "/science?policy", "/?location"])
def test_what_is_not_served_is_refused_before_the_store(store: ObjectStore, path: str) -> None:
    request = AWSRequest("GET", f"{store.endpoint}{path}")
    S3SigV4Auth(BotoCredentials(store.root.access_key_id, store.root.secret_access_key), "s3", "us-east-1").add_auth(
        request
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers.items())))
    assert error.value.code == 501


def test_a_request_that_is_not_signed_is_nobodys(store: ObjectStore) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{store.endpoint}/science/public/a.csv")
    assert error.value.code == 403
    assert store.decisions[-1].caller == ""
