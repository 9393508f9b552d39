"""Mistakes in the store, the journal and the delivery of fills."""

from __future__ import annotations

from tests.planted.bug import Bug

_STORE = "exconn_sync/_store/account_store.py"
_OF_STORE = ("tests/unit/store/test_account_store.py",)

BUGS = (
    Bug(
        "key fills by trade id only",
        "a trade between two orders of the account is a fill of one of them",
        "exconn_sync/_store/told.py",
        "    return fact.symbol, fact.trade_id, fact.exchange_order_id\n",
        '    return fact.symbol, fact.trade_id, ExchangeOrderId("")\n',
        ("tests/integration/test_account.py::test_a_trade_between_two_orders_of_the_account_is_a_fill_of_each",),
    ),
    Bug(
        "balance as last heard",
        "an older statement of a balance replaces a newer one",
        "exconn_sync/_store/told.py",
        "        return fact.exchange_time > known.exchange_time\n",
        "        return True\n",
        _OF_STORE,
    ),
    Bug(
        "fill before its order is lost",
        "a fill of an order that is not known yet is not kept for it",
        _STORE,
        "            self._orphans.setdefault((fill.symbol, fill.exchange_order_id), []).append(fill)\n",
        "            self._orphans.pop((fill.symbol, fill.exchange_order_id), None)\n",
        _OF_STORE,
    ),
    Bug(
        "fill told each time",
        "a fill is delivered as often as somebody reports it",
        _STORE,
        "        if known is None and not self._positions.is_archived(fill):\n",
        "        if not is_news or known is None:\n",
        _OF_STORE,
    ),
    Bug(
        "delivered and told again",
        "fills that were delivered are told again after a restart",
        _STORE,
        "if isinstance(fill, Fill) and fill_key(fill) not in delivered]",
        "if isinstance(fill, Fill) and delivered is not fill]",
        (
            "tests/integration/test_sqlite_journal.py::"
            "test_the_next_connector_finds_its_orders_and_tells_each_fill_once",
        ),
    ),
    Bug(
        "intent not kept",
        "an order is sent whose intent is in no journal",
        _STORE,
        "            self.keeper.keep_intent(intent)\n",
        "            self.keeper.missed.bit_length()\n",
        ("tests/integration/test_sqlite_journal.py::test_an_intent_that_cannot_be_kept_is_not_sent_and_cancels_are",),
    ),
    Bug(
        "numbers begin anew",
        "the numbers of an order's states begin anew after a restart",
        _STORE,
        "self._states[name] = varied(self._states[name], sequence=record.news)",
        "self._states[name] = varied(self._states[name], sequence=1)",
        _OF_STORE,
    ),
    Bug(
        "fact of a full disk is lost",
        "what the journal could not take is not given to it again",
        "exconn_sync/_store/keeper.py",
        "        if isinstance(error, ExconnError) and error.retryable:\n            self._missed.append(fact)\n",
        "        if error is not None:\n            return\n",
        ("tests/unit/store/test_account_store.py", "tests/integration/test_sqlite_journal.py"),
    ),
    Bug(
        "wait ends at once",
        "whoever waits for an order is told that it is as wanted",
        _STORE,
        "            if until(state):\n                return state\n",
        "            if until(state) or not is_closed:\n                return state\n",
        _OF_STORE,
    ),
    Bug(
        "told and not kept",
        "what the exchange says never reaches the journal",
        _STORE,
        "        while told.kept < len(told.facts):\n",
        "        while told.kept < 0:\n",
        _OF_STORE,
    ),
    Bug(
        "intent overtaken",
        "what becomes known of an order while the journal keeps its intent is told before the order itself",
        _STORE,
        "self.desk.put([*self._held.before(told), told])",
        "self.desk.put([told])",
        _OF_STORE,
    ),
    Bug(
        "checksum not looked at",
        "a damaged record is read as if it were what was written",
        "exconn_sync/persistence/records.py",
        "    if _sum(number, kind, body) != checksum:\n",
        "    if _sum(number, kind, body) == number:\n",
        ("tests/unit/persistence/test_damage.py",),
    ),
    Bug(
        "missing record not noticed",
        "a record that is gone leaves no gap",
        "exconn_sync/persistence/records.py",
        "        if record.number != expected:\n",
        "        if record.number < expected:\n",
        ("tests/unit/persistence/test_damage.py",),
    ),
    Bug(
        "second writer let in",
        "two processes write to one journal",
        "exconn_sync/persistence/writer_lock.py",
        "        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)\n",
        ("tests/unit/persistence/test_sqlite.py",),
    ),
    Bug(
        "numbers as floats in the journal",
        "a journal holds binary floats instead of the text of a number",
        "exconn_sync/persistence/codec.py",
        "        return str(value)\n    if isinstance(value, TextEnum):",
        "        return repr(float(value))\n    if isinstance(value, TextEnum):",
        ("tests/unit/persistence/test_codec.py",),
    ),
    Bug(
        "compaction drops fills",
        "putting a journal in short loses fills",
        "exconn_sync/persistence/compaction.py",
        "        elif not isinstance(fact, BalanceChange) and fact not in seen:\n",
        "        elif hasattr(fact, 'status') and fact not in seen:\n",
        ("tests/unit/persistence/test_sqlite.py",),
    ),
)
