"""A table of instruments remembers what is not listed any more, for the orders that are left of it."""

from __future__ import annotations

from exconn_sync.model.instrument import Instrument, Instruments


def make_instrument(base: str) -> Instrument:
    return Instrument(exchange="binance", symbol=f"{base}-USDT", exchange_symbol=f"{base}USDT", base=base, quote="USDT")


def test_a_table_remembers_what_left_until_it_is_back() -> None:
    tables = [Instruments("binance", [make_instrument(name) for name in names]) for names in ("AB", "B", "", "A")]
    known: Instruments | None = None
    for table in tables[:3]:
        known = table.after(known)
    assert known is not None
    assert len(known) == 0
    assert "A-USDT" not in known
    assert [known.of_order(f"{name}-USDT").exchange_symbol for name in "ABC"] == ["AUSDT", "BUSDT", "C-USDT"]
    assert [known.canonical(f"{name}USDT") for name in "ABC"] == ["A-USDT", "B-USDT", "CUSDT"]
    back = tables[3].after(known)
    assert back.get("A-USDT") is tables[3].get("A-USDT") is back.of_order("AUSDT")
    assert len(tables[0]) == 2, "no table is changed"
