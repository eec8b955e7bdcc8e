"""Keeps rubrics out of a submission's reach: rubric and student code run in two interpreters, which exchange values.

::

    rubric's sandbox           grading process            student's sandbox
    rubric_side.py  ◀──text──▶  relay.py  ◀──text──▶  student_side.py
    link.py and its parts                             link.py and its parts

Some modules are sent to the sandboxes as text and run there. They import nothing else of this package: `rubric_side.py`,
`student_side.py`, `clean.py`, and `link.py` with its parts `values.py`, `protocols.py`, `mirrors.py`, `answers.py` and
`raised.py`. All other modules run in the grading process.
"""
