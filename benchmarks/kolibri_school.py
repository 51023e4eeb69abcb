"""A class, its learners and its exams for a new Kolibri: the input of ``kolibri manage shell``.

Prints the exams' ids, one a line. The questions need not exist as content: an answer names them by id alone.
"""

from __future__ import annotations

import os
import uuid

from kolibri.core.auth.models import Classroom, Facility, FacilityUser
from kolibri.core.exams.models import Exam, ExamAssignment

facility = Facility.objects.get()
teacher = FacilityUser.objects.get(username="teacher")
room = Classroom.objects.create(parent=facility, name="Class")
for number in range(int(os.environ["LEARNERS"])):
    learner = FacilityUser(username=f"learner{number}", facility=facility)
    learner.set_password(os.environ["PASSWORD"])
    learner.save()
    room.add_member(learner)
for number in range(int(os.environ["EXAMS"])):
    questions = [
        {"exercise_id": uuid.uuid4().hex, "question_id": uuid.uuid4().hex, "title": "", "counter_in_exercise": place}
        for place in range(65)
    ]
    section = {"section_id": uuid.uuid4().hex, "section_title": "", "description": "", "questions": questions}
    exam = Exam.objects.create(
        title=f"Exam {number}",
        collection=room,
        creator=teacher,
        question_count=len(questions),
        question_sources=[section],
        data_model_version=3,
        active=True,
    )
    ExamAssignment.objects.create(exam=exam, collection=room, assigned_by=teacher)
    print(f"exam {exam.id}")
