"""What SQLite does not say about the end of its write-ahead log: whether something that was written is missing.

SQLite reads the log up to the first frame that is not whole and ignores all after it without a word. That is right for
a frame that was being written when the process died. It is not where frames follow: then one that had been promised is
lost. Format: the SQLite documentation, "WAL-mode File Format", which has been fixed since 2010.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
_VERSION = 3007000


class WalReport(NamedTuple):
    """What a log holds.

    Attributes:
        whole: number of frames of whole transactions, from the beginning.
        cut: number of frames after them that belong to none: a write that was not finished.
        damaged_at: number of the first frame that is not whole although others follow it, counted from 1; 0 stands for
            the log's own header, None for no damage.
    """

    whole: int = 0
    cut: int = 0
    damaged_at: int | None = None


def examined(log: bytes) -> WalReport:
    """Return what a write-ahead log holds; an empty text is a log without any frame."""
    if len(log) <= _HEADER.size:
        return WalReport(cut=1 if 0 < len(log) < _HEADER.size else 0)
    magic, version, page_size, _, *rest = _HEADER.unpack_from(log)
    order = _MAGIC.get(magic)
    salts = (rest[0], rest[1])
    if order is None or version != _VERSION or _sums(log[:24], (0, 0), order) != tuple(rest[2:]):
        return WalReport(damaged_at=0)
    size = _FRAME.size + page_size
    count, left_over = divmod(len(log) - _HEADER.size, size)
    sums = (rest[2], rest[3])
    valid = whole = 0
    for index in range(count):
        begin = _HEADER.size + index * size
        _, commit, *of_frame = _FRAME.unpack_from(log, begin)
        expected = _sums(log[begin : begin + 8], sums, order)
        expected = _sums(log[begin + _FRAME.size : begin + size], expected, order)
        if (of_frame[0], of_frame[1]) != salts or expected != (of_frame[2], of_frame[3]):
            break
        sums, valid = expected, index + 1
        if commit:
            whole = valid
    return _judged(log, salts, size, valid, whole, left_over)


def _judged(log: bytes, salts: tuple[int, int], size: int, valid: int, whole: int, left_over: int) -> WalReport:
    """Tell a write that was not finished from damage, by what follows the valid frames.

    The frames of one generation of the log share two salts, and those of older ones, which may stand behind them, have
    neither: the first is counted up, the second is drawn anew.
    """
    first_bad = _HEADER.size + valid * size
    begun = 0
    for begin in range(first_bad, len(log) - left_over, size):
        of_frame = _FRAME.unpack_from(log, begin)[2:4]
        if begin > first_bad and of_frame == salts:
            return WalReport(whole, 0, valid + 1)
        if of_frame[0] == salts[0] or of_frame[1] == salts[1]:
            begun += 1
    has_stale = len(log) - left_over > first_bad and not begun
    is_partial = left_over > 0 and not has_stale
    return WalReport(whole, valid - whole + begun + is_partial)


def _sums(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """Continue the log's running sums over bytes, whose number is a multiple of 8."""
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for index in range(0, len(words), 2):
        first = (first + words[index] + second) & 0xFFFFFFFF
        second = (second + words[index + 1] + first) & 0xFFFFFFFF
    return first, second
