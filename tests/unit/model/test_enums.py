"""Words with a fixed meaning."""

from __future__ import annotations

from exconn_sync.model.enums import FactSource, OrderStatus, Side


def test_a_member_and_its_text_are_one_key() -> None:
    for member in (*Side, *OrderStatus, *FactSource):
        assert hash(member) == hash(member.value)
        assert {member: 1}[member.value] == 1
