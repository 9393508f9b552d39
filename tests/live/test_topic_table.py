"""What is wanted outlives a connection; what was acknowledged dies with it."""

from __future__ import annotations

from exconn_sync._live.topic_table import TopicTable
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic

TRADES = Topic(Channel.TRADE, "BTC-USDT")
BOOK = Topic(Channel.ORDER_BOOK, "BTC-USDT")


def acknowledged(*topics: Topic) -> TopicTable:
    table = TopicTable()
    for topic in topics:
        table.want(topic)
    table.sent(1, topics, is_subscribe=True, now_ns=0)
    table.answered(1, is_success=True)
    return table


def test_a_topic_is_asked_for_once_and_settled_by_its_answer() -> None:
    table = TopicTable()
    table.want(TRADES)
    assert table.to_subscribe() == [TRADES]
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    assert table.to_subscribe() == []
    before = table.is_settled
    table.answered(1, is_success=True)
    assert (before, table.is_settled) == (False, True)
    assert table.is_acknowledged(TRADES)


def test_everything_wanted_is_asked_for_again_on_a_new_connection() -> None:
    table = acknowledged(TRADES, BOOK)
    table.reset()
    assert not table.is_settled
    assert table.to_subscribe() == sorted([TRADES, BOOK], key=lambda topic: topic.channel.value)


def test_a_shared_topic_ends_with_its_last_subscriber() -> None:
    table = acknowledged(TRADES)
    table.want(TRADES)
    table.release(TRADES)
    assert table.to_unsubscribe() == []
    table.release(TRADES)
    assert table.to_unsubscribe() == [TRADES]
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.to_unsubscribe() == []
    table.answered(2, is_success=True)
    assert not table.is_acknowledged(TRADES)


def test_a_topic_wanted_again_while_it_is_being_ended_is_subscribed_afterwards() -> None:
    table = acknowledged(TRADES)
    table.release(TRADES)
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    table.want(TRADES)
    assert table.to_subscribe() == []
    table.answered(2, is_success=True)
    assert table.to_subscribe() == [TRADES]


def test_a_refused_topic_is_not_asked_for_again_on_the_same_connection() -> None:
    table = TopicTable()
    table.want(TRADES)
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    assert table.to_subscribe() == []
    assert table.is_settled
    table.reset()
    assert table.to_subscribe() == [TRADES]


def test_a_request_without_an_answer_becomes_overdue() -> None:
    table = TopicTable()
    table.want(TRADES)
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    assert table.overdue(10, 10) == []
    assert [request.topics for request in table.overdue(11, 10)] == [(TRADES,)]


def test_a_release_that_overtakes_its_want_leaves_the_others_alone() -> None:
    table = acknowledged(TRADES)
    table.release(BOOK)
    table.want(BOOK)
    assert table.wanted == {TRADES}
    assert table.to_subscribe() == []
    table.want(BOOK)
    assert table.to_subscribe() == [BOOK]


def test_an_answer_to_nothing_is_recognized_as_such() -> None:
    assert TopicTable().answered(99, is_success=True) is None
