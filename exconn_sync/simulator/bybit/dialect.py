"""The commands of the sockets, and how they are answered (Bybit: 6.1, 7.1)."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass

_counter = itertools.count(1)
REQUEST_FORM = "error:request format"


def new_connection_id() -> str:
    """A name for a connection."""
    return f"c{next(_counter):08x}-5f01-4d0e-9d1c-simulator"


@dataclass(frozen=True, slots=True)
class Command:
    """What a client has sent: what to do, its arguments, and the id by which it knows the answer."""

    op: str
    args: list[object]
    req_id: str | None

    @classmethod
    def read(cls, text: str) -> "Command | None":
        """Read a frame; None for one that is no command."""
        try:
            values = json.loads(text)
        except ValueError:
            return None
        if not isinstance(values, dict) or not isinstance(values.get("op"), str):
            return None
        args, req_id = values.get("args") or [], values.get("req_id")
        if not isinstance(args, list):
            return None
        return cls(values["op"], args, req_id if isinstance(req_id, str) else None)

    @property
    def topics(self) -> list[str]:
        """The arguments as names of topics."""
        return [str(topic) for topic in self.args]


def reply(connection_id: str, op: str, message: str, req_id: str | None, *, success: bool = True) -> dict[str, object]:
    """An answer; ``req_id`` is told only where one was sent."""
    answer: dict[str, object] = {"success": success, "ret_msg": message, "conn_id": connection_id}
    if req_id is not None:
        answer["req_id"] = req_id
    return answer | {"op": op}


def private_pong(connection_id: str, now: int, req_id: str | None) -> Mapping[str, object]:
    """The answer to a ping on the private socket, which differs from the public one."""
    named = {} if req_id is None else {"req_id": req_id}
    return {**named, "op": "pong", "args": [str(now)], "conn_id": connection_id}
