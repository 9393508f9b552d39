"""Every error the library raises, in one tree.

::

    ExconnError
    ├── ValidationError          the caller's input is wrong; nothing was sent (also a ValueError)
    ├── AuthenticationError      key, signature or session refused
    ├── PermissionDenied         the key is known but may not do this
    ├── RateLimitError           a limit of the exchange is reached; says when to come back
    ├── ConnectionFailed         the exchange could not be reached
    ├── RequestTimeout           no answer in time (also a TimeoutError)
    ├── ProtocolError            an answer that cannot be understood
    ├── ExchangeError            the exchange answered with an error
    │   └── OrderRejected        the exchange certainly did not execute the command
    │       ├── InsufficientBalance
    │       ├── FilterViolation
    │       ├── DuplicateOrder
    │       ├── OrderNotFound
    │       ├── MarketClosed
    │       └── WouldTakeLiquidity
    ├── OutcomeUnknown           a command may or may not have been executed
    ├── CircuitOpen              the exchange's host keeps failing; not even tried
    ├── RiskRejected             a risk rule of the user refused the order
    ├── ClockSkew                the exchange refused the request's timestamp
    ├── ClockChanged             a clock stepped; the exchange's time is asked for anew
    ├── StaleBook                the local order book is not whole at the moment
    ├── SilentTopic              a topic brings nothing although the exchange has news
    ├── JournalError             the journal could not keep what it must keep
    │   ├── JournalInUse         somebody else writes to the same journal
    │   └── JournalCorrupt       the journal holds what was not written so
    ├── NotReady                 the connector is not (yet) able to do this (also a TimeoutError)
    ├── SubscriberLagging        a subscriber is far behind; nothing is lost (yet)
    │   └── SubscriberStuck      a callback does not return
    ├── ConnectorStopped         the connector was stopped
    ├── WorkerHung               a thread of the library gave no sign of life and was replaced
    ├── ThreadsUnavailable       this process cannot start threads, or does not let them run
    └── ForkedProcess            the object belongs to the parent process

Each error says whether repeating the call may help (``retryable``) and, for commands, what became of it (``outcome``).
The three outcomes are those of the fault model, section 0.1: ``not_sent`` and ``refused`` need proof, everything else
is ``unknown``.
"""

from __future__ import annotations

from exconn_sync.errors.base import ExconnError, Outcome, ValidationError
from exconn_sync.errors.exchange import (
    AuthenticationError,
    ClockSkew,
    ConnectionFailed,
    DuplicateOrder,
    ExchangeError,
    FilterViolation,
    InsufficientBalance,
    MarketClosed,
    OrderNotFound,
    OrderRejected,
    PermissionDenied,
    ProtocolError,
    RateLimitError,
    RequestTimeout,
    WouldTakeLiquidity,
)
from exconn_sync.errors.library import (
    CircuitOpen,
    ClockChanged,
    ConnectorStopped,
    ForkedProcess,
    JournalCorrupt,
    JournalError,
    JournalInUse,
    NotReady,
    OutcomeUnknown,
    PartlyDone,
    RiskRejected,
    SilentTopic,
    StaleBook,
    SubscriberLagging,
    SubscriberStuck,
    ThreadsUnavailable,
    WorkerHung,
)

__all__ = [
    "AuthenticationError",
    "CircuitOpen",
    "ClockChanged",
    "ClockSkew",
    "ConnectionFailed",
    "ConnectorStopped",
    "DuplicateOrder",
    "ExchangeError",
    "ExconnError",
    "FilterViolation",
    "ForkedProcess",
    "InsufficientBalance",
    "JournalCorrupt",
    "JournalError",
    "JournalInUse",
    "MarketClosed",
    "NotReady",
    "OrderNotFound",
    "OrderRejected",
    "Outcome",
    "OutcomeUnknown",
    "PartlyDone",
    "PermissionDenied",
    "ProtocolError",
    "RateLimitError",
    "RequestTimeout",
    "RiskRejected",
    "SilentTopic",
    "StaleBook",
    "SubscriberLagging",
    "SubscriberStuck",
    "ThreadsUnavailable",
    "ValidationError",
    "WorkerHung",
    "WouldTakeLiquidity",
]
