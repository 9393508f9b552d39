"""Fork under a running stream: the child is refused, can start anew, and the parent notices nothing."""

from __future__ import annotations

from tests.process.support import run

FORK = """
    import warnings
    # Python 3.12 and later warn of any fork beside threads: these tests are about what comes of it.
    warnings.simplefilter("ignore", DeprecationWarning)

    def in_child(body, limit=15):
        '''Run a function in a forked child and return its exit code; what hangs is killed and gives -9.'''
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = body() or 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -9

    def refused(calls):
        '''Return the names of calls that did not raise ForkedProcess, or waited for a lock, which is held for 30 s.'''
        bad = []
        for name, call in calls.items():
            began = time.monotonic()
            try:
                call()
            except ForkedProcess as error:
                if time.monotonic() - began > 10:
                    bad.append(name + ": slow")
            except BaseException as error:
                bad.append(f"{name}: {error!r}")
            else:
                bad.append(name + ": nothing raised")
        return bad
"""

RUNNING = (
    FORK
    + """
    connector = Connector(make_config())
    pulled = connector.stream_trades("BTC-USDT")
    pushed, down = [], []
    fresh, release = threading.Event(), threading.Event()
    def on_trade(trade):
        pushed.append(trade)
        fresh.set()
    subscription = connector.on_trade("BTC-USDT", on_trade)
    connector.on_connection(lambda event: None if event.is_up else down.append(event))
    ready = connector.ready
    orders, fills = connector.orders, connector.fills
    connector.start()
    connector.wait_ready(10)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
    request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
    pair = OrderListRequest.oto(request, request)
    pulled.get(10)
    pending = connector._core.assembly.executor.submit(lambda: release.wait(30))
    CALLS = {
        **{name: (lambda name=name: getattr(connector, name)()) for name in (
            "stop", "restart", "wait_ready", "health", "workers", "thread_dump", "fetch_server_time",
            "fetch_instruments", "fetch_balances", "fetch_open_orders", "stream_orders", "stream_fills",
            "ping", "fetch_tickers", "fetch_book_tickers", "fetch_open_order_lists", "fetch_order_counts",
            "fetch_account", "fetch_key",
            "kill", "rearm", "change_risk_limits",
        )},
        **{name: (lambda name=name: getattr(connector, name)) for name in (
            "ready", "rest_ready", "stream_ready", "account_ready", "state", "is_connected", "orders", "fills",
            "balances", "positions", "instruments", "risk_limits", "killed",
        )},
        **{name: (lambda name=name: getattr(connector, name)("BTC-USDT")) for name in (
            "order_book", "fetch_order_book", "fetch_trades", "fetch_fills", "stream_trades", "stream_book_ticker",
            "stream_order_book", "fetch_aggregate_trades", "fetch_average_price", "fetch_book_ticker", "fetch_ticker",
            "stream_aggregate_trades", "stream_average_price", "stream_mini_ticker", "stream_partial_book",
            "stream_ticker", "fetch_allocations", "fetch_commission", "fetch_order_history", "cancel_all",
            "submit_cancel_all", "order_list", "cancel_order_list", "profit",
            "top_of_book",
        )},
        **{name: (lambda name=name: getattr(connector, name)("BTC-USDT", "1m")) for name in (
            "fetch_klines", "stream_klines",
        )},
        "on_kline": lambda: connector.on_kline("BTC-USDT", "1m", print),
        **{name: (lambda name=name: getattr(connector, name)("BTC-USDT", print)) for name in (
            "on_trade", "on_book_ticker", "on_order_book", "on_aggregate_trade", "on_average_price", "on_mini_ticker",
            "on_partial_book", "on_ticker",
        )},
        **{name: (lambda name=name: getattr(connector, name)(print)) for name in (
            "on_order", "on_fill", "on_balance", "on_position", "on_connection", "on_error", "on_balance_change",
            "on_instrument", "on_order_list", "on_risk_alert", "on_data_gap",
        )},
        "subscribe": lambda: connector.subscribe("trade.*.*", print),
        **{name: (lambda name=name: getattr(connector, name)(order)) for name in (
            "fetch_order", "fetch_amendments", "fetch_prevented_matches",
        )},
        **{name: (lambda name=name: getattr(connector, name)(order, "0.005")) for name in (
            "amend_order", "submit_amend",
        )},
        **{name: (lambda name=name: getattr(connector, name)(order, request)) for name in (
            "replace_order", "submit_replace",
        )},
        **{name: (lambda name=name: getattr(connector, name)(pair)) for name in (
            "place_order_list", "submit_order_list",
        )},
        "place_orders": lambda: connector.place_orders([request]),
        "cancel_orders": lambda: connector.cancel_orders([order]),
        "amend_orders": lambda: connector.amend_orders([(order, "0.005")]),
        "fetch_cancel_on_disconnect": lambda: connector.fetch_cancel_on_disconnect(),
        "set_cancel_on_disconnect": lambda: connector.set_cancel_on_disconnect(10),
        "test_order": lambda: connector.test_order(request),
        "request": lambda: connector.request("GET", "/api/v3/time"),
        "place_order": lambda: connector.place_order(request),
        "submit_order": lambda: connector.submit_order(request),
        "cancel_order": lambda: connector.cancel_order(order),
        "submit_cancel": lambda: connector.submit_cancel(order),
        "held ready.wait": lambda: ready.wait(5),
        "held ready.is_set": lambda: ready.is_set(),
        "held orders": lambda: orders.open(),
        "held orders.get": lambda: orders.get(order.client_order_id),
        "held fills": lambda: fills(),
        **{"order." + name: (lambda name=name: getattr(order, name)) for name in (
            "state", "status", "exchange_order_id", "filled_quantity", "is_terminal", "history", "fees",
        )},
        "order.wait": lambda: order.wait(timeout=5),
        "order.cancel": lambda: order.cancel(),
        "stream.get": lambda: pulled.get(5),
        "next(stream)": lambda: next(pulled),
        "subscription()": lambda: subscription(),
        "pull.stop": lambda: pulled.stop(),
        "future.result": lambda: pending.result(5),
        "future.done": lambda: pending.done(),
        "future.cancel": lambda: pending.cancel(),
        "future.add_done_callback": lambda: pending.add_done_callback(print),
    }
    NO_CALL = {"start", "config", "metrics", "capabilities"}
    PUBLIC = {name for name in dir(connector) if not name.startswith("_")} - NO_CALL
    assert PUBLIC <= set(CALLS), PUBLIC - set(CALLS)
"""
)

ANEW = """
    def anew():
        '''In the child: everything is refused, start() begins a life of its own, and that one works.'''
        bad = refused(CALLS)
        assert not bad, bad
        repr(connector), repr(order), connector.metrics.counts()
        pushed.clear(), fresh.clear(), down.clear()
        connector.start()
        assert ready.wait(10), connector.health()
        assert pulled.get(10) and fresh.wait(10)
        assert connector.orders.get(order.client_order_id).status == "new", "found on the exchange"
        assert not down, down
        assert not refused({"order": lambda: order.status, "future": lambda: pending.done()})
        assert connector.stop() == []
        names = [thread.name for thread in threading.enumerate()]
        assert not any(name.startswith("exconn-") for name in names), names
        assert connector.state == "stopped"
        print("anew", flush=True)
        return 7

    def unharmed():
        '''In the parent: the connection never broke, and trades go on.'''
        fresh.clear()
        assert fresh.wait(10)
        pulled.get(10)
        assert not down, down
        assert order.status == "new"
        order.cancel()
        release.set()
        assert connector.stop() == []
"""


def test_a_child_is_refused_starts_anew_and_the_parent_notices_nothing(exchange: str) -> None:
    """Fork under load, three children one after the other (faults F124, F125, F126, invariant I26)."""
    ended = run(
        RUNNING
        + ANEW
        + """
    for _ in range(3):
        assert in_child(anew) == 7
    unharmed()
    """,
        exchange,
    )
    assert (ended.code, ended.out.count("anew")) == (0, 3), ended.err
    assert "Traceback" not in ended.err


def test_sockets_are_closed_in_the_child_at_once_and_without_a_byte(exchange: str) -> None:
    """The child holds no descriptor of the parent's connections; every connection of the parent lives (fault F124)."""
    ended = run(
        RUNNING
        + ANEW
        + """
    def sockets():
        import stat
        found = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                link = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                continue
            if link.startswith(("socket:", "anon_inode:[eventpoll]")):
                found.add((name, link))
        return found

    assert len(sockets()) >= 8, sockets()
    assert in_child(lambda: len(sockets())) == 0
    unharmed()
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.err


def test_a_fork_while_every_lock_is_held_does_not_matter(exchange: str) -> None:
    """Another thread holds each internal lock in turn at the moment of the fork (fault F125)."""
    ended = run(
        RUNNING + ANEW + """
    import gc, logging
    from exconn_sync._transport import budget, limiter
    handler = logging.StreamHandler(open(os.devnull, "w"))
    logging.getLogger("exconn_sync").addHandler(handler)
    logging.getLogger("exconn_sync").setLevel("DEBUG")

    def locks():
        '''Yield every lock that an object of the library has, and those of what it is built on.'''
        kinds = (type(threading.Lock()), type(threading.RLock()))
        yield "Budgets", budget._budgets_lock
        yield "Budgets of connections", limiter._budgets_lock
        yield "logging", handler.lock
        for thing in gc.get_objects():
            kind = type(thing)
            if not kind.__module__.startswith(("exconn_sync", "queue", "pyrate_limiter", "pybreaker")):
                continue
            for name, value in list(getattr(thing, "__dict__", {}).items()):
                value = getattr(value, "_cond", value) if isinstance(value, threading.Event) else value
                value = getattr(value, "_lock", value) if isinstance(value, threading.Condition) else value
                if isinstance(value, kinds):
                    yield f"{kind.__name__}.{name}", value

    def fork_while_held(lock, with_start):
        held, go_on = threading.Event(), threading.Event()
        def hold():
            with lock:
                held.set()
                go_on.wait(30)
        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(10)
        child = os.fork()
        if child == 0:
            bad = refused(CALLS)
            assert not bad, bad
            if with_start:
                connector.start()
                assert ready.wait(30)
                assert pulled.get(30)
                assert connector.stop() == []
            # The end of the child is part of it: finalizers and exit hooks run there as well.
            sys.exit(5)
        go_on.set()
        holder.join()
        return child

    def code_of(child):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -9

    chosen = {}
    for name, lock in locks():
        chosen.setdefault(name, lock)
    needed_again = ("Core", "Bus", "Budgets", "Budget", "InMemoryBucket", "Mailbox", "Interests", "MemoryMetrics")
    assert {name.split(".")[0] for name in chosen} >= set(needed_again) | {"LifoQueue", "AccountStore"}, sorted(chosen)
    starting, others = {}, {}
    for name, lock in chosen.items():
        part = name.split(".")[0]
        group = starting if part in needed_again and part not in {each.split(".")[0] for each in starting} else others
        group[name] = fork_while_held(lock, group is starting)
    bad = {name: code for name, child in {**starting, **others}.items() if (code := code_of(child)) != 5}
    assert not bad, bad
    print(len(chosen), "locks")
    unharmed()
    """,
        exchange, limit=100,
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, ""), ended.err


def test_a_child_that_leaves_the_block_of_its_parent_keeps_its_exit_code(exchange: str) -> None:
    """sys.exit inside ``with`` in the child: nothing is stopped or raised there (fault F124)."""
    ended = run(
        FORK + """
    with Connector(make_config()) as connector:
        connector.wait_ready(10)
        child = os.fork()
        if child == 0:
            sys.exit(3)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        connector.fetch_server_time()
        assert connector.is_connected
    """,
        exchange, "-W", "error", "-W", "ignore::DeprecationWarning",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, ""), ended.err


def test_a_callback_may_fork(exchange: str) -> None:
    """The child of a callback starts anew as well; one that comes back from the callback ends (fault F124)."""
    ended = run(
        FORK
        + """
    connector = Connector(make_config())
    codes = []
    done = threading.Event()
    def on_trade(trade):
        if done.is_set():
            return
        def body():
            assert refused({"state": lambda: connector.state}) == []
            connector.start()
            connector.wait_ready(10)
            assert connector.stop() == []
            return 8
        codes.append(in_child(body))
        child = os.fork()
        if child:
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            done.set()
    connector.on_trade("BTC-USDT", on_trade)
    connector.start()
    assert done.wait(20)
    assert connector.stop() == []
    print(codes)
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.err
    assert ended.out.splitlines()[-1] == "[8, 0]"


def test_a_hub_can_be_started_anew_in_a_child(exchange: str) -> None:
    ended = run(
        FORK
        + """
    hub = Hub(make_config())
    seen = threading.Event()
    hub.subscribe("trade.*.BTC-USDT", lambda trade: seen.set())
    hub.start()
    hub.wait_ready(10)
    assert seen.wait(10)
    def body():
        assert refused({"health": hub.health, "stop": hub.stop, "best_price": lambda: hub.best_price("BTC-USDT")}) == []
        seen.clear()
        with hub:
            hub.wait_ready(10)
            assert seen.wait(10)
        return 7
    assert in_child(body) == 7
    # One that its parent has stopped can be started in a child, too: its subscriptions are those of the hub.
    assert hub.stop() == []
    assert in_child(body) == 7
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.err


def test_a_hub_that_was_started_anew_in_a_child_revives_its_connectors(exchange: str) -> None:
    """What a connector tells its hub when it gives up is kept over the fork (faults F126, F146)."""
    ended = run(
        FORK
        + """
    hub = Hub(make_config())
    def body():
        with hub:
            hub.wait_ready(10)
            gone = hub["binance"]._core.running
            hub["binance"]._core._on_give_up("market", RuntimeError("provoked"))
            end = time.monotonic() + 10
            while hub["binance"]._core.running is gone or hub["binance"].state == "failed":
                if time.monotonic() > end:
                    return 3
                time.sleep(0.01)
            hub.wait_ready(10)
        return 7
    assert in_child(body) == 7
    """,
        exchange,
    )
    assert ended.code == 0, ended.err


def test_a_process_of_multiprocessing_starts_anew(exchange: str) -> None:
    """A connector that was never started in the parent is started in each worker process (fault F126)."""
    ended = run(
        """
    import multiprocessing
    connector = Connector(make_config())
    trades = connector.stream_trades("BTC-USDT")
    def work(answers):
        with connector:
            connector.wait_ready(10)
            answers.put(trades.get(10).symbol)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    workers = [context.Process(target=work, args=(answers,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [answers.get() for _ in workers] == ["BTC-USDT"] * 3
    for worker in workers:
        worker.join(10)
    print([worker.exitcode for worker in workers])
    """,
        exchange,
    )
    assert (ended.code, ended.out, ended.err) == (0, "[0, 0, 0]\n", "")


def test_creating_a_connector_has_no_side_effect(exchange: str) -> None:
    """No thread, no descriptor, no exit hook before ``start`` (fault F126)."""
    ended = run(
        """
    import atexit
    Connector(make_config())          # loads libraries, once
    before = set(os.listdir("/proc/self/fd")), threading.active_count(), atexit._ncallbacks()
    connector = Connector(make_config())
    connector.on_trade("BTC-USDT", print)
    hub = Hub(make_config())
    assert (set(os.listdir("/proc/self/fd")), threading.active_count(), atexit._ncallbacks()) == before
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.err
