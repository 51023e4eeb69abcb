"""Learners in the middle of an exam, as the tests of the quiz engine have them, and databases of one's own."""

from tests.backups.conftest import address
from tests.quizzes.conftest import begin

__all__ = ["address", "begin"]
