"""With what and on what something was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions(packages: Sequence[str]) -> list[str]:
    """Return one line for the machine, one for Python, and one for each package."""
    lines = [
        f"measured on {datetime.now(timezone.utc):%Y-%m-%d} on {processor()}, {os.cpu_count()} cores",
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}",
    ]
    return lines + [f"{package} {_version(package)}" for package in packages]


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed"
