"""Tables and a picture of what a run has measured, and their place in the documentation."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

_DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = _DOCS / "concepts" / "hot_path.md"
PICTURE = _DOCS / "concepts" / "hot_path.svg"
_BEGIN, _END = "<!-- begin market -->", "<!-- end market -->"
_OURS, _LIMIT = "exconn_sync", "limit"

Figures = dict[str, list[dict[str, Any]]]


def middle(results: list[dict[str, Any]], name: str) -> float:
    """Return the median of a figure."""
    return float(median(result[name] for result in results))


def _spread(results: list[dict[str, Any]], name: str, scale: float = 1.0) -> str:
    figures = [result[name] / scale for result in results]
    return f"{min(figures):,.0f} to {max(figures):,.0f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])


def _base_of(name: str, figures: Figures) -> str:
    """Return the name of ours that a client is compared with: on the same exchange."""
    bybit = f"{_OURS}, Bybit"
    return bybit if (name == "pybit" or name.endswith("Bybit")) and bybit in figures else _OURS


def speeds(figures: Figures) -> str:
    """Return the table of a section at full speed."""
    rows = []
    for name, results in figures.items():
        base = figures.get(_base_of(name, figures), results)
        counted = sum(result["count"] for result in results) / sum(result["sent"] for result in results)
        rows.append(
            [
                name,
                f"{middle(results, 'rate'):,.0f}",
                _spread(results, "rate"),
                f"{middle(base, 'rate') / max(middle(results, 'rate'), 1e-9):.2f}",
                f"{middle(results, 'cpu_ns') / 1000:.2f}",
                f"{middle(results, 'cpu_ns') / middle(base, 'cpu_ns'):.2f}",
                f"{counted:.0%}",
            ]
        )
    header = ["client", "a second", "smallest to largest", "ours is so many times as fast", "CPU, us each",
              "CPU, times ours", "came"]  # fmt: skip
    return _table(header, rows)


def latencies(sections: dict[str, Figures]) -> str:
    """Return one table over all rates: microseconds from sending to the callback."""
    names = list(dict.fromkeys(name for figures in sections.values() for name in figures))
    rows = []
    for name in names:
        row = [name]
        for figures in sections.values():
            results = [result for result in figures.get(name, []) if "p50" in result]
            row.append(
                f"{middle(results, 'p50') / 1000:,.0f} / {middle(results, 'p99') / 1000:,.0f}" if results else "-"
            )
        rows.append(row)
    return _table(["client", *(f"{int(name.split()[1]):,} a second: p50 / p99, us" for name in sections)], rows)


def imports(figures: Figures) -> str:
    """Return the table of imports."""
    rows = [
        [name, f"{middle(results, 'cpu_ns') / 1e6:,.0f}", _spread(results, "cpu_ns", 1e6),
         f"{middle(results, 'resident_kib') / 1024:.1f}"]
        for name, results in figures.items()
    ]  # fmt: skip
    return _table(["client", "CPU of the import, ms", "smallest to largest", "resident memory after it, MiB"], rows)


def tables(results: dict[str, Figures], versions: dict[str, str]) -> str:
    """Return all tables of what was measured."""
    parts = [_about(versions)]
    if "trades" in results:
        parts += ["### Trades at full speed", speeds(results["trades"])]
    if "books" in results:
        parts += ["### Changes of a book, best bid and ask read after each", speeds(results["books"])]
    rates = {name: figures for name, figures in results.items() if name.startswith("latency")}
    if rates:
        parts += ["### From sending to the callback", latencies(rates)]
    if "subscribers" in results:
        one, ten = (middle(results["subscribers"][name], "cpu_ns") for name in ("1", "10"))
        parts += [
            "### Ten subscribers",
            f"CPU of a trade: {one:,.0f} ns with one, {ten:,.0f} ns with ten: {ten / one:.2f} times.",
        ]
    if "imports" in results:
        parts += ["### Import", imports(results["imports"])]
    if "memory" in results:
        found = [[name, f"{middle(each, 'kib'):,.0f}"] for name, each in results["memory"].items()]
        parts += ["### Memory of a further book of 1,000 levels a side", _table(["client", "KiB"], found)]
    return "\n\n".join(parts)


def _about(versions: dict[str, str]) -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    shown = ", ".join(
        f"{name} {version}" for name, version in versions.items() if name != _LIMIT and "Bybit" not in name
    )
    load = os.getloadavg()[0]
    return (
        f"Measured on {datetime.now(timezone.utc):%Y-%m-%d} on {model}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}, load {load:.1f}. {shown}."
    )


def picture(figures: Figures) -> str:
    """Return bars of the trades a second."""
    rates = {name: middle(results, "rate") for name, results in figures.items()}
    most = max(rates.values())
    height = 26 * len(rates) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="760" height="{height}" fill="white"/>',
    ]
    for row, (name, rate) in enumerate(sorted(rates.items(), key=lambda pair: -pair[1])):
        y, colour = 10 + 26 * row, "#2a7" if name.startswith(_OURS) else "#999" if name.startswith(_LIMIT) else "#58a"
        lines.append(f'<text x="160" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect x="168" y="{y + 2}" width="{max(1, 480 * rate / most):.0f}" height="18" fill="{colour}"/>')
        lines.append(f'<text x="{174 + 480 * rate / most:.0f}" y="{y + 15}">{rate:,.0f}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def write(results: dict[str, Figures], versions: dict[str, str]) -> None:
    """Put the tables between the marks of the page, and the picture beside it."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has no place for the tables")
    PAGE.write_text(f"{before}{begin}\n\n{tables(results, versions)}\n\n{end}{after}", encoding="utf-8")
    if "trades" in results:
        PICTURE.write_text(picture(results["trades"]), encoding="utf-8")
