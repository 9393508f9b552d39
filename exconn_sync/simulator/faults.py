"""The fault switches of a running simulator."""

from exconn_sync.simulator.connection_faults import ConnectionFaults
from exconn_sync.simulator.order_faults import OrderFaults
from exconn_sync.simulator.request_faults import RequestFaults
from exconn_sync.simulator.stream_faults import StreamFaults


class Faults(ConnectionFaults, StreamFaults, RequestFaults, OrderFaults):
    """What can go wrong, at will. Every call returns after it took effect, and may be made on any thread.

    ``method`` and ``path`` name REST requests (``"POST", "/api/v3/order"``); for a method of the WebSocket API they are
    ``"WS"`` and its name (``"order.place"``). ``stream_name`` is a market stream (``"btcusdt@trade"``) or
    ``"userDataStream"`` for the private events. ``kind`` is ``"stream"`` or ``"ws_api"``.

    On Bybit, streams are topics (``"publicTrade.BTCUSDT"``), private ones by their short names (``"order"``), commands
    of the trade socket ``"WS"`` and their name (``"order.create"``), and kinds ``"public"``, ``"private"`` and
    ``"trade"``; ``"stream"`` is understood as ``"public"``.
    """
