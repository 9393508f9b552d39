"""A hub's limit on how often it starts a connector again can be exceeded by one that keeps failing."""

from __future__ import annotations

from exconn_sync._live.assembly import RESTART_PERIOD, RESTARTS
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync.hub import hub

NS = 1_000_000_000


def crash_until_the_end(tree: Tree, worker: str, life_ns: int) -> int:
    """Let a worker die at the end of each life; return after how many ns the tree gives up."""
    now_ns = 0
    while True:
        now_ns += life_ns
        decision = tree.on_exit(worker, True, now_ns)
        if decision.give_up:
            return now_ns
        assert now_ns < 1000 * NS, "never"
        now_ns += int(decision.delay * NS)


def test_a_connector_that_dies_at_each_start_is_given_up_by_its_hub() -> None:
    """(invariant I25)"""
    connector = Tree(Group("binance", "one_for_one", RESTARTS, RESTART_PERIOD, (Child("rest"),)))
    life_ns = crash_until_the_end(connector, "rest", 0)
    assert life_ns > 5 * NS
    root = Tree(Group("root", "one_for_one", hub.RESTARTS, hub.RESTART_PERIOD, (Child("binance"),)))
    assert crash_until_the_end(root, "binance", life_ns) < 60 * NS
