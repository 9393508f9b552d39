"""Client order ids of several processes and of a fork differ (fault F101)."""

from __future__ import annotations

import json

from tests.process.support import run

PLACE = """
    REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")

    def place(count):
        with Connector(make_config()) as own:
            own.wait_ready(20)
            return [own.place_order(REQUEST).client_order_id for _ in range(count)]
"""

FORKING = (
    PLACE
    + """
    import warnings
    # Python 3.12 and later warn of any fork beside threads: this test is about what comes of it.
    warnings.simplefilter("ignore", DeprecationWarning)
    connector = Connector(make_config())
    connector.start()
    connector.wait_ready(20)
    made = [connector.place_order(REQUEST).client_order_id]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # The one that was inherited, started anew, and another one.
            connector.start()
            connector.wait_ready(20)
            ids = [connector.place_order(REQUEST).client_order_id for _ in range(5)] + place(3)
            connector.stop()
            os.write(writer, json.dumps(ids).encode())
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    made += [connector.place_order(REQUEST).client_order_id for _ in range(5)]
    with os.fdopen(reader) as answers:
        theirs = json.loads(answers.read())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    connector.stop()
    print(json.dumps([made, theirs]))
"""
)


def test_a_process_its_fork_and_another_process_make_different_ids(exchange: str) -> None:
    """All of them place at one account, and no id is refused as a duplicate (fault F101)."""
    first = run(FORKING, exchange, limit=60)
    assert first.code == 0, first.err
    made, theirs = json.loads(first.out)
    other = run(PLACE + "\n    print(json.dumps(place(5)))\n", exchange, limit=60)
    assert other.code == 0, other.err
    ids = [*made, *theirs, *json.loads(other.out)]
    assert (len(made), len(theirs), len(ids)) == (6, 8, 19)
    assert len(set(ids)) == len(ids)
