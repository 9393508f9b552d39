"""What the address of a connection to the WebSocket API asks for (Binance: 11)."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from exconn_sync.simulator.binance.stream_control import unit_named

_WISHES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class WsApiUrl:
    """``unit`` is how many units of time make a millisecond."""

    unit: int
    with_limits: bool

    @classmethod
    def parse(cls, raw_path: str) -> "WsApiUrl":
        """Read ``timeUnit`` and ``returnRateLimits``.

        Raises:
            ValueError: a value that does not exist, or a form of answers other than JSON.
        """
        options = dict(parse_qsl(raw_path.partition("?")[2]))
        wish = options.get("returnRateLimits", "true").lower()
        if wish not in _WISHES:
            raise ValueError(f"no such wish: {wish}")
        if options.get("responseFormat", "json").lower() != "json":
            raise ValueError("only JSON is spoken here")
        return cls(unit_named(options.get("timeUnit", "")), _WISHES[wish])
