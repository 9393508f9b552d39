"""What frames of the public stream are: of which topic, or answers.

Look up: how a data frame names its topic; every other kind of frame: answers, pongs, announcements of a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.parse_streams import decoder_of
from exconn_sync.exchanges._template.streams import variant_of
from exconn_sync.exchanges.decoding import MALFORMED, clean_text, protocol_error, read_any
from exconn_sync.model.wire import ServerNotice, SubscriptionReply, Topic, Unrecognized
from exconn_sync.ports.driver import Control, Decode


class _Name(msgspec.Struct):
    name: str


_NAME = msgspec.json.Decoder(_Name).decode


def topic_of_frame(frame: bytes) -> str | None:
    """Return the name of the topic a frame belongs to; None for any other frame."""
    if b'"name"' not in frame:
        return None
    try:
        return _NAME(frame).name
    except MALFORMED:
        return None  # not a data frame: whoever reads it as a control frame says what is wrong with it


def decoder(topic: Topic) -> Decode:
    """Return the decoder of a topic. Raises ValidationError where there is no such topic."""
    return decoder_of(replace(topic, variant=variant_of(topic.channel, topic.variant)))


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
    request_id, is_done = wire.get("id"), wire.get("done")
    if type(request_id) is int and isinstance(is_done, bool):
        return SubscriptionReply(request_id, "" if is_done else text_of(wire) or "refused")
    return notice_of(wire) or Unrecognized(kind_of(wire))


def notice_of(wire: Mapping[str, Any]) -> ServerNotice | None:
    """Return the announcement that the connection will end soon, None for any other frame."""
    return ServerNotice("shutdown") if wire.get("notice") == "closing" else None


def text_of(wire: Mapping[str, Any]) -> str:
    """Return what an answer says went wrong; an empty text where it says nothing."""
    error = wire.get("error")
    text = error.get("text") if isinstance(error, dict) else None
    return clean_text(text) if isinstance(text, str) else ""


def kind_of(wire: Mapping[str, Any]) -> str:
    """Return a name for a frame that this version does not know: it is counted, and never an error (fault F035)."""
    return clean_text(str(wire.get("name") or wire.get("notice") or ",".join(sorted(wire))))
