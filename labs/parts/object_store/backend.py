"""The store behind the gateway: moto's S3, called in this process, by one thread at a time.

moto asks no policy here and checks no signature; nothing reaches it that the gateway has not allowed.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from lxml import etree
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.test import EnvironBuilder, run_wsgi_app

from labs.parts.object_store.requests import HttpRequest

REGION = "us-east-1"

_KEY = f"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20180201/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
_KEPT_BACK = frozenset(
    {
        *("authorization", "content-length", "transfer-encoding", "expect", "x-amz-content-sha256", "x-amz-date"),
        *("x-amz-decoded-content-length", "x-amz-trailer", "x-amz-security-token", "content-md5", "host"),
    }
)


class Answer(NamedTuple):
    """Status line, headers and body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Backend:
    """The buckets of the whole process and what is in them; each bucket has the account that owns it."""

    def __init__(self, buckets: Iterable[tuple[str, str]]) -> None:
        self._lock = threading.Lock()
        self._application = create_backend_app("s3")
        self.clear()
        for name, account in buckets:
            s3_backends[account]["aws"].create_bucket(name, REGION)

    def clear(self) -> None:
        """Forget every bucket."""
        s3_backends.reset()

    def call(self, request: HttpRequest, account: str) -> Answer:
        """Return the store's answer to a request about a bucket of an account."""
        query = [
            (name, value)
            for name, value in parse_qsl(request.query, keep_blank_values=True)
            if not name.startswith("X-Amz-")
        ]
        builder = EnvironBuilder(
            method=request.method,
            path=quote("/".join(("", *filter(None, request.bucket_and_key))) or "/"),
            query_string=urlencode(query, quote_via=quote),
            headers=list(_headers(request.headers, account).items()),
            input_stream=None,
            data=request.body,
        )
        with self._lock:
            body, status, headers = run_wsgi_app(self._application, builder.get_environ(), buffered=True)
            return Answer(status, list(headers), b"".join(body))

    def delete(self, request: HttpRequest, account: str, refused: Collection[str]) -> Answer:
        """Delete the objects that the request names, and answer for the refused keys that they may not be deleted."""
        asked = etree.fromstring(request.body, etree.XMLParser(resolve_entities=False, no_network=True))
        for found in asked.findall("{*}Object"):
            if found.findtext("{*}Key") in refused:
                asked.remove(found)
        result = etree.Element("DeleteResult", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
        if asked.find("{*}Object") is not None:
            body = etree.tostring(asked)
            answer = self.call(HttpRequest(request.method, request.path, request.query, request.headers, body), account)
            if not answer.status.startswith("200"):
                return answer
            result = etree.fromstring(answer.body)
        for key in refused:
            told = etree.SubElement(result, "Error")
            for name, text in (("Key", key), ("Code", "AccessDenied"), ("Message", "Access Denied")):
                etree.SubElement(told, name).text = text
        body = etree.tostring(result, xml_declaration=True, encoding="UTF-8")
        return Answer("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)


def _headers(given: Mapping[str, str], account: str) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name not in _KEPT_BACK and not name.startswith("x-moto-")}
    # moto would take such a body apart as a form's fields.
    if kept.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        del kept["content-type"]
    if "content-encoding" in kept:
        encodings = [one.strip() for one in kept.pop("content-encoding").split(",") if one.strip() != "aws-chunked"]
        kept |= {"content-encoding": ", ".join(encodings)} if encodings else {}
    return {**kept, "host": f"s3.{REGION}.amazonaws.com", "authorization": _KEY, "x-moto-account-id": account}
