"""Runs one cell, for an ``execute_request``.

Source: "Messaging in Jupyter", section "Execute".
"""

from __future__ import annotations

import sys
from typing import Any

from . import interrupts, magics, messages, notebooks, packages, pip_lines, reserve


async def execute(kernel: Any, message: dict[str, Any], content: dict[str, Any], epoch: int) -> dict[str, Any]:
    """Run a cell, publish its output, and return the content of the reply.

    Parameters
    ----------
    kernel
        The kernel, for its shell and its `send`.
    message, content
        The request, and its checked content.
    epoch
        The number of the request; interrupts of this cell have the same number.
    """
    shell = kernel.shell
    silent = content.get("silent", False)
    store_history = content.get("store_history", True) and not silent
    count = shell.execution_count
    shell.shown, shell.result_failed = None, False
    shell.displayhook.cell = content["code"]
    if not silent:
        kernel.send("iopub", "execute_input", {"code": content["code"], "execution_count": count})
    error, expressions = None, {}
    reserve.hold()
    interrupts.begin(epoch)
    try:
        try:
            error, expressions = await interrupts.run_cell(_run(shell, message, content, silent, store_history))
        except BaseException as raised:
            # An interrupt between the cell and IPython's bookkeeping. Errors of the cell itself are shown by IPython.
            reserve.release(raised)
            error = raised
        if error is not None and shell.shown is None:
            handled = isinstance(error, shell.custom_exceptions)
            (shell.leave_to_handler if handled else shell.show_plainly)(error)
    finally:
        interrupts.end(epoch)
    failed = error is not None or shell.result_failed
    payload = shell.payload_manager.read_payload()
    shell.payload_manager.clear_payload()
    return {
        "status": "error" if failed else "ok",
        **(shell.shown if failed else {}),
        "execution_count": count,
        "user_expressions": expressions,
        "payload": payload,
    }


async def _run(
    shell: Any, message: dict[str, Any], content: dict[str, Any], silent: bool, store_history: bool
) -> tuple[BaseException | None, dict[str, Any]]:
    """Run the cell and then the user's expressions. Runs inside the cell's task."""
    code = content["code"]
    metadata = message.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    transformed, problem = code, None
    try:
        body = magics.take_limit(code)
        transformed = notebooks.await_run(pip_lines.await_pip(interrupts.call(shell.transform_cell, body)))
    except Exception:  # a user's transformer may raise anything; run_cell shows it
        problem = sys.exc_info()
    packages.look_again()
    await packages.load_imports(transformed, lambda body: interrupts.call(shell.transform_cell, body))
    result = None
    try:
        result = await shell.run_cell_async(
            code,
            store_history=store_history,
            silent=silent,
            transformed_cell=transformed,
            preprocessing_exc_tuple=problem,
            cell_id=metadata.get("cellId"),
            cell_meta=metadata,
        )
    finally:
        shown, failed = shell.shown, shell.result_failed
        shell.events.trigger("post_execute")
        if not silent:
            shell.events.trigger("post_run_cell", result)
        if shown is not None:  # a failing callback must not replace the cell's own error
            shell.shown, shell.result_failed = shown, failed
    error = result.error_before_exec or result.error_in_exec
    if error is not None or shell.result_failed or not content.get("user_expressions"):
        return error, {}
    wanted = content["user_expressions"]
    return None, messages.clean(interrupts.call(shell.user_expressions, wanted))
