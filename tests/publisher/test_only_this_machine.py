"""Nothing that people write makes the server connect anywhere: not in a page, a preview, an import or a book."""

from __future__ import annotations

import io
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from content.library import Library
from publisher import epub, issue
from publisher.package import PackageError
from quizzes.exchange import import_views
from quizzes.questions import Bank
from tests.conftest import Watch

ELSEWHERE = ("http://192.0.2.1/x.png", "https://pictures.example/x.png", "//192.0.2.1/x.svg", "ftp://192.0.2.1/x")
HOSTS = (*ELSEWHERE, "http://169.254.169.254/latest/meta-data/", "http://[2001:db8::1]/", "file:///etc/passwd")
TEXT = "\n\n".join(f"![a picture]({one}) [x]({one})" for one in HOSTS)
ENTITY = (
    '<!DOCTYPE quiz [<!ENTITY x SYSTEM "http://192.0.2.1/x">]><quiz><question type="truefalse">&x;</question></quiz>'
)
GIFT = "::q:: Which [html]<img src='http://192.0.2.1/x.png'>? {=A ~B}"


def test_the_watch_sees_what_would_leave_this_machine(outside: Watch) -> None:
    with pytest.raises(OSError, match="to this machine only"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="to this machine only"):
        urllib.request.urlopen("http://pictures.example/x.png", timeout=1)
    assert outside.tried == ["192.0.2.1", "pictures.example"]
    outside.tried.clear()


def test_no_preview_and_no_import_fetches_what_a_text_names(
    app: Any, outside: Watch, promote: Callable[[str], FlaskClient], csrf: Callable[..., str], post: Callable[..., Any]
) -> None:
    ada = promote("ada")
    page = "courses/architectures/2-services-under-load/2-lambda-concurrency.md"
    shown = post(ada, f"/studio/pages/preview/{page}", text=f"---\ntitle: T\nsummary: S.\n---\n\n{TEXT}")
    assert shown.status_code == 200
    for name, text in (("q.gift", GIFT), ("q.xml", ENTITY), ("q.md", TEXT)):
        sent = {"csrf_token": csrf(ada), "file": (io.BytesIO(text.encode()), name)}
        assert ada.post("/studio/imports", data=sent, content_type="multipart/form-data").status_code == 303
        assert import_views.worker(app).run_next()
    assert outside.tried == []


@pytest.mark.parametrize("address", HOSTS[:-1])
def test_no_book_holds_a_picture_of_another_site(
    library: Library, banks: tuple[Bank, ...], outside: Watch, address: str
) -> None:
    choice = issue.Choice("a test", letter=f"[a link]({address}) ![a picture]({address})")
    with pytest.raises(PackageError, match="a book holds all it shows"):
        epub.build(issue.compose(library, banks, [], "2018-01", choice))
    assert outside.tried == []
