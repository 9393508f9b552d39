"""The same exchange over TLS."""

import json
import socket
import ssl
import subprocess
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from exconn_sync import Connector, OrderRequest
from exconn_sync.simulator import Simulator

from .certificates import Certificates, make_certificates
from .clients import PATIENCE_S, Rest, Socket, WsApi
from .conftest import REPOSITORY
from .test_cli import COMMAND


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


def test_all_addresses_are_secure_and_serve(certificates: Certificates) -> None:
    files = (certificates.cert_file, certificates.key_file)
    with Simulator(running_market=False, tls=files, ca_file=certificates.ca_file) as simulator:
        assert simulator.ca_file == certificates.ca_file
        schemes = [
            urlsplit(url).scheme for url in (simulator.rest, simulator.admin, simulator.stream, simulator.ws_api)
        ]
        assert schemes == ["https", "https", "wss", "wss"]
        rest = Rest(simulator)
        assert rest.limit("BUY", "0.1", "50000")[0] == 200
        stream, private = Socket(f"{simulator.stream}/ws/btcusdt@trade", certificates.ca_file), WsApi(simulator)
        simulator.market.trade("BTCUSDT", "buy", "0.01")
        assert stream.receive()["e"] == "trade"
        assert private.subscribe() == 0
        simulator.faults.drop_connections()
        for one in (stream, private):
            with pytest.raises((ConnectionError, ssl.SSLError)):
                one.receive()
            one.close()
        rest.close()


def test_a_context_and_a_client_without_trust(certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert_file, certificates.key_file)
    with Simulator(running_market=False, tls=context) as simulator:
        assert simulator.ca_file is None
        with pytest.raises(ssl.SSLCertVerificationError):
            Socket(simulator.stream + "/ws")


def test_the_configuration_names_the_secure_addresses(certificates: Certificates) -> None:
    with Simulator(running_market=False, tls=(certificates.cert_file, certificates.key_file)) as simulator:
        assert simulator.config().endpoints["rest"] == simulator.rest
        assert simulator.config().network.ca_file is None


def test_a_connector_needs_nothing_but_the_configuration(certificates: Certificates) -> None:
    """Its authority is handed on, also beside other settings of the network (fault F174)."""
    files = (certificates.cert_file, certificates.key_file)
    with Simulator(running_market=False, tls=files, ca_file=certificates.ca_file) as simulator:
        with Connector(simulator.config()) as connector:
            connector.wait_ready(PATIENCE_S)
            order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
            assert order.wait(timeout=PATIENCE_S)
        behind_proxy = simulator.config(network={"proxy": "http://127.0.0.1:3128"}).network
        assert behind_proxy.ca_file == str(certificates.ca_file)
        assert behind_proxy.proxy_address is not None
        other = simulator.config(network={"ca_file": str(certificates.cert_file)}).network
        assert other.ca_file == str(certificates.cert_file)


def test_without_tls_no_authority_is_handed_on(certificates: Certificates) -> None:
    with Simulator(running_market=False, ca_file=certificates.ca_file) as simulator:
        assert simulator.config().network.ca_file is None


def test_stop_while_handshakes_hang(certificates: Certificates) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulator = Simulator(tls=(certificates.cert_file, certificates.key_file)).start()
        address = urlsplit(simulator.rest)
        halves = [socket.create_connection((address.hostname or "", address.port or 0), PATIENCE_S) for _ in range(3)]
        # Served over the same listener, later: the three before are accepted by now.
        Socket(f"{simulator.stream}/ws", certificates.ca_file).close()
        simulator.stop(timeout=3)
    for half in halves:
        assert half.recv(1) == b""
        half.close()


@pytest.mark.parametrize("broken", ["cert_file", "key_file"])
def test_unusable_files_are_told(certificates: Certificates, broken: str) -> None:
    files = {"cert_file": certificates.cert_file, "key_file": certificates.key_file, broken: Path("nowhere.pem")}
    with pytest.raises(FileNotFoundError):
        Simulator(tls=(files["cert_file"], files["key_file"]))


def test_the_program_serves_tls(certificates: Certificates) -> None:
    options = ["--json", "--tls-cert", str(certificates.cert_file), "--tls-key", str(certificates.key_file)]
    program = subprocess.Popen(
        [*COMMAND, *options], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        facts = json.loads(program.stdout.readline())
        pool = urllib3.PoolManager(ca_certs=str(certificates.ca_file))
        assert pool.request("GET", f"{facts['rest']}/api/v3/ping").data == b"{}"
        pool.clear()
        program.terminate()
        _, errors = program.communicate(timeout=20)
    finally:
        program.kill()
        program.communicate()
    assert (program.returncode, errors) == (0, "")


def test_a_certificate_needs_its_key() -> None:
    ended = subprocess.run(
        [*COMMAND, "--tls-cert", "x"], cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2
    assert "--tls-cert and --tls-key need each other" in ended.stderr
