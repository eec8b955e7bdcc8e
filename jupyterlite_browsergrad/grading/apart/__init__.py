"""Rubrics that a submission cannot reach: rubric and student code run in two interpreters, which exchange values.

::

    rubric's sandbox           grading process            student's sandbox
    rubric_side.py  ◀──text──▶  relay.py  ◀──text──▶  student_side.py
    link.py and its parts                             link.py and its parts

These run inside the sandboxes, where they are sent as text, and import nothing else of this package: `rubric_side.py`,
`student_side.py`, `clean.py`, `link.py` and its parts `values.py`, `protocols.py`, `mirrors.py`, `answers.py` and `raised.py`.
`relay.py` and `pool.py` run outside.
"""
