"""Rubrics that a submission can't reach: rubric and student code in two interpreters, between which values travel.

::

    rubric's sandbox           grading process            student's sandbox
    rubric_side.py  ◀──text──▶  relay.py  ◀──text──▶  student_side.py
    link.py, values.py                                link.py, values.py

`values.py`, `link.py`, `rubric_side.py` and `student_side.py` run inside the sandboxes, where they are sent as text; they import
nothing else of this package. `relay.py` and `pool.py` run outside.
"""
