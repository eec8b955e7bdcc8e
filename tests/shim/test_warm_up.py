"""What the kernel runs while it is idle changes nothing that a cell can see, and comes to an end."""

from __future__ import annotations

from .conftest import Client

CODE = """
import random, sys
from browsergrad_kernel import warm_up
kernel, shell = get_ipython().kernel, get_ipython()
def seen():
    return [sorted(globals()), shell.execution_count, sorted(sys.modules), random.getstate(), shell.history_manager.session_number, len(In)]
warm_up._left_s, before, parts = 0.1, seen(), 1
while kernel.get_ahead(0, False): parts += 1
[warm_up._run(shell) for each in range(4)]  # raises an error if something is wrong with its code
"""


def test_warming_up_ends_and_leaves_no_trace(client: Client) -> None:
    client.run("before = parts = None")
    assert client.run("5").result == "5"
    assert client.run(
        CODE + "[b == a for b, a in zip(before, seen())] == [True] * 6, _, parts > 1, warm_up.is_done()"
    ).result == ("(True, 5, True, True)")
