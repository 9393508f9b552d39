"""Which exchanges a simulator shows, and what follows from that."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

from exconn_sync.simulator.binance import face as binance
from exconn_sync.simulator.binance.recording import Recording as BinanceRecording
from exconn_sync.simulator.binance.replay_face import ReplayFace as BinanceReplay
from exconn_sync.simulator.binance.venue import Venue as BinanceVenue
from exconn_sync.simulator.bybit import face as bybit
from exconn_sync.simulator.bybit import terms
from exconn_sync.simulator.bybit.recording import Recording as BybitRecording
from exconn_sync.simulator.bybit.replay_face import ReplayFace as BybitReplay
from exconn_sync.simulator.bybit.venue import Venue as BybitVenue
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.symbols import SymbolSpec
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import KeyTable
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.sockets import ConnectionHub
from exconn_sync.simulator.traffic import Traffic

BINANCE, BYBIT = "binance", "bybit"
KNOWN_EXCHANGES = (BINANCE, BYBIT)
_KINDS = {BINANCE: ("stream", "ws_api"), BYBIT: bybit.KINDS}


class Face(Protocol):
    """One exchange's wire."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""

    async def run(self) -> None:
        """What the face does by itself."""


class BothFaces:
    """Two exchanges on one port: the paths of Bybit begin alike, and no other does."""

    def __init__(self, others: Face, bybit_face: Face) -> None:
        self._others = others
        self._bybit = bybit_face

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""
        chosen = self._bybit if request.path.startswith(bybit.PREFIX) else self._others
        return await chosen.handle(request)

    async def run(self) -> None:
        """What both do by themselves."""
        await asyncio.gather(self._others.run(), self._bybit.run())


def chosen_exchanges(exchange: str | Sequence[str]) -> tuple[str, ...]:
    """The names of exchanges; ValueError for one that is not known, or none."""
    names = (exchange,) if isinstance(exchange, str) else tuple(dict.fromkeys(exchange))
    for name in names or ("",):
        if name not in KNOWN_EXCHANGES:
            raise ValueError(f"unknown exchange {name!r}; known: {', '.join(KNOWN_EXCHANGES)}")
    return names


def kinds_of(exchanges: Sequence[str]) -> tuple[str, ...]:
    """The kinds of WebSocket connections these exchanges have."""
    return tuple(kind for name in exchanges for kind in _KINDS[name])


def limits_of(exchanges: Sequence[str]) -> RateLimits:
    """How patient these exchanges are."""
    if BINANCE in exchanges:
        return RateLimits()
    return RateLimits(connections_per_5m=terms.CONNECTIONS_PER_5M)


def core_of(exchanges: Sequence[str], symbols: Iterable[SymbolSpec]) -> Exchange:
    """The exchange behind the faces. Shown through several, it has the rules of Binance."""
    if BINANCE in exchanges:
        return Exchange(symbols)
    core = Exchange(terms.specs(symbols))
    terms.set_fees(core.fees)
    return core


def face_of(
    exchanges: Sequence[str],
    core: Exchange,
    clock: VenueClock,
    keys: KeyTable,
    limits: RateLimits,
    traffic: Traffic,
    hub: ConnectionHub,
    board: FaultBoard,
    *,
    seed: int,
    is_demo: bool,
) -> Face:
    """What speaks to clients."""
    faces: list[Face] = []
    if BINANCE in exchanges:
        faces.append(binance.BinanceFace(BinanceVenue(core, clock, keys, limits, seed, traffic), hub, board))
    if BYBIT in exchanges:
        venue = BybitVenue(core, clock, keys, limits, traffic, board.orders, is_demo=is_demo)
        faces.append(bybit.BybitFace(venue, hub, board))
    return faces[0] if len(faces) == 1 else BothFaces(*faces)


def replay_of(
    exchange: str,
    path: str | Path,
    hub: ConnectionHub,
    board: FaultBoard,
    clock: VenueClock,
    on_finished: Callable[[], None],
    pace: float | None,
) -> Face:
    """What serves a recording of an exchange."""
    if exchange == BYBIT:
        return BybitReplay(BybitRecording(path), hub, board, clock, on_finished, pace)
    return BinanceReplay(BinanceRecording(path), hub, board, clock, on_finished, pace)
