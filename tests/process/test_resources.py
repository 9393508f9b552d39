"""A process that has no more descriptors or threads to give: what runs goes on, what cannot begin is tried again."""

from __future__ import annotations

from tests.process.support import run

WATCH = """
import resource, urllib.request
def drop():
    # On a connection that is there already: a new one would need a descriptor.
    admin.request("POST", urllib.parse.urlsplit(EXCHANGE["admin"]).path + "/faults/drop_connections",
                  b'{"kind": "stream"}', {"Content-Type": "application/json"})
    assert admin.getresponse().read() is not None
import http.client, urllib.parse
admin = http.client.HTTPConnection(urllib.parse.urlsplit(EXCHANGE["admin"]).netloc)
admin.connect()
connector = Connector(make_config())
lost, told = threading.Event(), []
def on_connection(event):
    if event.connection == "market" and not event.is_up:
        told.append(event.reason)
        lost.set()
def on_error(event):
    errors.append((event.where, str(event.error)))
    failed.set()
errors, failed = [], threading.Event()
connector.on_connection(on_connection)
connector.on_error(on_error)
trades = connector.stream_book_ticker("BTC-USDT")
connector.start()
connector.wait_ready(10)
trades.get(10)
"""


def test_without_descriptors_it_tries_again_until_there_are_some(exchange: str) -> None:
    """A loss like any other: told once, no tight loop, no worker dies of it (fault F143)."""
    ended = run(
        WATCH
        + """
open_now = [int(name) for name in os.listdir("/proc/self/fd")]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_now) + 2, hard))
taken = []
def take():
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
take()
drop()
assert lost.wait(10)
# Also the one that the lost connection had.
take()
began = time.process_time()
time.sleep(0.8)
assert time.process_time() - began < 0.6
assert connector.fills() == [] and connector.health().state == "degraded", connector.health()
try:
    connector.fetch_server_time()
except ConnectionFailed as error:
    assert error.temporary
for descriptor in taken:
    os.close(descriptor)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
connector.wait_ready(10)
while trades.pending:
    trades.get(10)
trades.get(10)
print(len(told), len(errors), sum(report.restarts for report in connector.workers()))
assert connector.stop(5) == []
""",
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    assert ended.out == "1 0 0\n"


def test_a_crashed_worker_without_a_thread_is_started_once_there_is_one(exchange: str) -> None:
    """The address space is too small for a further stack; failed starts are tried again with pauses (fault F143)."""
    ended = run(
        WATCH
        + """
from exconn_sync._runtime.faultpoints import installed
crashed = threading.Event()
def crash():
    if threading.current_thread().name == "exconn-binance-market" and not crashed.is_set():
        crashed.set()
        raise RuntimeError("a defect")
def try_thread():
    try:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        return True
    except RuntimeError:
        return False
mapped = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
threading.stack_size(256 << 20)
resource.setrlimit(resource.RLIMIT_AS, (mapped + (128 << 20), resource.RLIM_INFINITY))
assert not try_thread()
with installed("stream.after_read", crash):
    assert crashed.wait(10)
def restarts():
    return {report.name: report.restarts for report in connector.workers()}["binance-market"]
limit = time.monotonic() + 10
while restarts() < 2:
    assert time.monotonic() < limit, connector.workers()
    time.sleep(0.01)
assert connector.fetch_server_time() > 0
assert errors == [], "its callback has no thread either"
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
threading.stack_size(0)
connector.wait_ready(10)
while trades.pending:
    trades.get(10)
trades.get(10)
assert errors or failed.wait(10)
assert connector.stop(5) == []
print("well", {where for where, _ in errors}, any("thread" in text for _, text in errors))
""",
        exchange,
    )
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    assert ended.out == "well {'worker binance-market'} True\n"
