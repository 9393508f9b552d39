"""``python -m exconn_sync.persistence FILE``: print a journal as JSON lines and a summary, also a damaged one.

One line a record on the standard output: its number as ``record``, its kind as ``what``, and the fields it states.
The last line is the summary, with ``summary`` as its only key. Exit code 0 for a whole journal, 1 for a damaged one, 2
where it cannot be read at all. ``--repair`` sets a damaged journal aside and puts what can be read in its place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from exconn_sync._machines.order_fold import fold
from exconn_sync.errors import ExconnError
from exconn_sync.model.account import Fact
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.persistence.codec import kind_of, to_text
from exconn_sync.persistence.salvage import Salvage, repair, salvaged


def main(arguments: list[str]) -> int:
    """Print what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m exconn_sync.persistence", description="Print a journal.")
    parser.add_argument("file", type=Path, help="the file of a journal")
    parser.add_argument("--summary", action="store_true", help="print the summary only")
    parser.add_argument("--repair", action="store_true", help="set a damaged journal aside and go on with the rest")
    options = parser.parse_args(arguments)
    try:
        aside = None
        if options.repair:
            found, aside = repair(options.file)
        else:
            found = salvaged(options.file)
    except ExconnError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not options.summary:
        for number, fact in found.facts.items():
            fields = json.loads(to_text(fact))
            sys.stdout.write(json.dumps({"record": number, "what": kind_of(fact), **fields}) + "\n")
    told = summary(found)
    if aside is not None:
        told["set_aside"] = str(aside)
    sys.stdout.write(json.dumps({"summary": told}) + "\n")
    return 1 if found.damage and aside is None else 0


def summary(found: Salvage) -> dict[str, object]:
    """Return what a journal holds in short; equal ``state`` means an equal state, bit for bit."""
    facts = list(found.facts.values())
    trades = {(fact.symbol, fact.trade_id, fact.exchange_order_id) for fact in facts if isinstance(fact, Fill)}
    kinds = Counter(kind_of(fact) for fact in facts)
    times = [fact.received_at for fact in facts]
    return {
        "records": len(facts),
        "kinds": dict(sorted(kinds.items())),
        "orders": dict(sorted(Counter(statuses(facts)).items())),
        "fills": len(trades),
        "first": min(times, default=None),
        "last": max(times, default=None),
        "state": hashlib.sha256("\n".join(sorted({to_text(fact) for fact in facts})).encode()).hexdigest()[:16],
        "damage": found.damage,
        "cut": found.log.cut,
        "in_use": found.is_in_use,
    }


def statuses(facts: list[Fact]) -> list[str]:
    """Return the status of each order, as its facts and fills add up to."""
    by_order: defaultdict[tuple[str, str], list[OrderFact | Fill]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    for fact in facts:
        if isinstance(fact, OrderFact):
            by_order[fact.symbol, fact.client_order_id].append(fact)
            if fact.exchange_order_id is not None:
                names.setdefault((fact.symbol, fact.exchange_order_id), fact.client_order_id)
    for fact in facts:
        if isinstance(fact, Fill) and (fact.symbol, fact.exchange_order_id) in names:
            by_order[fact.symbol, names[fact.symbol, fact.exchange_order_id]].append(fact)
    return [fold(known).status.value for known in by_order.values()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
