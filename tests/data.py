"""Recorded and documented payloads, which live outside of the repository."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_VARIABLE = "EXCONN_TEST_DATA"
_BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_path(*parts: str) -> Path:
    """Return the path of a piece of test data; without it the test is skipped."""
    root = Path(os.environ.get(_VARIABLE) or _BESIDE_REPOSITORY)
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs test data that is not here: {'/'.join(parts)} (set {_VARIABLE} to its folder)")
    return path


def read_json(*parts: str) -> Any:
    """Return a JSON file of the test data."""
    return json.loads(data_path(*parts).read_text(encoding="utf-8"))


def recorded_lines(*parts: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a recording."""
    with gzip.open(data_path(*parts), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def documented_files() -> dict[str, Path]:
    """Return Binance's example payloads by ``folder/name``; an empty table without the test data."""
    root = Path(os.environ.get(_VARIABLE) or _BESIDE_REPOSITORY) / "docs_examples" / "binance_spot"
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(root.rglob("*.json"))}


def documented_payloads() -> list[bytes]:
    """Return Binance's example payloads, or an empty list without the test data."""
    return [path.read_bytes() for path in documented_files().values()]


def recorded_payloads(count: int = 200) -> list[bytes]:
    """Return the first frames of Binance's recordings, long ones left out, or an empty list without the test data."""
    folder = Path(os.environ.get(_VARIABLE) or _BESIDE_REPOSITORY) / "recordings" / "binance_spot"
    found = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line)["raw"].encode() for line in itertools.islice(lines, count)]
    return [payload for payload in found if len(payload) < 10_000]
