"""A connector inside programs that own the process: event loops, notebooks, green threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.process.support import PRELUDE, environment, finish, run, script

WHOLE_JOURNEY = """
    connector = Connector(make_config())
    seen, ended = threading.Event(), threading.Event()
    books = connector.stream_order_book("BTC-USDT", depth=5)
    pulled = connector.stream_trades("BTC-USDT", overflow="block", buffer=10)
    connector.on_trade("BTC-USDT", lambda trade: seen.set(), overflow="conflate")
    connector.on_order(lambda state: ended.set() if state.is_terminal else None)
    with connector:
        connector.wait_ready(15)
        assert seen.wait(15)
        assert pulled.get(15).symbol == "BTC-USDT"
        assert books.get(15).is_valid
        order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
        assert not order.wait(timeout=0.05)
        order.cancel()
        assert order.wait(timeout=15)
        assert ended.wait(15)
        future = connector.submit_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
        assert future.result(15).wait("filled", timeout=15)
        connector.restart()
        connector.wait_ready(15)
        assert connector.fetch_server_time() > 0
        assert connector.health().status in ("healthy", "degraded")
    assert connector.stop() == []
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("exconn-")]
    assert not left, left
    print("done")
    """


def test_under_green_threads_everything_works(exchange: str) -> None:
    """gevent patches sockets, threads, queues and selectors before the import (fault F155)."""
    program = "from gevent import monkey\nmonkey.patch_all()\n" + script(WHOLE_JOURNEY)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(exchange),
        start_new_session=True,
    )  # fmt: skip
    ended = finish(process, 60)
    assert (ended.code, ended.out, ended.err) == (0, "done\n", "")


@pytest.mark.parametrize("network", ["connected", "refused"])
def test_under_green_threads_a_program_can_be_interrupted_and_forget_to_stop(network: str, exchange: str) -> None:
    """Also a greenlet ends with the program; gevent's own handler brings Ctrl-C to the waiting one (F132, F155)."""
    code = f"""
    import gevent
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    nowhere = {{name: scheme + "://127.0.0.1:1" for name, scheme in
               (("rest", "http"), ("stream", "ws"), ("ws_api", "ws"))}}
    connector = Connector(make_config(**({{}} if {network == "connected"} else {{"endpoints": nowhere}})))
    connector.start()
    if {network == "connected"}:
        connector.wait_ready(15)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        connector.stream_orders().get(20)
    except KeyboardInterrupt:
        print("interrupted")
    """
    program = "from gevent import monkey\nmonkey.patch_all()\n" + script(code)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(exchange),
        start_new_session=True,
    )  # fmt: skip
    ended = finish(process)
    assert (ended.code, ended.out, ended.err) == (0, "interrupted\n", "")


def test_inside_a_running_event_loop(exchange: str) -> None:
    """Blocking calls from a coroutine and from ``asyncio.to_thread``, futures awaited, events handed to the loop."""
    ended = run(
        """
    import asyncio
    async def main():
        loop = asyncio.get_running_loop()
        connector = Connector(make_config())
        trades = asyncio.Queue()
        subscription = connector.on_trade(
            "BTC-USDT", lambda trade: loop.call_soon_threadsafe(trades.put_nowait, trade)
        )
        connector.start()
        connector.wait_ready(10)                      # blocks the loop, as any blocking call does
        assert (await asyncio.wait_for(trades.get(), 10)).symbol == "BTC-USDT"
        request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
        order = await asyncio.to_thread(connector.place_order, request)
        other = await asyncio.wrap_future(connector.submit_order(request))
        await asyncio.gather(*(asyncio.to_thread(each.cancel) for each in (order, other)))
        assert order.is_terminal and other.is_terminal
        waiting = asyncio.create_task(asyncio.to_thread(connector.stream_fills().get, 10))
        await asyncio.to_thread(subscription.stop)
        await asyncio.sleep(0)
        assert await asyncio.to_thread(connector.stop) == []
        try:
            await waiting
        except ConnectorStopped:
            print("stopped")
    asyncio.run(main(), debug=False)
    """,
        exchange,
    )
    assert (ended.code, ended.out, ended.err) == (0, "stopped\n", "")


NOTEBOOK = """
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(stdout=sys.stderr, stderr=sys.stderr)
    client = manager.blocking_client()

    def begin(code):
        # Otherwise the kernel would refuse what is sent right after a cell that failed.
        return client.execute(code, stop_on_error=False)

    def until(text):
        while text not in client.get_iopub_msg(timeout=20)["content"].get("text", ""):
            continue

    def result(sent):
        while (message := client.get_shell_msg(timeout=20))["parent_header"].get("msg_id") != sent:
            continue
        return message["content"].get("ename", "ok")

    def interrupted(code):
        sent = begin("print('waiting', flush=True); " + code)
        until("waiting")
        manager.interrupt_kernel()
        return result(sent)

    try:
        client.start_channels()
        client.wait_for_ready(timeout=20)
        print(result(begin(PRELUDE + "connector = Connector(make_config()); connector.start()")))
        print(result(begin("connector.wait_ready(10)")))
        print(interrupted("connector.stream_orders().get()"))
        print(interrupted("Connector(make_config()).ready.wait()"))
        print(result(begin("assert connector.is_connected; next(connector.stream_trades('BTC-USDT'))")))
        print(result(begin("assert connector.stop() == []")))
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    """


def test_in_a_notebook(exchange: str) -> None:
    """A connector runs on between the cells of a real kernel; the interrupt of a cell reaches a wait, and the next cell
    works (fault F129).
    """
    ended = run(f"    PRELUDE = {PRELUDE!r}\n" + NOTEBOOK, exchange, limit=60)
    assert ended.code == 0, ended.err
    assert ended.out.split() == ["ok", "ok", "KeyboardInterrupt", "KeyboardInterrupt", "ok", "ok"], ended.err
