"""Changes micropip's downloads: an address that answers with an error is named, with the status.

micropip takes whatever a server answers for the wheel. A page that says *not found* is then "not a zip file".

Replaced, in micropip 0.9 (Pyodide 0.27) to 0.11 (Pyodide 314):

- ``pyfetch``, as micropip's own module sees it, so that it raises an error for a status from 400 on;
- ``WheelInfo._fetch_bytes``, which takes each such error for one of CORS.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from .pip_options import PipError


def install() -> None:
    """Change a micropip that has just been imported. Does nothing outside of Pyodide, where micropip has other functions."""
    try:
        from micropip._compat import _compat_in_pyodide as functions
        from pyodide.http import HttpStatusError
    except ImportError:
        return
    from micropip.wheelinfo import WheelInfo

    pyfetch, fetch_bytes = functions.pyfetch, WheelInfo._fetch_bytes

    async def fetch_or_raise(url: str, **options: Any) -> Any:
        response = await pyfetch(url, **options)
        response.raise_for_status()
        return response

    async def fetch_bytes_or_say_why(self: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await fetch_bytes(self, url, *args, **kwargs)
        except (OSError, ValueError) as error:
            cause = error if isinstance(error, HttpStatusError) else error.__cause__
            if not isinstance(cause, HttpStatusError):
                raise
            if url != self.url:
                raise cause from None  # metadata beside the wheel: micropip reads it from the wheel instead
            raise PipError(explain(url, cause.status)) from None

    functions.pyfetch = fetch_or_raise
    WheelInfo._fetch_bytes = fetch_bytes_or_say_why


def explain(url: str, status: int) -> str:
    """Say that an address answers with an error, and what to do."""
    try:
        phrase = f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:  # a status of the server's own
        phrase = str(status)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        advice = "there is no such file: check the address"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        advice = "the server has failed: try again later"
    else:
        advice = "the server does not give the file to this page"
    return f"{url} cannot be installed: its server answers {phrase}; {advice}"
