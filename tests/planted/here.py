"""A plugin of pytest: the copy with the bug is tested, not the installed library, and any failure will do."""

from __future__ import annotations

from pathlib import Path

from hypothesis import Phase, settings


def pytest_configure() -> None:
    # After the settings of the tests and before they are collected. The smallest example is of no interest here.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("planted", settings.get_profile("any machine"), phases=phases)
    settings.load_profile("planted")


def pytest_collection_finish() -> None:
    import exconn_sync

    assert Path(exconn_sync.__file__).is_relative_to(Path.cwd()), exconn_sync.__file__
