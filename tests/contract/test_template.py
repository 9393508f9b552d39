"""The driver to copy passes the suite of all drivers, and users never find it."""

from __future__ import annotations

import pytest

from exconn_sync import Config, ValidationError, known_exchanges
from exconn_sync.exchanges._template import documented
from exconn_sync.exchanges._template.driver import DRIVER
from exconn_sync.testing.contract import DriverContract, Examples, Refusal


class TestTemplate(DriverContract):
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


@pytest.mark.parametrize("name", ["template", "_template"])
def test_it_is_never_found_by_name(name: str) -> None:
    assert name not in known_exchanges()
    with pytest.raises(ValidationError, match="is unknown"):
        Config.builder(name)
