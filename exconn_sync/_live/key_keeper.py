"""The worker that asks the user's credentials provider for keys (fault F167)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from exconn_sync._live.account_reader import ACCOUNT
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.backoff import Backoff
from exconn_sync._runtime.question import Question
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.config import Config, Credentials
from exconn_sync.errors import AuthenticationError, ExconnError, ValidationError
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.waiting import Event

_PATIENCE = 10.0
"""Seconds after which a provider that does not answer is told of; it is waited for all the same."""


class KeyKeeper:
    """Asks for a key at the start, and again while the exchange refuses the present one.

    One question at a time, each on a thread of its own: a provider that hangs holds up nobody, and a stop leaves it
    behind. Between two questions lie at least ``reconnect.base`` seconds, more where the answers are of no use, at most
    ``reconnect.cap``. ``on_change`` is called on the worker's thread when there is another key.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        keys: KeyRing,
        pipeline: Pipeline,
        readiness: Readiness,
        rng: random.Random,
        on_change: Callable[[], None],
    ) -> None:
        self._config = config
        self._driver = driver
        self._keys = keys
        self._pipeline = pipeline
        self._readiness = readiness
        self._rng = rng
        self._on_change = on_change
        self._wanted = Event()
        self._answered = Event()
        self._heard = 0
        self._question: Question[Credentials] | None = None
        self._latest: Credentials | None = None
        keys.on_refused = self._wanted.set

    def body(self, run: WorkerRun) -> None:
        """Work until stop: the body of the worker."""
        settings = self._config.reconnect
        backoff = Backoff(settings.base, settings.cap, 0.0, self._rng)
        run.stop.on_set(self._wanted.set)
        run.stop.on_set(self._answered.set)
        while True:
            self._wanted.clear()
            if run.stop.is_set:
                # Its event may just have been cleared; its flag stays.
                return
            if not self._keys.is_wanting and self._keys.refusals == self._heard:
                run.beat(math.inf)
                self._wanted.wait(None)
                continue
            # Also where it was accepted for something else meanwhile: the refusal was about this one.
            self._heard = self._keys.refusals
            if self._keys.is_proven:
                backoff.reset()
            self._ask(run)
            if not run.is_current or run.stop.is_set:
                return
            pause = max(backoff.next_delay(), settings.base)
            run.beat(pause)
            run.stop.wait(pause)

    def _ask(self, run: WorkerRun) -> None:
        """Ask once, or go on waiting for the answer that is still due, and use what is said."""
        run.beat(math.inf)
        if self._question is None:
            self._answered.clear()
            provider = self._config.credentials_provider
            if provider is None or run.stop.is_set:
                return
            name = f"{self._driver.name}-key-provider"
            # Made Credentials over there: here nothing is ever in plain text (fault F170).
            self._question = Question(name, lambda: Credentials.of_answer(provider()), self._answered.set)
        question = self._question
        if not self._answered.wait(_PATIENCE):
            self._tell(f"has not answered for {_PATIENCE:g} s")
            self._answered.wait(None)
        if run.stop.is_set or not run.is_current or not question.is_done:
            return
        self._question = None
        if question.result is not None:
            self._use(question.result)
        elif isinstance(question.fault, ValidationError):
            self._tell(f"gave a key that cannot be used: {question.fault.message}")
        elif isinstance(question.fault, ExconnError):
            self._tell(f"raised {type(question.fault).__name__}: {question.fault.message}")
        else:
            self._tell(f"raised {question.fault}")

    def _use(self, found: Credentials) -> None:
        if self._keys.has_key and found == self._latest:
            self._pipeline.metrics.count("keys.unchanged", exchange=self._driver.name)
            return
        try:
            signer = self._driver.signer(*found.parts())
            self._driver.encode_login(
                signer, 0, self._config.rate_limits.window_ms, 0, sign_in=self._config.account_sign_in
            )
        except ValidationError as error:
            self._tell(f"gave a key that cannot be used: {error.message}")
            return
        self._latest = found
        self._keys.replace(signer)
        self._pipeline.metrics.count("keys.replaced", exchange=self._driver.name)
        self._on_change()

    def _tell(self, what: str) -> None:
        error = AuthenticationError(
            f"the credentials provider {what}", exchange=self._driver.name, outcome="not_sent", retryable=True
        )
        self._pipeline.error("credentials provider", error)
        if not self._keys.has_key:
            self._readiness.lost(ACCOUNT, error.message)
