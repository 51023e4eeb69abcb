"""What rooms offer to pages that are not theirs: doors and next steps on the home page, embeds in lessons.

A room's ``views.py`` registers its offers when the application is made; the home page and the lesson page show
them without knowing the room. So no room imports another for the sake of a link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from markupsafe import Markup


@dataclass(frozen=True)
class Door:
    """One way into the house, with one live fact about what is behind it.

    ``fact_language`` is set where the fact is content, which has a language of its own.
    """

    order: int
    title: str
    text: str
    fact: str
    address: str
    action: str
    fact_language: str = ""


@dataclass(frozen=True)
class NextStep:
    """What a person can do next; the most urgent one (the lowest number) is shown as a card with one button."""

    urgency: int
    title: str
    text: str
    address: str
    action: str


@dataclass(frozen=True)
class Progress:
    """How far a person has come in one domain: an arch that fills, ``done`` of ``total`` stones.

    The title is content; ``language`` is its own.
    """

    title: str
    address: str
    done: int
    total: int
    language: str = "en"


@dataclass(frozen=True)
class Findable:
    """A page of another room that search should know; ``sections`` have an anchor, a heading and a text each."""

    address: str
    title: str
    place: str
    language: str
    sections: tuple[Any, ...]


@dataclass(frozen=True)
class Exercise:
    """Something to do in another room, and how many of its tasks a person has done; the title is content."""

    title: str
    address: str
    done: int
    total: int
    language: str = "en"


@dataclass(frozen=True)
class StudioPage:
    """A page of the studio, in the navigation of all of them; the lowest ``order`` comes first."""

    order: int
    title: str
    address: str


@dataclass
class Offers:
    """The register. Every function takes the person (or None for a visitor) and is called on each request."""

    doors: list[Callable[[Any], Door]] = field(default_factory=list)
    next_steps: list[Callable[[Any], NextStep | None]] = field(default_factory=list)
    progress: list[Callable[[Any], list[Progress]]] = field(default_factory=list)
    covers: list[Callable[[], Any]] = field(default_factory=list)
    documents: list[Callable[[], Iterable[Findable]]] = field(default_factory=list)
    embeds: dict[str, Callable[[str], Markup | None]] = field(default_factory=dict)
    """kind → function(reference) → what a lesson shows there, or None where the reference is unknown."""
    exercises: dict[str, Callable[[Any], Mapping[str, Exercise]]] = field(default_factory=dict)
    """kind → function(person) → everything of that kind to do, by the reference with which a lesson embeds it."""
    studio: list[Callable[[], StudioPage]] = field(default_factory=list)
    work: dict[str, Any] = field(default_factory=dict)
    """kind → accounts.work.Work: what can be assigned to a cohort, and what people have done of it."""
    activity: list[Callable[[Any, Sequence[int]], Mapping[int, datetime]]] = field(default_factory=list)
    """function(connection, people's ids) → when each of them last did something in this room."""
    mastery: list[Callable[[Any, Sequence[int]], list[Any]]] = field(default_factory=list)
    """function(connection, people's ids) → accounts.work.TaskMastery of every task that has questions."""
    exam_time: list[Callable[[int, str], tuple[str, bool]]] = field(default_factory=list)
    """function(person's id, exam) → by how much its time is multiplied for them, and whether that is fixed."""
    lengthen: list[Callable[[Any, int, str], int]] = field(default_factory=list)
    """function(connection, person's id, multiplier) → how many of their running exams end later now."""


def studio_pages() -> list[StudioPage]:
    """Return the studio's pages in their order."""
    return sorted((page() for page in offers().studio), key=lambda page: page.order)


def offers(app: Flask | None = None) -> Offers:
    """Return the register of ``app``, or of the application that handles this request."""
    extensions = (app or current_app).extensions
    found: Offers = extensions.setdefault("offers", Offers())
    return found
