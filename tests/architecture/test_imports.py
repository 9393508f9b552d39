"""The direction of the arrows: every import, also those for type checking only, points down or stays in its room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "exconn_sync"
SIDE_BY_SIDE = ("_runtime", "_transport", "persistence", "risk", "metrics", "exchanges")
BASE = {"errors", "model"}
LOW = BASE | {"_machines", "ports"}

ALLOWED = {
    "errors": set(),
    "model": {"errors"},
    "_machines": BASE,
    "ports": BASE,
    "config": BASE | {"ports"},
    "_runtime": LOW | {"config"},
    "_transport": LOW | {"config"},
    "persistence": LOW | {"config"},
    "risk": LOW | {"config"},
    "metrics": LOW | {"config"},
    "exchanges": BASE | {"ports"},
    "_store": LOW | {"config", "_runtime", "persistence"},
    "_live": LOW | {"config", *SIDE_BY_SIDE, "_store"} - {"exchanges"},
    "connector": LOW | {"config", "_runtime", "_transport", "persistence", "risk", "metrics", "_store", "_live"},
    "hub": LOW | {"config", "_runtime", "connector"},
    "simulator": LOW | {"config", *SIDE_BY_SIDE, "_store"},
    "testing": LOW | {"config", *SIDE_BY_SIDE, "_store", "simulator"},
    # The top lists every public name, wherever it lives.
    "__init__": LOW | {"config", *SIDE_BY_SIDE, "_store", "_live", "connector", "hub"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module of the package that a file imports, anywhere in it, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def is_ours(name: str) -> bool:
    return name == "exconn_sync" or name.startswith("exconn_sync.")


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    wrong = []
    for name, line in imports(path):
        if not is_ours(name):
            continue
        target = name.split(".")[1] if "." in name else "__init__"
        if target != room and target not in ALLOWED[room]:
            wrong.append(f"line {line}: {room} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_room_has_its_place_in_the_table() -> None:
    assert {room_of(path) for path in modules()} <= set(ALLOWED)


def test_no_exchange_is_named_outside_its_folder_and_the_simulator() -> None:
    found = [
        f"{dotted(path)}:{line} {name}"
        for path in modules()
        if room_of(path) not in ("exchanges", "simulator")
        for name, line in imports(path)
        if name.startswith("exconn_sync.exchanges")
    ]
    assert not found


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    known = {dotted(path) for path in modules()}
    graph: dict[str, set[str]] = {}
    for path in modules():
        own = dotted(path)
        targets = set()
        for name, _ in top_level_imports(path):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != own:
                targets.add(target)
        graph[own] = targets
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")
    assert len(order) == len(graph)


def top_level_imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the imports that run when the module is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno


def test_threads_are_created_in_one_place() -> None:
    """``Thread(`` stands in the runtime's thread module and in the simulator's server, nowhere else."""
    makers = sorted(
        {
            dotted(path)
            for path in modules()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and (
                (isinstance(node.func, ast.Name) and node.func.id in ("Thread", "Timer", "ThreadPoolExecutor"))
                or (
                    isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("Thread", "Timer", "ThreadPoolExecutor", "start_new_thread")
                )
            )
        }
    )
    assert makers == ["exconn_sync._runtime.threads", "exconn_sync.simulator.server"]


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
