"""The key sheet of an exam on paper, with the reason for each option."""

from __future__ import annotations

from quizzes.formats import printable
from quizzes.formats.reading import Writing
from quizzes.questions import Bank


def write_bank(bank: Bank) -> Writing:
    """Return the key of the form that printable.write_bank prints, under the same number."""
    return Writing(printable.key_sheet(printable.form_of(bank.items, bank.title)).encode(), ())
