"""The home page, what stands around every page, and the arch of progress."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web.offers import Door, NextStep, Progress, offers
from web.views import most_urgent

Token = Callable[[FlaskClient], str]


def _step(urgency: int, title: str) -> NextStep:
    return NextStep(urgency, title, "A text.", "/somewhere", "Go on")


def _furnish(site: Flask) -> None:
    register = offers(site)
    register.doors += [
        lambda _: Door(2, "Practise", "Sit an exam.", "65 questions, 130 minutes", "/exams", "See the exam"),
        lambda _: Door(1, "Learn", "Read.", "14 lessons", "/learn", "Open the courses"),
    ]
    register.next_steps += [
        lambda _: _step(5, "Continue the lesson"),
        lambda _: None,
        lambda _: _step(1, "Resume the exam"),
    ]
    register.progress.append(lambda _: [Progress("Resilience & more", "/learn/a", 2, 3)])
    register.covers.append(lambda: SimpleNamespace(title="Monthly", address="/issues/2018-01", cover="/cover.png"))


def test_a_visitor_sees_the_doors_in_order_the_cover_and_a_way_to_begin(site: Flask, visitor: FlaskClient) -> None:
    _furnish(site)
    page = visitor.get("/").text
    assert re.findall(r"<h2>(\w+)</h2>", page) == ["Learn", "Practise"]
    assert "65 questions, 130 minutes" in page
    assert '<a class="cover" href="/issues/2018-01"><img src="/cover.png"' in page
    assert re.search(r'<form[^>]* action="/begin">.*?name="csrf_token".*?Begin without an account', page)
    assert "Resume the exam" not in page


def test_who_comes_back_sees_one_next_step_and_the_domains(site: Flask, visitor: FlaskClient, token: Token) -> None:
    _furnish(site)
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    page = visitor.get("/").text
    assert "<h1>Resume the exam</h1>" in page
    assert "Continue the lesson" not in page
    assert page.count('class="button"') == 1
    assert '<span class="arch-title" lang="en">Resilience &amp; more</span>' in page
    assert "2 of 3" in page


def test_who_comes_back_to_nothing_is_shown_the_doors(site: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    offers(site).doors.append(lambda _: Door(1, "Learn", "Read.", "1 lesson", "/learn", "Open"))
    page = visitor.get("/").text
    assert "<h1>Choose where to begin</h1>" in page
    assert "1 lesson" in page


def test_of_equally_urgent_steps_the_first_is_shown() -> None:
    assert most_urgent([None, _step(5, "a"), _step(2, "b"), _step(2, "c")]).title == "b"
    assert most_urgent([None]) is None


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/learn", '<a href="/learn" aria-current="page">'),
        ("/learn/x/y", '<a href="/learn" aria-current="true">'),
        ("/attempts/7", '<a href="/exams" aria-current="true">'),
        ("/learning", None),
    ],
)
def test_the_navigation_marks_where_one_is(visitor: FlaskClient, path: str, current: str | None) -> None:
    navigation = re.search(r'<nav class="site-nav".*?</nav>', visitor.get(path).text, re.DOTALL)[0]
    assert re.findall(r"<a [^>]*aria-current[^>]*>", navigation) == ([current] if current else [])


def test_a_guest_is_told_how_to_keep_their_work(visitor: FlaskClient, token: Token) -> None:
    assert '<a href="/sign-in">Sign in</a>' in visitor.get("/").text
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    assert "Keep your work: sign up" in visitor.get("/").text


def test_a_page_can_be_used_without_script_and_inline_style(visitor: FlaskClient) -> None:
    page = visitor.get("/").text
    assert "<script" not in page
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)
    assert page.index('href="#main"') < page.index("<nav") < page.index('<main id="main"')


def _arch(site: Flask, done: int, total: int) -> str:
    with site.test_request_context():
        drawn: str = site.jinja_env.get_template("web/macros.html").module.arch(done, total, "Domain")
        return drawn


@pytest.mark.parametrize(("done", "total"), [(0, 3), (1, 1), (1, 2), (3, 5), (5, 5), (12, 24)])
def test_an_arch_lays_a_stone_for_each_part(site: Flask, done: int, total: int) -> None:
    drawn = _arch(site, done, total)
    paths = re.findall(r'class="(arch-stones[^"]*)" d="(M\d+)[^"]*" pathLength="100" stroke-dasharray="([^"]+)"', drawn)
    stones = {(name, start): len(dashes.split()) // 2 - 1 for name, start, dashes in paths}
    assert stones.pop(("arch-stones", "M24")) == total
    left, right = stones.get(("arch-stones arch-laid", "M24"), 0), stones.get(("arch-stones arch-laid", "M104"), 0)
    assert left + right == done
    assert 0 <= left - right <= 1
    for _, _, dashes in paths:
        assert sum(map(float, dashes.split()[:-1])) <= 100


def test_an_arch_without_parts_is_a_baseline(site: Flask) -> None:
    drawn = _arch(site, 0, 0)
    assert "arch-stones" not in drawn
    assert "arch-ground" in drawn
