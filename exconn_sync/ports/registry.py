"""Finding drivers by name: the folders of ``exconn_sync.exchanges``, registered ones, and installed entry points."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from exconn_sync.errors import ValidationError
from exconn_sync.ports.driver import ExchangeDriver

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "exconn_sync.drivers"
_PACKAGE = "exconn_sync.exchanges"

_registered: dict[str, ExchangeDriver] = {}


def register_driver(driver: ExchangeDriver) -> None:
    """Make a driver known under its name, before a Config is built with it. A registered one wins over a folder."""
    _registered[driver.name] = driver


def known_exchanges() -> list[str]:
    """Return the names for which a driver can be found, sorted."""
    names = set(_registered) | set(_folders())
    names.update(point.name for point in _entry_points())
    return sorted(names)


def find_driver(name: object) -> ExchangeDriver:
    """Return the driver of an exchange.

    Raises:
        ValidationError: no driver of that name; the message lists the known ones.
    """
    if isinstance(name, str):
        if name in _registered:
            return _registered[name]
        if name in _folders():
            driver: ExchangeDriver = importlib.import_module(f"{_PACKAGE}.{name}.driver").DRIVER
            return driver
        for point in _entry_points():
            if point.name == name:
                loaded: ExchangeDriver = point.load()
                return loaded
    raise ValidationError("exchange", name, "is unknown; known exchanges: " + ", ".join(known_exchanges()))


def _entry_points() -> list[EntryPoint]:
    # Imported here: it costs more than half of this package's own import, and folders come first.
    from importlib.metadata import entry_points

    return list(entry_points(group=ENTRY_POINT_GROUP))


def _folders() -> list[str]:
    package = find_spec(_PACKAGE)
    paths = package.submodule_search_locations if package is not None else None
    found = pkgutil.iter_modules(paths) if paths is not None else ()
    return [item.name for item in found if item.ispkg and not item.name.startswith("_")]
