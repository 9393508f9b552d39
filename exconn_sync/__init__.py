"""Reliable, synchronous connections to crypto spot exchanges.

Every public name stands here; modules whose name begins with an underscore are not part of the promise. A name is
loaded when it is first asked for, so that a program which only needs some of them does not wait for all.
"""

import importlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exconn_sync._live.command_result import CommandResult
    from exconn_sync._live.order_handle import Order
    from exconn_sync._live.order_list_handle import OrderList
    from exconn_sync._live.order_replacement import OrderReplacement
    from exconn_sync._machines.consolidation import BestPrice
    from exconn_sync._runtime.correlation import correlation
    from exconn_sync._runtime.readiness import ReadyEvent
    from exconn_sync._runtime.signals import stopping_on_signal
    from exconn_sync._runtime.subscription import PullSubscription, Subscription
    from exconn_sync._runtime.worker import WorkerReport
    from exconn_sync.config import Config, ConfigBuilder, Credentials
    from exconn_sync.config.risk_limits import RiskLimits
    from exconn_sync.connector import Connector, Health
    from exconn_sync.errors import (
        AuthenticationError,
        CircuitOpen,
        ClockChanged,
        ClockSkew,
        ConnectionFailed,
        ConnectorStopped,
        DuplicateOrder,
        ExchangeError,
        ExconnError,
        FilterViolation,
        ForkedProcess,
        InsufficientBalance,
        JournalCorrupt,
        JournalError,
        JournalInUse,
        MarketClosed,
        NotReady,
        OrderNotFound,
        OrderRejected,
        OutcomeUnknown,
        PartlyDone,
        PermissionDenied,
        ProtocolError,
        RateLimitError,
        RequestTimeout,
        RiskRejected,
        SilentTopic,
        StaleBook,
        SubscriberLagging,
        SubscriberStuck,
        ThreadsUnavailable,
        ValidationError,
        WorkerHung,
        WouldTakeLiquidity,
    )
    from exconn_sync.hub import Hub, HubSubscription
    from exconn_sync.model.account import Balance, BalanceChange, Position
    from exconn_sync.model.account_info import AccountInfo, KeyInfo
    from exconn_sync.model.account_reports import Commission, FeeRates, OrderAmendment, OrderCount, PreventedMatch
    from exconn_sync.model.book_view import BookView
    from exconn_sync.model.capabilities import Capabilities
    from exconn_sync.model.depth import CumulativeLevel, Depth, DepthFill
    from exconn_sync.model.enums import (
        BookState,
        CommandOutcome,
        ConnectorState,
        FactSource,
        OrderListKind,
        OrderListStatus,
        OrderStatus,
        OrderType,
        PegPrice,
        SelfTradePrevention,
        Side,
        TimeInForce,
        WorkingFloor,
    )
    from exconn_sync.model.events import ConnectionEvent, DataGap, End, ErrorEvent, Gap, InstrumentEvent, RiskAlert
    from exconn_sync.model.instrument import Instrument, Instruments
    from exconn_sync.model.market import AggregateTrade, BookTicker, PartialBook, Trade
    from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
    from exconn_sync.model.order_lists import OrderListRequest, OrderListState
    from exconn_sync.model.orders import Fill, HistoryEntry, OrderRequest, OrderState, PreventedTrade
    from exconn_sync.model.profit import Profit
    from exconn_sync.model.trading_rules import Allowances, Feature, PriceBand, SymbolPhase, TrailingRange
    from exconn_sync.ports.driver import ExchangeDriver
    from exconn_sync.ports.journal import Journal
    from exconn_sync.ports.metrics import MetricsSink
    from exconn_sync.ports.registry import known_exchanges, register_driver
    from exconn_sync.ports.risk import Proposal, RiskRule

__version__ = "0.1.0"

# Without a handler of the program's own, nothing is printed; logging is never configured here.
logging.getLogger("exconn_sync").addHandler(logging.NullHandler())

_NAMES_OF = {
    "_live.command_result": "CommandResult",
    "_live.order_handle": "Order",
    "_live.order_list_handle": "OrderList",
    "_live.order_replacement": "OrderReplacement",
    "_machines.consolidation": "BestPrice",
    "_runtime.correlation": "correlation",
    "_runtime.readiness": "ReadyEvent",
    "_runtime.signals": "stopping_on_signal",
    "_runtime.subscription": "PullSubscription Subscription",
    "_runtime.worker": "WorkerReport",
    "config": "Config ConfigBuilder Credentials",
    "config.risk_limits": "RiskLimits",
    "connector": "Connector Health",
    "errors": (
        "AuthenticationError CircuitOpen ClockChanged ClockSkew ConnectionFailed ConnectorStopped "
        "DuplicateOrder ExchangeError ExconnError FilterViolation ForkedProcess InsufficientBalance "
        "JournalCorrupt JournalError JournalInUse MarketClosed NotReady OrderNotFound OrderRejected "
        "OutcomeUnknown PartlyDone PermissionDenied ProtocolError RateLimitError RequestTimeout RiskRejected "
        "SilentTopic StaleBook SubscriberLagging SubscriberStuck ThreadsUnavailable ValidationError "
        "WorkerHung WouldTakeLiquidity"
    ),
    "hub": "Hub HubSubscription",
    "model.account": "Balance BalanceChange Position",
    "model.account_info": "AccountInfo KeyInfo",
    "model.account_reports": "Commission FeeRates OrderAmendment OrderCount PreventedMatch",
    "model.book_view": "BookView",
    "model.capabilities": "Capabilities",
    "model.depth": "CumulativeLevel Depth DepthFill",
    "model.enums": (
        "BookState CommandOutcome ConnectorState FactSource OrderListKind OrderListStatus OrderStatus "
        "OrderType PegPrice SelfTradePrevention Side TimeInForce WorkingFloor"
    ),
    "model.events": "ConnectionEvent DataGap End ErrorEvent Gap InstrumentEvent RiskAlert",
    "model.instrument": "Instrument Instruments",
    "model.market": "AggregateTrade BookTicker PartialBook Trade",
    "model.market_statistics": "AveragePrice Kline Ticker",
    "model.order_lists": "OrderListRequest OrderListState",
    "model.orders": "Fill HistoryEntry OrderRequest OrderState PreventedTrade",
    "model.profit": "Profit",
    "model.trading_rules": "Allowances Feature PriceBand SymbolPhase TrailingRange",
    "ports.driver": "ExchangeDriver",
    "ports.journal": "Journal",
    "ports.metrics": "MetricsSink",
    "ports.registry": "known_exchanges register_driver",
    "ports.risk": "Proposal RiskRule",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}
_MODULES = ("config", "connector", "errors", "exchanges", "hub", "model", "persistence", "ports", "risk")


def __getattr__(name: str) -> object:
    """Load a name, or one of the public modules, when it is asked for."""
    module = _MODULE_OF.get(name)
    if module is not None:
        # Kept, so that this is asked once for each name.
        value = globals()[name] = getattr(importlib.import_module(f"exconn_sync.{module}"), name)
        return value
    if name in _MODULES:
        return importlib.import_module(f"exconn_sync.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "AccountInfo",
    "AggregateTrade",
    "Allowances",
    "AuthenticationError",
    "AveragePrice",
    "Balance",
    "BalanceChange",
    "BestPrice",
    "BookState",
    "BookTicker",
    "BookView",
    "Capabilities",
    "CircuitOpen",
    "ClockChanged",
    "ClockSkew",
    "CommandOutcome",
    "CommandResult",
    "Commission",
    "Config",
    "ConfigBuilder",
    "ConnectionEvent",
    "ConnectionFailed",
    "Connector",
    "ConnectorState",
    "ConnectorStopped",
    "Credentials",
    "CumulativeLevel",
    "DataGap",
    "Depth",
    "DepthFill",
    "DuplicateOrder",
    "End",
    "ErrorEvent",
    "ExchangeDriver",
    "ExchangeError",
    "ExconnError",
    "FactSource",
    "Feature",
    "FeeRates",
    "Fill",
    "FilterViolation",
    "ForkedProcess",
    "Gap",
    "Health",
    "HistoryEntry",
    "Hub",
    "HubSubscription",
    "Instrument",
    "InstrumentEvent",
    "Instruments",
    "InsufficientBalance",
    "Journal",
    "JournalCorrupt",
    "JournalError",
    "JournalInUse",
    "KeyInfo",
    "Kline",
    "MarketClosed",
    "MetricsSink",
    "NotReady",
    "Order",
    "OrderAmendment",
    "OrderCount",
    "OrderList",
    "OrderListKind",
    "OrderListRequest",
    "OrderListState",
    "OrderListStatus",
    "OrderNotFound",
    "OrderRejected",
    "OrderReplacement",
    "OrderRequest",
    "OrderState",
    "OrderStatus",
    "OrderType",
    "OutcomeUnknown",
    "PartialBook",
    "PartlyDone",
    "PegPrice",
    "PermissionDenied",
    "Position",
    "PreventedMatch",
    "PreventedTrade",
    "PriceBand",
    "Profit",
    "Proposal",
    "ProtocolError",
    "PullSubscription",
    "RateLimitError",
    "ReadyEvent",
    "RequestTimeout",
    "RiskAlert",
    "RiskLimits",
    "RiskRejected",
    "RiskRule",
    "SelfTradePrevention",
    "Side",
    "SilentTopic",
    "StaleBook",
    "SubscriberLagging",
    "SubscriberStuck",
    "Subscription",
    "SymbolPhase",
    "ThreadsUnavailable",
    "Ticker",
    "TimeInForce",
    "Trade",
    "TrailingRange",
    "ValidationError",
    "WorkerHung",
    "WorkerReport",
    "WorkingFloor",
    "WouldTakeLiquidity",
    "correlation",
    "known_exchanges",
    "register_driver",
    "stopping_on_signal",
]
