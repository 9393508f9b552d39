"""Reliable, synchronous connections to crypto spot exchanges.

Every public name stands here; modules whose name begins with an underscore are not part of the promise.
"""

import logging

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
