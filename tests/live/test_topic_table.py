"""What one connection was asked for: answers, lost answers, refusals, and what the data say."""

from __future__ import annotations

import pytest

from exconn_sync._live.topic_table import TopicTable
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic

TRADES = Topic(Channel.TRADE, "BTC-USDT")
BOOK = Topic(Channel.ORDER_BOOK, "BTC-USDT")
BOTH = {TRADES, BOOK}
LIMIT_NS = 10


def many(count: int) -> list[Topic]:
    return [Topic(Channel.TRADE, f"S{number:04}-USDT") for number in range(count)]


def acknowledged(*topics: Topic) -> TopicTable:
    table = TopicTable()
    table.sent(1, topics, is_subscribe=True, now_ns=0)
    table.answered(1, is_success=True)
    return table


def test_a_topic_is_asked_for_once_and_settled_by_its_answer() -> None:
    table = TopicTable()
    assert table.to_subscribe({TRADES}) == [TRADES]
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    assert table.to_subscribe({TRADES}) == []
    waiting = [table.is_waiting]
    assert not table.is_settled({TRADES})
    table.answered(1, is_success=True)
    waiting.append(table.is_waiting)
    assert waiting == [True, False]
    assert table.is_settled({TRADES})
    assert table.is_acknowledged(TRADES)


def test_nothing_wanted_is_settled() -> None:
    assert TopicTable().is_settled(set())


def test_everything_wanted_is_asked_for_again_on_a_new_connection() -> None:
    """What was acknowledged dies with the table of its connection."""
    assert acknowledged(TRADES, BOOK).to_subscribe(BOTH) == []
    assert TopicTable().to_subscribe(BOTH) == [BOOK, TRADES]


def test_a_topic_that_nobody_wants_is_ended_once() -> None:
    table = acknowledged(TRADES, BOOK)
    assert table.to_unsubscribe({BOOK}) == [TRADES]
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.to_unsubscribe({BOOK}) == []
    table.answered(2, is_success=True)
    assert not table.is_acknowledged(TRADES)
    assert table.to_subscribe({BOOK}) == []


@pytest.mark.parametrize("is_success", [True, False])
def test_a_topic_wanted_again_while_it_is_being_ended_is_subscribed_afterwards(is_success: bool) -> None:
    """Whatever the exchange says about its end."""
    table = acknowledged(TRADES)
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.to_subscribe({TRADES}) == []
    table.answered(2, is_success=is_success)
    assert table.to_subscribe({TRADES}) == [TRADES]


def test_a_topic_wanted_again_while_it_is_being_ended_does_not_come() -> None:
    """Whoever waits for everything waits for its second subscription."""
    table = acknowledged(TRADES, BOOK)
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.is_settled({BOOK})
    assert not table.is_settled(BOTH)
    table.answered(2, is_success=True)
    table.sent(3, [TRADES], is_subscribe=True, now_ns=0)
    table.answered(3, is_success=True)
    assert table.is_settled(BOTH)


def test_a_topic_given_up_before_its_answer_is_ended_after_it() -> None:
    table = TopicTable()
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    assert table.to_unsubscribe(set()) == []
    table.answered(1, is_success=True)
    assert table.to_unsubscribe(set()) == [TRADES]


def test_a_refused_topic_is_not_asked_for_again_before_somebody_new_wants_it() -> None:
    """A bad symbol is not retried for ever (fault F046)."""
    table = TopicTable()
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    assert table.to_subscribe({TRADES}) == []
    assert table.is_settled({TRADES})
    assert not table.is_acknowledged(TRADES)
    table.forgive(TRADES)
    assert not table.is_settled({TRADES})
    assert table.to_subscribe({TRADES}) == [TRADES]


@pytest.mark.parametrize("bad", [0, 3, 99, 199])
def test_a_refused_batch_is_split_until_the_bad_topic_is_known(bad: int) -> None:
    """The others keep coming, and few requests are needed for that (fault F046)."""
    topics, table, requests = many(200), TopicTable(), 0
    wanted = set(topics)
    while asked := table.to_subscribe(wanted):
        for batch in table.batches(asked, 200):
            requests += 1
            table.sent(requests, batch, is_subscribe=True, now_ns=0)
            table.answered(requests, is_success=topics[bad] not in batch)
    assert [topic for topic in topics if not table.is_acknowledged(topic)] == [topics[bad]]
    assert table.is_settled(wanted)
    assert requests <= 2 * 8 + 1, "halved each time"


def test_batches_hold_no_more_than_allowed_and_keep_the_order() -> None:
    table = TopicTable()
    batches = table.batches(many(450), 200)
    assert [len(batch) for batch in batches] == [200, 200, 50]
    assert [topic for batch in batches for topic in batch] == many(450)
    assert table.batches([], 200) == []


def test_a_topic_of_a_refused_batch_shares_no_larger_request_again() -> None:
    table, topics = TopicTable(), many(4)
    table.sent(1, topics[1:3], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    assert table.batches(topics, 200) == [[topics[0]], [topics[1]], [topics[2]], [topics[3]]]


def test_a_topic_without_an_answer_is_asked_for_once_more_and_is_hopeless_then() -> None:
    """A lost answer costs a second request, not the connection; two do (fault F047)."""
    table = TopicTable()
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    assert table.next_overdue_ns(LIMIT_NS) == 10
    assert table.overdue(10, LIMIT_NS, set()) == ([], [])
    assert table.to_subscribe({TRADES}) == []
    assert table.overdue(11, LIMIT_NS, set()) == ([], [])
    assert table.next_overdue_ns(LIMIT_NS) is None
    assert table.to_subscribe({TRADES}) == [TRADES]
    table.sent(2, [TRADES], is_subscribe=True, now_ns=20)
    assert table.overdue(31, LIMIT_NS, set()) == ([], [TRADES])


def test_a_topic_that_delivers_needs_no_answer() -> None:
    """The truth is the data (fault F047)."""
    table = TopicTable()
    table.sent(1, [TRADES, BOOK], is_subscribe=True, now_ns=0)
    assert table.overdue(11, LIMIT_NS, {TRADES}) == ([TRADES], [])
    assert table.is_acknowledged(TRADES)
    assert table.to_subscribe(BOTH) == [BOOK]


def test_what_the_exchange_lists_needs_no_answer_and_the_rest_is_asked_for_once_more() -> None:
    """(fault F047)"""
    table = TopicTable()
    table.sent(1, [TRADES, BOOK], is_subscribe=True, now_ns=0)
    assert table.listed(5, {TRADES}, set()) == ([TRADES], [])
    assert table.is_acknowledged(TRADES)
    assert table.to_subscribe(BOTH) == [BOOK]
    table.sent(2, [BOOK], is_subscribe=True, now_ns=6)
    assert table.listed(9, set(), set()) == ([], [BOOK]), "twice was enough"
    assert not table.is_waiting


def test_a_list_says_nothing_of_what_was_sent_after_the_question_or_is_to_end() -> None:
    table = acknowledged(BOOK)
    table.sent(2, [TRADES], is_subscribe=True, now_ns=5)
    table.sent(3, [BOOK], is_subscribe=False, now_ns=1)
    assert table.listed(5, set(), set()) == ([], [])
    assert table.to_subscribe({TRADES}) == []
    table.answered(3, is_success=True)
    assert not table.is_acknowledged(BOOK)


def test_a_subscription_is_doubted_once_and_only_while_it_brings_nothing() -> None:
    """(fault F047)"""
    table = TopicTable()
    assert table.next_doubt_ns(5, -1, set()) is None
    table.sent(1, [TRADES, BOOK], is_subscribe=True, now_ns=0)
    assert table.next_doubt_ns(5, -1, {TRADES}) == 5
    assert table.next_doubt_ns(5, -1, BOTH) is None
    assert table.next_doubt_ns(5, 5, set()) is None, "the list was asked for since"
    table.sent(2, many(3), is_subscribe=True, now_ns=7)
    assert table.next_doubt_ns(5, 5, set()) == 12


def test_an_answer_after_all_does_no_harm() -> None:
    """(fault F043)"""
    table = TopicTable()
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    table.overdue(11, LIMIT_NS, set())
    table.sent(2, [TRADES], is_subscribe=True, now_ns=11)
    assert table.answered(1, is_success=True) is None
    assert not table.is_acknowledged(TRADES)
    table.answered(2, is_success=True)
    assert table.is_acknowledged(TRADES)


def test_a_new_beginning_counts_its_requests_anew() -> None:
    """Only requests in a row without an answer make a topic hopeless (fault F047)."""
    table = TopicTable()
    for number in range(1, 6):
        table.sent(number, [TRADES], is_subscribe=True, now_ns=0)
        table.answered(number, is_success=True)
        table.sent(100 + number, [TRADES], is_subscribe=False, now_ns=0)
        table.answered(100 + number, is_success=True)
    table.sent(50, [TRADES], is_subscribe=True, now_ns=0)
    assert table.overdue(11, LIMIT_NS, set()) == ([], [])


def test_an_end_without_an_answer_counts_as_one() -> None:
    table = acknowledged(TRADES)
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.overdue(11, LIMIT_NS, {TRADES}) == ([], [])
    assert not table.is_acknowledged(TRADES)


def test_a_renewed_topic_is_ended_and_asked_for_again() -> None:
    """What was acknowledged but brings nothing is subscribed anew (faults F047, F060)."""
    table = acknowledged(TRADES, BOOK)
    table.renew(TRADES)
    assert not table.is_settled(BOTH)
    assert table.to_unsubscribe(BOTH) == [TRADES]
    assert table.to_subscribe(BOTH) == []
    table.sent(2, [TRADES], is_subscribe=False, now_ns=0)
    assert table.to_unsubscribe(BOTH) == []
    table.answered(2, is_success=True)
    assert table.to_subscribe(BOTH) == [TRADES]
    table.sent(3, [TRADES], is_subscribe=True, now_ns=0)
    table.answered(3, is_success=True)
    assert table.is_settled(BOTH)
    assert table.to_unsubscribe(BOTH) == []


def test_a_topic_that_is_not_there_cannot_be_renewed() -> None:
    table = TopicTable()
    table.renew(TRADES)
    assert table.to_unsubscribe({TRADES}) == []
    assert table.to_subscribe({TRADES}) == [TRADES]


def test_a_refused_topic_that_is_renewed_is_asked_for_again() -> None:
    """There is nothing to end (faults F046, F060)."""
    table = TopicTable()
    table.sent(1, [TRADES], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    assert table.is_refused(TRADES)
    table.renew(TRADES)
    assert not table.is_refused(TRADES)
    assert table.to_unsubscribe({TRADES}) == []
    assert table.to_subscribe({TRADES}) == [TRADES]


def test_an_answer_to_nothing_is_recognized_as_such() -> None:
    """(fault F043)"""
    assert TopicTable().answered(99, is_success=True) is None


def test_a_question_that_was_too_large_is_no_question_for_its_topics() -> None:
    """Split, each topic is asked for twice before it is given up (faults F046, F047)."""
    table = TopicTable()
    table.sent(1, [TRADES, BOOK], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    table.sent(2, [TRADES], is_subscribe=True, now_ns=0)
    table.sent(3, [BOOK], is_subscribe=True, now_ns=0)
    assert table.overdue(LIMIT_NS + 1, LIMIT_NS, set()) == ([], [])
    assert set(table.to_subscribe(BOTH)) == BOTH
