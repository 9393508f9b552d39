"""What frames are: of which topic, or answers and pongs in their dialects (Bybit: 6.1, 7.1, 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.parse_streams import DECODERS
from exconn_sync.exchanges.bybit.streams import variant_of
from exconn_sync.exchanges.decoding import MALFORMED, clean_text, protocol_error, read_any
from exconn_sync.exchanges.frame_topics import topic_finder
from exconn_sync.model.wire import Pong, SubscriptionReply, Topic, Unrecognized
from exconn_sync.ports.driver import Control, Decode

_START = b'{"topic":"'
_ALREADY = "error:already subscribed"
_REPLIES = ("subscribe", "unsubscribe")
_LONGEST_ID = 18


class _TopicName(msgspec.Struct):
    topic: str


_TOPIC_NAME = msgspec.json.Decoder(_TopicName).decode


def _decoded_topic(frame: bytes) -> str | None:
    try:
        return _TOPIC_NAME(frame).topic
    except MALFORMED:
        return None  # not a data frame: whoever reads it as a control frame says what is wrong with it


topic_of_frame = topic_finder(_START, _decoded_topic)
"""Return the topic that a frame belongs to, by its first bytes."""


def decoder(topic: Topic) -> Decode:
    """Return the decoder of a topic.

    Raises:
        ValidationError: Bybit has no such public topic.
    """
    variant = variant_of(topic.channel, topic.variant)
    return DECODERS[topic.channel](replace(topic, variant=variant))


def is_pong(wire: Mapping[str, Any]) -> bool:
    """Return whether a frame answers a ping: the public stream says so in another way than the others do."""
    operation = wire.get("op")
    return operation == "pong" or (operation == "ping" and wire.get("ret_msg") == "pong")


def object_of(frame: bytes) -> dict[str, Any]:
    """Return the object in a frame.

    Raises:
        ProtocolError: not JSON, or not an object (fault F033).
    """
    wire = read_any(EXCHANGE, frame)
    if not isinstance(wire, dict):
        raise protocol_error(EXCHANGE, frame, f"a {type(wire).__name__} stands where an object is due")
    return wire


def parse_control(frame: bytes) -> Control:
    """Read a frame that belongs to no topic. Raises ProtocolError."""
    wire = object_of(frame)
    if is_pong(wire):
        return Pong()
    return reply_of(wire) or Unrecognized(kind_of(wire))


def reply_of(wire: Mapping[str, Any]) -> SubscriptionReply | None:
    """Return the answer to a subscription, None for any other frame. It does not list the topics, only the id."""
    is_success = wire.get("success")
    if not isinstance(is_success, bool) or (is_success and wire.get("op") not in _REPLIES):
        return None
    request_id, text = id_of(wire.get("req_id")), wire.get("ret_msg")
    if is_success:
        return None if request_id is None else SubscriptionReply(request_id)
    error = clean_text(text) if isinstance(text, str) and text else "refused"
    return SubscriptionReply(request_id or 0, error, is_already=error.startswith(_ALREADY))


def id_of(stated: object) -> int | None:
    """Return the id of a request of ours, which travels as text."""
    is_ours = isinstance(stated, str) and stated.isascii() and stated.isdecimal() and len(stated) <= _LONGEST_ID
    return int(stated) if is_ours and isinstance(stated, str) else None


def kind_of(wire: Mapping[str, Any]) -> str:
    """Return a name for a frame that this version does not know."""
    named = wire.get("topic") or wire.get("op") or ",".join(sorted(wire))
    return clean_text(str(named))
