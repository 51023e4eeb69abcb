"""GIFT, the text format of Moodle's questions: ``read`` and ``write``."""

from quizzes.formats.gift_reader import read
from quizzes.formats.gift_writer import write

__all__ = ["read", "write"]
