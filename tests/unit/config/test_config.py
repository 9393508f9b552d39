"""Settings are checked when they are made, and show no secret."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.config import Config, ConfigBuilder, Credentials
from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.ports import registry
from exconn_sync.ports.registry import find_driver, known_exchanges, register_driver

KEY, SECRET = "canary-key-77", "canary-secret-77"
ENV = {"EXCONN_BINANCE_API_KEY": KEY, "EXCONN_BINANCE_API_SECRET": SECRET}


def whole(error: BaseException) -> str:
    """Return all that a log of an error may show."""
    return "".join(traceback.format_exception(error)) + repr(vars(error))


@pytest.mark.parametrize("name", ["nowhere", "", "Binance", "_template", "binance.driver", "../binance", None, 7])
def test_an_unknown_exchange_is_told_which_ones_are_known(name: Any) -> None:
    for make in (Config.builder, Config, Config.from_env):
        with pytest.raises(ValidationError, match="binance") as caught:
            make(name)
        assert caught.value.field == "exchange"


@pytest.mark.parametrize(
    ("name", "given", "right"),
    [
        ("rest", "https://testnet.binance.vision/api/v3", "https://testnet.binance.vision"),
        ("rest", "https://testnet.binance.vision/api", "https://testnet.binance.vision"),
    ],
)
def test_a_base_url_with_what_is_added_to_it_is_told_the_right_form(name: str, given: str, right: str) -> None:
    for make in (
        lambda: Config.builder("binance").endpoints(**{name: given}),
        lambda: Config("binance", endpoints={name: given}),
    ):
        with pytest.raises(ValidationError, match="must be given without") as caught:
            make()
        assert caught.value.field == name
        assert caught.value.constraint.endswith((".vision", ".com"))
    with pytest.raises(ValidationError) as caught:
        Config.from_env("binance", {f"EXCONN_BINANCE_ENDPOINT_{name.upper()}": given})
    assert caught.value.field == f"EXCONN_BINANCE_ENDPOINT_{name.upper()}"
    assert given not in whole(caught.value)
    assert Config.builder("binance").endpoints(**{name: right}).build().endpoints[name] == right


@pytest.mark.parametrize("end", ["", "/ws", "/stream"])
def test_a_url_of_streams_may_have_the_form_of_either_connection(end: str) -> None:
    url = "wss://stream.testnet.binance.vision" + end
    assert Config.builder("binance").endpoints(stream=url + "/").build().endpoints["stream"] == url


@pytest.mark.parametrize("end", ["/ws/stream", "/stream/ws"])
def test_a_url_of_streams_with_both_forms_is_refused(end: str) -> None:
    """Such a connection is opened and stays empty."""
    with pytest.raises(ValidationError, match="with neither") as caught:
        Config.builder("binance").endpoints(stream="wss://stream.testnet.binance.vision" + end)
    assert caught.value.field == "stream"


def test_a_registered_driver_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})

    class Venue:
        name = "venue"

    driver: Any = Venue()
    register_driver(driver)
    assert find_driver("venue") is driver
    assert {"binance", "venue"} <= set(known_exchanges())
    assert known_exchanges() == sorted(known_exchanges())


def test_a_registered_driver_wins_over_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    original = find_driver("binance")

    class Other:
        name = "binance"

    other: Any = Other()
    register_driver(other)
    assert find_driver("binance") is other
    assert original is not other


def test_an_installed_entry_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("plugin", "exconn_sync.exchanges.binance.driver:DRIVER", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "_entry_points", lambda: [point])
    assert find_driver("plugin") is find_driver("binance")
    assert "plugin" in known_exchanges()


# --- secrets --------------------------------------------------------------------------------------------------------


def test_no_way_of_showing_a_configuration_shows_the_secret() -> None:
    """(fault F169)"""
    config = Config.builder("binance").credentials(KEY, SECRET).build()
    shown = [repr(config), str(config), f"{config}", repr(vars(config)), repr(config.credentials),
             repr(dataclasses.fields(config)), repr([config]), f"{config.credentials}"]  # fmt: skip
    for text in shown:
        assert "canary" not in text
    for take in (pickle.dumps, copy.copy, copy.deepcopy, dataclasses.asdict):
        with pytest.raises(TypeError) as caught:
            take(config)
        assert "canary" not in whole(caught.value)
    assert config.credentials == Credentials.of(KEY, SECRET)


BAD_CREDENTIALS: list[tuple[Any, Any, str]] = [
    ("", SECRET, "api_key"),
    (KEY, "", "api_secret"),
    (None, SECRET, "api_key"),
    (KEY, 7, "api_secret"),
    (KEY + "\n", SECRET, "api_key"),
    (" " + KEY, SECRET, "api_key"),
    ("canary key", SECRET, "api_key"),
    ("canary\u00a0key", SECRET, "api_key"),
    (KEY, SECRET + "\n", "api_secret"),
]


@pytest.mark.parametrize(("key", "secret", "field"), BAD_CREDENTIALS)
def test_malformed_credentials_are_refused_unseen(key: Any, secret: Any, field: str) -> None:
    """(fault F165)"""
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").credentials(key, secret)
    assert caught.value.field == field
    assert "canary" not in whole(caught.value).replace("canary-key-77\\n", "")


# --- environment variables ------------------------------------------------------------------------------------------


def test_everything_can_come_from_the_environment() -> None:
    """(fault F177)"""
    config = Config.from_env("binance", {
        **ENV, "EXCONN_BINANCE_ENVIRONMENT": "testnet", "EXCONN_BINANCE_ENDPOINT_REST": "https://example.org/x/",
    })  # fmt: skip
    assert config.environment == "testnet"
    assert config.endpoints["rest"] == "https://example.org/x"
    assert config.endpoints["stream"] == find_driver("binance").endpoints("testnet")["stream"]
    assert config.credentials == Credentials.of(KEY, SECRET)


def test_without_variables_there_are_no_credentials() -> None:
    config = Config.from_env("binance", {})
    assert config.credentials is None
    assert config.environment == "production"


BAD_ENVIRONMENT: list[tuple[str, dict[str, str]]] = [
    ("EXCONN_BINANCE_API_SECRET", {"EXCONN_BINANCE_API_KEY": KEY}),
    ("EXCONN_BINANCE_API_KEY", {"EXCONN_BINANCE_API_SECRET": SECRET}),
    ("EXCONN_BINANCE_API_SECRET", {"EXCONN_BINANCE_API_KEY": KEY, "EXCONN_BINANCE_API_SECRET": ""}),
    ("EXCONN_BINANCE_API_KEY", {**ENV, "EXCONN_BINANCE_API_KEY": "canary key"}),
    ("EXCONN_BINANCE_API_SECRET", {**ENV, "EXCONN_BINANCE_API_SECRET": " canary"}),
    ("EXCONN_BINANCE_ENVIRONMENT", {"EXCONN_BINANCE_ENVIRONMENT": "canary"}),
    ("EXCONN_BINANCE_ENDPOINT_REST", {"EXCONN_BINANCE_ENDPOINT_REST": "ftp://canary"}),
    ("EXCONN_BINANCE_ENDPOINT_REST", {"EXCONN_BINANCE_ENDPOINT_REST": "http://canary.example"}),
    ("EXCONN_BINANCE_ENDPOINT_STREAM", {"EXCONN_BINANCE_ENDPOINT_STREAM": "wss://user:canary@example.org"}),
    ("EXCONN_BINANCE_ENDPOINT_WS_API", {"EXCONN_BINANCE_ENDPOINT_WS_API": "wss://[canary"}),
]


@pytest.mark.parametrize(("variable", "environ"), BAD_ENVIRONMENT)
def test_a_malformed_variable_is_named_and_its_value_is_not(variable: str, environ: dict[str, str]) -> None:
    """(fault F177)"""
    with pytest.raises(ValidationError) as caught:
        Config.from_env("binance", environ)
    assert caught.value.field == variable
    assert "canary" not in str(caught.value) + repr(vars(caught.value))


def test_the_builder_reads_the_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENV:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AuthenticationError, match="EXCONN_BINANCE_API_KEY and EXCONN_BINANCE_API_SECRET") as caught:
        Config.builder("binance").api_key_from_env()
    assert caught.value.outcome == "not_sent"
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    assert Config.builder("binance").api_key_from_env().build().credentials == Credentials.of(KEY, SECRET)


# --- URLs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "url", "kept"),
    [
        ("rest", "https://api.example.org", "https://api.example.org"),
        ("rest", "https://api.example.org:8443/base/", "https://api.example.org:8443/base"),
        ("rest", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("rest", "http://localhost", "http://localhost"),
        ("rest", "http://[::1]:80", "http://[::1]:80"),
        ("stream", "wss://stream.example.org/", "wss://stream.example.org"),
        ("stream", "ws://127.0.0.1:9", "ws://127.0.0.1:9"),
    ],
)
def test_a_safe_url_is_taken(name: str, url: str, kept: str) -> None:
    assert Config("binance", endpoints={name: url}).endpoints[name] == kept


BAD_URLS: list[tuple[str, Any]] = [
    ("rest", "http://api.example.org"), ("stream", "ws://stream.example.org"), ("rest", "wss://api.example.org"),
    ("stream", "https://stream.example.org"), ("rest", "http://127.0.0.1.evil.example"),
    ("rest", "http://localhost.evil.example"), ("rest", "http://localhost@evil.example"),
    ("rest", "https://user:canary@api.example.org"), ("rest", "ftp://user:canary@api.example.org"),
    ("rest", "https://api.example.org?key=canary"), ("rest", "https://api.example.org#canary"),
    ("rest", "https://api.example.org?"), ("rest", "https://"), ("rest", "https:///path"), ("rest", ""), ("rest", None),
    ("rest", 7), ("rest", b"https://api.example.org"), ("rest", "api.example.org"), ("rest", "https://[::1"),
    ("rest", "https://api.example.org:99999"), ("rest", "https://api.example.org:x"), ("rest", "https://h:0"),
    ("rest", "https://api.exa\nmple.org"), ("rest", "https://api.example.org/\r\nX: y"), ("rest", " https://x.org"),
    ("rest", "https://x.org\\@evil.example"), ("rest", "http://127.0.0.1\\.evil.example"), ("rest", "https://exämple.org"),
    ("rest", "file:///etc/passwd"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "url"), BAD_URLS)
def test_an_unsafe_url_is_refused_at_once_without_its_password(name: str, url: Any) -> None:
    """(fault F175)"""
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").endpoints(**{name: url})
    assert caught.value.field == name
    assert "canary" not in str(caught.value)
    with pytest.raises(ValidationError):
        Config("binance", endpoints={name: url})


def test_an_unknown_endpoint_is_told_which_ones_are_known() -> None:
    for make in (
        lambda: Config.builder("binance").endpoints(websocket="wss://example.org"),
        lambda: Config("binance", endpoints={"websocket": "wss://example.org"}),
    ):
        with pytest.raises(ValidationError, match="rest, stream, ws_api"):
            make()


# --- builder --------------------------------------------------------------------------------------------------------

MISTAKES: list[tuple[str, Callable[[ConfigBuilder], object]]] = [
    ("environment", lambda builder: builder.environment("moon")),
    ("connect", lambda builder: builder.timeouts(connect=0)),
    ("read", lambda builder: builder.timeouts(read=-1)),
    ("write", lambda builder: builder.timeouts(write=float("nan"))),
    ("request", lambda builder: builder.timeouts(request=float("inf"))),
    ("snapshot", lambda builder: builder.timeouts(snapshot=True)),
    ("read", lambda builder: builder.timeouts(read="5")),  # type: ignore[arg-type]
    ("cap", lambda builder: builder.reconnect(base=5, cap=1)),
    ("idle_timeout", lambda builder: builder.reconnect(idle_timeout=0)),
    ("clock", lambda builder: builder.intervals(clock=0)),
    ("share", lambda builder: builder.rate_limits(share="galaxy")),
    ("window_ms", lambda builder: builder.rate_limits(window_ms=0)),
    ("window_ms", lambda builder: builder.rate_limits(window_ms=60001)),
    ("window_ms", lambda builder: builder.rate_limits(window_ms=True)),
    ("window_ms", lambda builder: builder.rate_limits(window_ms=10**5000)),
    ("max_order_notional", lambda builder: builder.risk(max_order_notional="0")),
    ("max_order_notional", lambda builder: builder.risk(max_order_notional=1.5)),
    ("journal", lambda builder: builder.journal("punchcard")),
    ("archive_after", lambda builder: builder.journal("sqlite:j.db", archive_after=3600)),
    ("archive_after", lambda builder: builder.journal("sqlite:j.db", archive_after=float("nan"))),
    ("archive_after", lambda builder: builder.journal("sqlite:j.db", archive_after="1e6")),  # type: ignore[arg-type]
    ("archive_after", lambda builder: builder.journal("memory", archive_after=10**6)),
    ("buffer", lambda builder: builder.delivery(buffer=0)),
    ("buffer", lambda builder: builder.delivery(buffer=1.5)),  # type: ignore[arg-type]
    ("overflow", lambda builder: builder.delivery(overflow="explode")),
]


@pytest.mark.parametrize(("field", "mistake"), MISTAKES)
def test_a_mistake_is_refused_where_it_is_made(field: str, mistake: Callable[[ConfigBuilder], object]) -> None:
    builder = Config.builder("binance")
    with pytest.raises(ValidationError) as caught:
        mistake(builder)
    assert caught.value.field == field
    assert builder.build() == Config("binance")


def test_the_builder_keeps_everything() -> None:
    class Rule:
        name = "rule"

        def check(self, proposal: object) -> None:
            """Let everything pass."""

    rule = Rule()
    config = (
        Config.builder("binance").environment("testnet").timeouts(read=3).reconnect(base=2, cap=9).intervals(clock=7)
        .rate_limits(window_ms=1000).risk(rule, max_order_notional="5000").delivery(buffer=5, overflow="block").build()
    )  # fmt: skip
    assert config.environment == "testnet"
    assert (config.timeouts.read, config.reconnect.cap, config.intervals.clock) == (3, 9, 7)
    assert config.risk.max_order_notional == Decimal(5000)
    assert config.rules == (rule,)
    assert (config.delivery.buffer, config.delivery.overflow, config.rate_limits.window_ms) == (5, "block", 1000)


def test_a_configuration_cannot_be_changed() -> None:
    urls = {"rest": "https://api.example.org"}
    config = Config("binance", endpoints=urls)
    urls["rest"] = "https://evil.example"
    assert config.endpoints["rest"] == "https://api.example.org"
    frozen: list[tuple[Any, str]] = [(config, "environment"), (config.timeouts, "read"), (config.delivery, "buffer")]
    for owner, name in frozen:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(owner, name, None)
    with pytest.raises(TypeError):
        config.endpoints["rest"] = "x"  # type: ignore[index]


def test_a_later_change_of_the_builder_leaves_the_built_alone() -> None:
    builder = Config.builder("binance")
    config = builder.build()
    builder.environment("testnet")
    assert config.environment == "production"


@pytest.mark.parametrize("method", ["timeouts", "reconnect", "intervals"])
def test_a_misspelt_setting_is_named_with_the_known_ones(method: str) -> None:
    with pytest.raises(ValidationError, match="no such setting; known are") as caught:
        getattr(Config.builder("binance"), method)(reed=3)
    assert caught.value.field == "reed"


def test_a_key_the_exchange_cannot_sign_with_is_refused_when_the_configuration_is_made() -> None:
    """(fault F165)"""
    pem = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").credentials(KEY, pem).build()
    assert "canary" not in whole(caught.value)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"book_interval_ms": 0}, "book_interval_ms"),
        ({"book_interval_ms": True}, "book_interval_ms"),
        ({"book_interval_ms": "100"}, "book_interval_ms"),
        ({"book_interval_ms": 250}, "book_interval_ms"),
        ({"microseconds": 1}, "microseconds"),
    ],
)
def test_settings_of_market_streams_are_checked(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").market_streams(**settings).build()
    assert caught.value.field == field


def test_settings_of_the_account_stream_are_checked_and_kept() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").account_stream(microseconds=1)  # type: ignore[arg-type]
    assert caught.value.field == "microseconds"
    assert Config.builder("binance").account_stream(microseconds=True).build().account_stream.microseconds
    assert not Config("binance").account_stream.microseconds


def test_settings_of_market_streams_are_kept() -> None:
    config = Config.builder("binance").market_streams(book_interval_ms=1000, microseconds=True).build()
    assert (config.market_streams.book_interval_ms, config.market_streams.microseconds) == (1000, True)
    assert Config("binance").market_streams.book_interval_ms is None


def test_commands_go_over_a_socket_only_where_there_is_one() -> None:
    assert Config.builder("bybit").build().commands == "rest"
    assert Config.builder("bybit").commands(via="socket").build().commands == "socket"
    for exchange, environment, via in (
        ("binance", "production", "socket"),
        ("bybit", "demo", "socket"),
        ("bybit", "production", "pigeon"),
    ):
        with pytest.raises(ValidationError) as caught:
            Config(exchange, environment=environment, commands=via)
        assert caught.value.field == "commands"


def test_orders_end_with_the_connection_only_where_the_exchange_sees_to_it() -> None:
    assert Config.builder("bybit").cancel_on_disconnect().build().cancel_on_disconnect
    for exchange, environment in (("binance", "production"), ("bybit", "demo")):
        with pytest.raises(ValidationError) as caught:
            Config(exchange, environment=environment, cancel_on_disconnect=True)
        assert caught.value.field == "cancel_on_disconnect"
    with pytest.raises(ValidationError):
        Config("bybit", cancel_on_disconnect="yes")  # type: ignore[arg-type]
