"""What an item keeps of a question in Moodle XML."""

from __future__ import annotations

from pathlib import Path

from quizzes.formats import moodle_xml
from quizzes.formats.reading import Imported, Reading

CORPUS = Path(__file__).parents[1] / "corpus" / "moodle_xml"


def read(name: str) -> Reading:
    return moodle_xml.read((CORPUS / f"{name}.xml").read_bytes())


def only(name: str) -> Imported:
    (imported,) = read(name).items
    return imported


def test_feedback_of_an_answer_becomes_its_rationale_and_its_place_is_kept() -> None:
    imported = only("choice")
    assert imported.item.question.stem == "Which store keeps objects?"
    assert imported.item.key.rationales == (("a", "Right: it keeps objects."), ("b", "It keeps blocks."))
    assert imported.item.key.correct == {"a"}
    assert (imported.line, imported.column, imported.name) == (3, 2, "store objects")


def test_general_feedback_becomes_the_explanation() -> None:
    assert only("general_feedback").item.key.explanation == "Objects have keys."


def test_answers_that_are_not_shuffled_keep_their_order() -> None:
    assert only("choice_fixed").item.question.fixed
    assert not only("choice").item.question.fixed


def test_thirds_make_three_right_options() -> None:
    imported = only("several_thirds")
    assert imported.item.key.correct == {"a", "b", "c"}
    assert imported.item.question.choose == 3


def test_a_true_false_question_begins_with_true_whatever_its_order() -> None:
    question = only("true_false_reversed").item
    assert question.question.type == "true-false"
    assert question.key.correct == {"b"}


def test_a_category_holds_until_the_next_one() -> None:
    assert [one.category for one in read("categories_reversed").items] == ["Stores/Objects/Old", "Stores", ""]


def test_a_number_keeps_its_tolerance_and_its_unit() -> None:
    number, units = only("number_tolerance").item, only("number_units").item
    assert (number.key.answer, number.key.tolerance) == ("2.5", "0.25")
    assert (units.question.unit, units.key.tolerance) == ("zones", "0.1")


def test_an_escaped_star_is_a_star_and_a_wildcard_is_a_loss() -> None:
    assert only("short_literal_star").item.key.correct == {"s3:*"}
    assert only("short_wildcard").item.key.correct == {"S3"}


def test_a_partner_without_a_line_is_left_to_nothing() -> None:
    question = only("matching_distractor").item.question
    assert [one.text for one in question.options] == ["S3", "EBS"]
    assert sorted(one.text for one in question.targets) == ["blocks", "objects", "queues"]


def test_pictures_come_along_and_two_of_one_name_stay_two() -> None:
    reading = read("file_same_name_twice")
    stems = [one.item.question.stem for one in reading.items]
    assert len(reading.files) == 2
    for stem, name in zip(stems, reading.files, strict=True):
        assert f"](file:{name})" in stem
    assert all(data.startswith(b"GIF89a") for data in reading.files.values())


def test_an_old_picture_stands_under_the_stem() -> None:
    reading = read("old_image")
    assert list(reading.files) == ["plan.png"]
    assert reading.items[0].item.question.stem.endswith("![](<file:plan.png>)")


def test_plain_text_stays_text() -> None:
    question = only("format_plain").item.question
    assert question.stem == "Is 2 < 3 and \\*so\\* on?\n\n\\# not a heading"
    assert [one.text for one in question.options] == ["a_b\\_", "1\\. x"]


def test_hints_grades_and_penalties_are_named_only_where_somebody_set_them() -> None:
    assert read("usual_grade_penalty").findings == ()
    assert len(read("hints_grade_penalty").findings) == 3
