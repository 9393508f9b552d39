"""Copies the template of a driver under a new name: ``python -m exconn_sync.testing.template my_exchange [folder]``."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from exconn_sync.ports.registry import known_exchanges

_TEMPLATE = "exconn_sync.exchanges._template"
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_SUITE = '''"""The driver holds the contract of exconn_sync."""

from {name} import documented
from {name}.driver import DRIVER

from exconn_sync.testing.contract import DriverContract, Examples, Refusal


class Test{title}(DriverContract):
    driver = DRIVER
    examples = Examples(
        symbol=documented.SYMBOL,
        client_order_id=documented.CLIENT_ORDER_ID,
        exchange_order_id=documented.EXCHANGE_ORDER_ID,
        answers=documented.ANSWERS,
        frames=documented.FRAMES,
        account_frames=documented.ACCOUNT_FRAMES,
        control_frames=documented.CONTROL_FRAMES,
        refusals=[Refusal(*row) for row in documented.REFUSALS],
        unknown_refusal=documented.UNKNOWN_REFUSAL,
    )
'''


def copy_template(name: str, folder: Path) -> list[Path]:
    """Write a package ``name`` and the test of it into a folder; return what was written.

    Raises:
        ValueError: the name is no plain lower-case word, or means something else already.
        FileExistsError: something of that name is there already; nothing is written over.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no name for an exchange: lower-case letters, digits and underscores")
    title = "".join(word.capitalize() for word in name.split("_"))
    package, suite = folder / name, folder / f"test_{name}.py"
    if suite.exists():
        raise FileExistsError(f"{suite} exists")
    if name in known_exchanges() or name in sys.stdlib_module_names:
        raise ValueError(f"{name!r} is taken: by an exchange that is known already, or by a module of Python")
    package.mkdir(parents=True)
    written = []
    for source in sorted(_folder().glob("*.py")):
        text = source.read_text(encoding="utf-8").replace(_TEMPLATE, name)
        text = text.replace('EXCHANGE = "template"', f'EXCHANGE = "{name}"').replace("Template", title)
        written.append(_write(package / source.name, text))
    return [*written, _write(suite, _SUITE.format(name=name, title=title))]


def _folder() -> Path:
    found = find_spec(_TEMPLATE)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"{_TEMPLATE} is not installed")
    return Path(found.submodule_search_locations[0])


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Copy the template, or say why not; return the exit status."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m exconn_sync.testing.template NAME [FOLDER]\n")
        return 2
    try:
        written = copy_template(arguments[0], Path(*arguments[1:]))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
