"""The catalogue: what each feed says of a book is what one gets, in Atom, OPDS 1.2 and OPDS 2.0."""

from __future__ import annotations

import hashlib

import pytest
from flask.testing import FlaskClient
from lxml import etree

from publisher import package

ATOM = "{http://www.w3.org/2005/Atom}"
HASH = "{urn:ietf:params:xml:ns:metalink}hash"
OPEN = "http://opds-spec.org/acquisition/open-access"


def path_of(address: str) -> str:
    assert address.startswith("http://localhost/")
    return address.removeprefix("http://localhost")


@pytest.mark.parametrize(
    ("feed", "relation", "media_type"),
    [
        ("/feed.atom", "enclosure", "application/atom+xml"),
        ("/opds", OPEN, "application/atom+xml;profile=opds-catalog;kind=acquisition"),
    ],
)
def test_an_entry_tells_the_books_length_and_hash(
    client: FlaskClient, feed: str, relation: str, media_type: str
) -> None:
    answer = client.get(feed)
    assert answer.content_type == media_type
    root = etree.fromstring(answer.data)
    assert root.find(f"{ATOM}link[@rel='self']").get("href") == f"http://localhost{feed}"
    entries = root.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        "Archway Monthly, February 2018",
        "Archway Monthly, January 2018",
    ]
    for entry in entries:
        link = entry.find(f"{ATOM}link[@rel='{relation}']")
        book = client.get(path_of(link.get("href")))
        assert (link.get("type"), link.get("length")) == (book.content_type, str(len(book.data)))
        assert entry.findtext(HASH) == hashlib.sha256(book.data).hexdigest()
        assert entry.findtext(f"{ATOM}id").encode() in package.entries(book.data)["EPUB/content.opf"]
        assert client.get(path_of(entry.find(f"{ATOM}link[@rel='alternate']").get("href"))).status_code == 200


def test_opds_names_covers_and_languages(client: FlaskClient) -> None:
    root = etree.fromstring(client.get("/opds").data)
    january = root.findall(f"{ATOM}entry")[1]
    cover = january.find(f"{ATOM}link[@rel='http://opds-spec.org/image']")
    assert client.get(path_of(cover.get("href"))).content_type == cover.get("type") == "image/jpeg"
    assert [one.text for one in january.findall("{http://purl.org/dc/terms/}language")] == ["en", "bg"]


def test_opds_2_says_the_same(client: FlaskClient) -> None:
    answer = client.get("/opds/v2")
    assert answer.content_type == "application/opds+json"
    assert answer.json is not None
    february, january = answer.json["publications"]
    assert january["metadata"]["belongsTo"]["series"] == {"name": "Archway Monthly", "position": 2018.1}
    link = next(link for link in february["links"] if link["rel"] == OPEN)
    book = client.get(path_of(link["href"])).data
    assert link["size"] == len(book)
    assert link["properties"]["hash"] == [{"algorithm": "sha256", "value": hashlib.sha256(book).hexdigest()}]
    assert client.get(path_of(february["images"][0]["href"])).status_code == 200


@pytest.mark.parametrize("feed", ["/feed.atom", "/opds", "/opds/v2"])
def test_who_has_a_feed_gets_only_its_confirmation(client: FlaskClient, feed: str) -> None:
    tag = client.get(feed).headers["ETag"]
    answer = client.get(feed, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")
