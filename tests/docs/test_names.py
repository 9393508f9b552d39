"""Names in the pages exist, and what exists has its place in the tables that promise to be complete."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import exconn_sync
from exconn_sync import ConfigBuilder, ExconnError, simulator, testing
from exconn_sync.config.settings import Reconnect, Timeouts
from tests.docs.pages import DOCS, ROOT, first_column, inline_code, name_of, pages, prose

_MEMBER = re.compile(r"(?P<owner>[A-Z]\w*[a-z]\w*)\.(?P<member>[a-z]\w*)(?:\(.*\))?")
_DOTTED = re.compile(r"exconn_sync(?:\.\w+)+")
# A logger, a distribution and the group of entry points are named like the package, but are no modules.
_NOT_MODULES = {"exconn_sync.drivers"}


def public_things() -> dict[str, Any]:
    things = {name: getattr(exconn_sync, name) for name in exconn_sync.__all__}
    return things | {name: getattr(beside, name) for beside in (simulator, testing) for name in beside.__all__}


def members(thing: Any) -> set[str]:
    """Return the attributes of a class and of its objects, as far as the class tells."""
    known = set(dir(thing))
    for base in inspect.getmro(thing):
        known |= set(getattr(base, "__annotations__", {})) | set(getattr(base, "__struct_fields__", ()))
        known |= attributes_set_in(base)
    return known


def attributes_set_in(kind: type) -> set[str]:
    """Return the names that the constructor of a class of ours sets on its object."""
    if not kind.__module__.startswith("exconn_sync") or "__init__" not in vars(kind) or is_dataclass(kind):
        return set()
    source = inspect.cleandoc("\n" + inspect.getsource(vars(kind)["__init__"]))
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_members_named_in_a_page_exist(page: Path) -> None:
    things = public_things()
    wrong = []
    for code in inline_code(page):
        found = _MEMBER.fullmatch(code)
        if found is not None and (
            found["owner"] not in things or found["member"] not in members(things[found["owner"]])
        ):
            wrong.append(code)
    assert not wrong


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_dotted_names_in_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in sorted(set(_DOTTED.findall(text)) - _NOT_MODULES):
        assert resolves(name), name


def resolves(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


def test_the_reference_has_every_public_name() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    shown = set(re.findall(r":: exconn_sync\.(?:simulator\.|testing\.)?(\w+)(?:\(\))?$", text, re.MULTILINE))
    assert set(public_things()) - shown == set()


def test_the_table_of_errors_is_complete() -> None:
    kinds = {
        name for name, thing in public_things().items() if inspect.isclass(thing) and issubclass(thing, ExconnError)
    }
    table = first_column(DOCS / "concepts" / "errors.md", "Error")
    assert sorted(table) == sorted(kinds - {"ExconnError"})


@pytest.mark.parametrize(
    ("page", "heading", "kind"),
    [
        ("configuration", "Method", ConfigBuilder),
        ("simulator", "`exchange.market`", simulator.MarketControl),
        ("simulator", "`exchange.accounts`", simulator.Accounts),
        ("simulator", "`exchange.faults`", simulator.Faults),
    ],
)
def test_tables_of_methods_are_complete(page: str, heading: str, kind: type) -> None:
    cells = first_column(DOCS / "guides" / f"{page}.md", heading)
    named = {name for cell in cells for name in re.findall(r"(\w+)\(", cell)}
    assert named == {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}


@pytest.mark.parametrize(("heading", "kind"), [("`timeouts`", Timeouts), ("`reconnect`", Reconnect)])
def test_tables_of_settings_show_the_defaults(heading: str, kind: type) -> None:
    rows = [line for line in prose(DOCS / "guides" / "configuration.md").splitlines() if line.startswith("| `")]
    shown: dict[str, float | None] = {}
    for name in first_column(DOCS / "guides" / "configuration.md", heading):
        row = next(line for line in rows if line.startswith(f"| `{name}` |"))
        values = row.rstrip("| ").rpartition("|")[2].split(",")
        for part, value in zip(re.findall(r"\w+", name), values, strict=True):
            shown[part] = None if value.strip() == "None" else float(value)
    defaults = kind()
    assert shown == {item.name: getattr(defaults, item.name) for item in fields(kind)}


def test_pages_speak_of_the_project_alone() -> None:
    """No path of a machine and no package index: such things rot first."""
    for page in [*pages(), *(ROOT / "changes").glob("*.md")]:
        found = re.findall(r"/work/|/tmp/|/home/|pypi|\.\./shared", page.read_text(encoding="utf-8"), re.IGNORECASE)
        assert not found, f"{name_of(page)}: {found}"
