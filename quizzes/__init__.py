"""The quiz engine: banks of items, exams drawn by blueprint, attempts that lose no answer, and their reports."""
