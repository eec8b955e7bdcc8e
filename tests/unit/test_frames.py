"""Frames on the pipes to Deno are read whole, or refused."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterlite_browsergrad.server_kernel import frames


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()), st.lists(st.binary()))
def test_a_frame_comes_back_whole(content: dict[str, object], buffers: list[bytes]) -> None:
    frame = {"type": "message", "content": content}
    stream = io.BytesIO(frames.encode(frame, buffers) * 2)
    for _ in range(2):
        found, parts = frames.read(stream) or ({}, [])
        assert found["content"] == content and parts == buffers
    assert frames.read(stream) is None


@given(st.binary(max_size=200))
def test_noise_is_refused_or_too_short(data: bytes) -> None:
    with contextlib.suppress(frames.FrameError):
        assert frames.read(io.BytesIO(data)) is None


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"1",
        b"{}",
        b'{"type": 1, "buffers": []}',
        b'{"type": "a", "buffers": [5]}',
        b'{"type": "a", "buffers": [-1, 1]}',
        b'{"type": "a", "buffers": 1}',
    ],
)
def test_a_frame_whose_parts_do_not_fit_is_refused(text: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.read(io.BytesIO(frames.HEAD.pack(len(text), 0) + text))
