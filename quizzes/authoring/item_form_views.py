"""What an item's form in the browser shows and sends: its choices, the way to the field of a finding, the view kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import after_this_request, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from content.draft_views import sent_text
from quizzes.authoring import checking, item_form
from quizzes.authoring.checking import Checked
from quizzes.authoring.item_form import ItemForm
from quizzes.authoring.store import StudioBank
from quizzes.formats.drafts import ItemError
from quizzes.questions import DIFFICULTIES
from quizzes.routes import library
from web import cookies

VIEWS = ("text", "form")
VIEW_COOKIE = "studio_view"
KEEPING = ("save", "ask")
"""What keeps an item; all else that an editor sends only shows it."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class FieldFindings:
    """What was found at a field of the form, by the title of the field, and the language that it is said in."""

    title: str
    faults: tuple[str, ...]
    advice: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Sent:
    """An item as an editor sent it: its Markdown, and its form with the field to go on at, if it came from a form."""

    text: str
    form: ItemForm | None = None
    focus: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the Markdown says what was written in the form."""
        return self.form is None or item_form.is_kept(self.form)


def sent() -> Sent:
    """Return what an editor sent, of either view."""
    action = request.form.get("do", "")
    if "stem" not in request.form or action == "form":
        return Sent(sent_text())
    form, focus = item_form.changed(item_form.of_fields(request.form), action)
    return Sent(item_form.write(form), form, focus)


def view() -> str:
    """Return as what an item is edited, and keep the choice of whoever has just chosen."""
    kept = cookies.kept(VIEW_COOKIE)
    chosen = next((one for one in (request.form.get("do"), request.args.get("as")) if one in VIEWS), "")
    if chosen and chosen != kept:
        after_this_request(lambda answer: _keep_view(answer, chosen))
    here = "form" if "stem" in request.form else "text" if "text" in request.form else kept
    return chosen or (here if here in VIEWS else "text")


def shown(bank: StudioBank, form: ItemForm, checked: Checked) -> dict[str, Any]:
    """Return what a form is shown with: what there is to choose from, and what was found, by field."""
    return {"form": form, "choices": _choices(bank, form), "found": _found(form, checked)}


def _found(form: ItemForm, checked: Checked) -> dict[str, FieldFindings]:
    """Return what is wrong with each field, and what could be better; where a field is torn, that alone."""
    torn = item_form.torn(form)
    sentence = _(
        "A line here begins with what has a meaning in an item, as “## ”, “- [ ] ”, “1. ” or “**Answer**”. "
        "Begin it with a word."
    )
    faults = [(name, sentence) for name in torn] or [_at_field(form, one) for one in checked.faults]
    advice = [] if torn else [_at_field(form, one) for one in checked.advice]
    return {
        name: FieldFindings(
            _field_title(form, name),
            tuple(words for field, words in faults if field == name),
            tuple(words for field, words in advice if field == name),
            str(get_locale()) if torn else "en",
        )
        for name, _words in (*faults, *advice)
    }


def _at_field(form: ItemForm, fault: ItemError) -> tuple[str, str]:
    return item_form.field_of(form, fault.field), fault.on_form or fault.sentence


def _keep_view(answer: Any, chosen: str) -> Any:
    if isinstance(answer, Answer):
        cookies.keep(answer, VIEW_COOKIE, chosen)
    return answer


def _choices(bank: StudioBank, form: ItemForm) -> Mapping[str, Any]:
    """Return what the fields of a form are chosen from, each as groups of values with their titles."""
    course = library().find_course(bank.course)
    modules = course.modules if course else ()
    levels = {"easy": _("easy"), "medium": _("medium"), "hard": _("hard")}
    return {
        "kinds": {
            "choice": _("by choosing options"),
            "numeric": _("with a number"),
            "text": _("with a few words"),
            "ordering": _("by putting steps into order"),
            "matching": _("by matching pairs"),
        },
        "row": _row_title(form.kind),
        "tasks": [
            (f"{one.number} {one.overview.title}", [(task.code, f"{task.code} {task.title}") for task in one.tasks])
            for one in modules
        ],
        "difficulties": [("", [(one, levels[one]) for one in DIFFICULTIES])],
        "lessons": [
            (lesson.page.title, [(_link(lesson.page.address, part.anchor, form), part.heading) for part in sections])
            for one in modules
            for lesson in one.lessons
            if (sections := [part for part in lesson.page.sections if part.anchor])
        ],
        "cases": [("", [(name, name) for name in checking.cases(bank.cases)])],
    }


def _link(address: str, anchor: str, form: ItemForm) -> str:
    """Return a link to a section; that of the form, in its own words, where it leads there."""
    place = f"{address}#{anchor}"
    present = _LINK.fullmatch(form.lesson)
    return form.lesson if present and present[2] == place else f"[{address.rpartition('/')[2]}]({place})"


def _row_title(kind: str) -> str:
    titles: dict[str, str] = {"ordering": _("Step"), "matching": _("Pair")}
    return titles.get(kind) or str(_("Option"))


def _field_title(form: ItemForm, field: str) -> str:
    """Return what a field of the form is called, one of a row after its row."""
    name, _hyphen, number = field.partition("-")
    titles: dict[str, str] = {
        "id": _("Its id"),
        "stem": _("Question"),
        "answer": _("The answer"),
        "task": _("Domain and task"),
        "difficulty": _("Difficulty"),
        "lesson": _("The section that teaches it"),
        "kind": _("How it is answered"),
        "tags": _("Tags"),
        "enemies": _("Set of items"),
        "case": _("Case"),
        "fixed": _("More fields"),
        "proof": _("Runs of labs that prove it"),
        "explanation": _("What there is to say of the whole"),
        "today": _("Where today differs"),
        "right": _("It is right"),
        "partner": _("Is matched with"),
        "reason": _("Why it is right or wrong"),
        "claim": _("What the runs find if it is right"),
        "add": _("Add one more"),
        "option": "",
    }
    row = f"{_row_title(form.kind)} {number}" if number else ""
    return ": ".join(filter(None, (row, titles[name])))
