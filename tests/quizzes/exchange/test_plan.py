"""What an import would bring, decided without a database."""

from __future__ import annotations

import gc

from quizzes import alike
from quizzes.exchange import compare, plan, report, wire
from quizzes.exchange.compare import Known
from quizzes.exchange.plan import Defaults
from quizzes.formats.reading import Finding, Imported, Reading
from quizzes.questions import Item, Key, Option, Question

OPTIONS = (Option("a", "Amazon SQS"), Option("b", "Amazon SNS"))


def item(name: str, stem: str, key: str = "a", task: str = "") -> Item:
    return Item(Question(name, "", task, "", "", stem, OPTIONS, 1, tags=("queues",)), Key(frozenset(key), ()))


def reading(*items: Item) -> Reading:
    found = tuple(Imported(n, 10 * n, 1, one.question.id, one) for n, one in enumerate(items, 1))
    refused = Finding(5, 2, "error", "An essay cannot be marked here.", len(items) + 1, raw="Tell all.")
    lost = Finding(11, 3, "loss", "The weight 50 % is not kept.", 1)
    return Reading(found, (refused, lost), len(items) + 1, {"a.png": b"\x89PNG\r\n\x1a\n"})


ONE = reading(item("q-1", "What keeps messages?"), item("q-2", "What keeps messages?", "b"), item("q-3", "What else?"))
KNOWN = (Known("saa/2-queues.md:44", item("saa-2", "What else?")),)


def test_a_contradiction_names_both_places_and_is_not_proposed() -> None:
    rows = plan.rows(compare.compare("gift", ONE, ()))
    assert [(one.kind, one.place) for one in rows[0].likenesses] == [("conflict", "line 20")]
    assert [(one.kind, one.place) for one in rows[1].likenesses] == [("conflict", "line 10")]
    assert [row.proposed for row in rows] == [False, False, True, False]


def test_what_a_bank_has_is_named_with_its_place_and_not_proposed() -> None:
    row = plan.rows(compare.compare("gift", ONE, KNOWN))[2]
    assert [(one.kind, one.place, one.question_id) for one in row.likenesses] == [
        ("same", "saa/2-queues.md:44", "saa-2")
    ]
    assert not row.proposed


def test_of_two_same_items_of_a_file_the_first_is_proposed() -> None:
    twice = reading(item("q-1", "What keeps?"), item("q-2", "What keeps?"))
    assert [row.proposed for row in plan.rows(compare.compare("gift", twice, ()))] == [True, False, False]


def test_of_many_same_items_each_names_a_few() -> None:
    many = reading(*(item(f"q-{number}", "What keeps?") for number in range(30)))
    named = compare.compare("gift", many, ()).likenesses
    assert {len(one) for one in named.values()} == {alike.MOST}
    assert all(row.repeated for row in plan.rows(compare.compare("gift", many, ()))[1:30])


def test_the_sum_counts_every_question_of_the_file() -> None:
    total = plan.total(plan.rows(compare.compare("gift", ONE, KNOWN)))
    assert (total.questions, total.can, total.cannot, total.lose) == (4, 3, 1, 1)
    assert (total.contradicted, total.repeated, total.proposed) == (2, 1, 0)


def test_items_get_what_they_lack_and_an_id_of_their_own() -> None:
    rows = plan.rows(compare.compare("gift", reading(item("q-1", "One?", task="2.1"), item("q-2", "Two?")), ()))
    chosen = plan.choose(rows, {1, 2}, Defaults("saa", "1.1", "easy"), {"q-2", "q-2-2"})
    found = [(one.question.id, one.question.course, one.question.task, one.question.difficulty) for one in chosen.items]
    assert found == [("q-1", "saa", "2.1", "easy"), ("q-2-3", "saa", "1.1", "easy")]
    assert chosen.renamed == {"q-2-3": "q-2"}


def test_a_compared_file_comes_back_from_its_bytes_as_it_was() -> None:
    compared = compare.compare("gift", ONE, KNOWN)
    assert wire.load(wire.dump(compared)) == compared
    assert gc.isenabled()


def test_the_report_for_programs_names_every_question_and_finding() -> None:
    values = report.as_json("week 3.gift", compare.compare("gift", ONE, KNOWN))
    assert values["version"] == 1
    assert [one["number"] for one in values["questions"]] == [1, 2, 3, 4]
    assert values["questions"][3]["findings"][0]["raw"] == "Tell all."
    assert values["questions"][2]["alike"][0]["place"] == "saa/2-queues.md:44"


def test_a_cell_is_never_a_formula() -> None:
    named = Imported(1, 1, 1, "x", item("q-1", "One?"))
    evil = Reading((named,), (Finding(1, 1, "note", "=HYPERLINK(1)", 1),), 1)
    lines = report.as_csv("=1+1.gift", compare.compare("gift", evil, ())).splitlines()
    assert lines[1] == "'=1+1.gift,,1,1,note,1,q-1,'=HYPERLINK(1)"
