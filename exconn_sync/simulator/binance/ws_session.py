"""Who is signed in on a connection to the WebSocket API, and whose events it has subscribed."""

from dataclasses import dataclass

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.security import Security
from exconn_sync.simulator.binance.user_stream import Subscriber, UserStreams, envelope, stream_terminated
from exconn_sync.simulator.binance.venue import Call, Endpoint, Handler, Venue
from exconn_sync.simulator.binance.wire import to_json
from exconn_sync.simulator.keys import ApiKey
from exconn_sync.simulator.outlet import Outlet

LOGIN = "userDataStream.subscribe.signature"
_KEY_OF_SESSION = "ed25519"
_WEIGHT = 2
_MOST_ACTIVE, _MOST_EVER = 1000, 65535


@dataclass(slots=True)
class _Subscription:
    """Events of one account; ``is_of_session`` ones end with the logout."""

    key: ApiKey
    subscriber: Subscriber
    is_of_session: bool


class AccountSession:
    """One session: signed in by ``session.logon``, or by each subscription's own signature."""

    def __init__(self, connection: Outlet, venue: Venue, streams: UserStreams, unit: int, *, with_limits: bool) -> None:
        self._connection = connection
        self._venue = venue
        self._streams = streams
        self._unit = unit
        self._with_limits = with_limits
        self._connected_since = venue.clock.now_ms()
        self._authorized_since: int | None = None
        self._subscriptions: dict[int, _Subscription] = {}
        self._next_id = 0
        self._owes_notice = False
        self.key: ApiKey | None = None
        self._methods: dict[str, tuple[Security, Handler]] = {
            LOGIN: (Security.SIGNED, lambda call: self._subscribe(call, is_of_session=False)),
            "userDataStream.subscribe": (Security.SESSION, lambda call: self._subscribe(call, is_of_session=True)),
            "userDataStream.unsubscribe": (Security.NONE, self._unsubscribe),
            "session.subscriptions": (Security.NONE, self._list),
            "session.logon": (Security.SIGNED, self._logon),
            "session.status": (Security.NONE, self._status),
            "session.logout": (Security.NONE, self._logout),
        }
        venue.keys.on_revoked.append(self._revoked)

    def endpoint(self, method: str) -> Endpoint | None:
        """The call of a method that concerns the session itself."""
        found = self._methods.get(method)
        return None if found is None else Endpoint(found[1], lambda _: _WEIGHT, found[0])

    def count(self) -> int:
        """How many accounts' events are subscribed."""
        return len(self._subscriptions)

    def ended(self) -> None:
        """Forget everything: the connection is gone."""
        self._venue.keys.on_revoked.remove(self._revoked)
        for subscription in self._subscriptions.values():
            self._streams.unsubscribe(subscription.key.account, subscription.subscriber)
        self._subscriptions.clear()

    def end_all(self) -> int:
        """End all subscriptions and say so."""
        ended = list(self._subscriptions)
        for subscription_id in ended:
            self._end(subscription_id)
        return len(ended)

    def after_request(self) -> None:
        """Say that the key of the session is gone, if it is: nobody has asked, so no request is named."""
        if self._owes_notice:
            self._owes_notice = False
            error = errors.bad_key()
            self._connection.send(to_json({"id": None, "status": error.status, "error": error.body()}))

    # --- methods ----------------------------------------------------------------------------------------------------

    def _subscribe(self, call: Call, *, is_of_session: bool) -> object:
        call.params.finish()
        key = call.known_key
        if any(known.key.account == key.account for known in self._subscriptions.values()):
            raise errors.ApiError(-2035, "User Data Stream subscription is already active.")
        if len(self._subscriptions) >= _MOST_ACTIVE or self._next_id >= _MOST_EVER:
            raise errors.ApiError(-2042, "The session has reached its maximum number of subscriptions.")
        subscription_id = self._next_id
        self._next_id += 1
        subscriber = (self._connection.send_event, subscription_id, self._unit)
        self._subscriptions[subscription_id] = _Subscription(key, subscriber, is_of_session)
        self._streams.subscribe(key.account, subscriber)
        return {"subscriptionId": subscription_id}

    def _unsubscribe(self, call: Call) -> object:
        wanted = call.params.integer("subscriptionId")
        call.params.finish()
        if wanted is not None and wanted not in self._subscriptions:
            raise errors.ApiError(-2036, "User Data Stream subscription is not active.")
        for subscription_id in list(self._subscriptions) if wanted is None else [wanted]:
            self._end(subscription_id)
        return {}

    def _list(self, call: Call) -> object:
        call.params.finish()
        return [{"subscriptionId": subscription_id} for subscription_id in self._subscriptions]

    def _logon(self, call: Call) -> object:
        call.params.finish()
        key = call.known_key
        if key.kind != _KEY_OF_SESSION:
            # That it is refused is documented, by which code is not; this one is for keys that may not do something.
            raise errors.bad_key()
        self.key, self._authorized_since = key, call.now
        return self._report(call)

    def _status(self, call: Call) -> object:
        call.params.finish()
        return self._report(call)

    def _logout(self, call: Call) -> object:
        call.params.finish()
        self.key = self._authorized_since = None
        for subscription_id, known in list(self._subscriptions.items()):
            if known.is_of_session:
                self._end(subscription_id)
        return self._report(call)

    def _report(self, call: Call) -> dict[str, object]:
        since = self._authorized_since
        return {
            "apiKey": None if self.key is None else self.key.key,
            "authorizedSince": None if since is None else call.time(since),
            "connectedSince": call.time(self._connected_since),
            "returnRateLimits": self._with_limits,
            "serverTime": call.time(call.now),
            "userDataStream": bool(self._subscriptions),
        }

    # --- the end of subscriptions -----------------------------------------------------------------------------------

    def _end(self, subscription_id: int) -> None:
        self._drop(subscription_id)
        clock = self._venue.clock
        now = clock.now_ms() if self._unit == 1 else clock.now_us()
        self._connection.send(envelope(subscription_id, stream_terminated(now)))

    def _drop(self, subscription_id: int) -> None:
        known = self._subscriptions.pop(subscription_id)
        self._streams.unsubscribe(known.key.account, known.subscriber)

    def _revoked(self, key: ApiKey, silently: bool) -> None:
        """A key died: its events end, and the session is told, at the latest after its next request."""
        dead = [subscription_id for subscription_id, known in self._subscriptions.items() if known.key is key]
        for subscription_id in dead:
            self._drop(subscription_id)
        if not dead and key is not self.key:
            return
        if key is self.key:
            self.key = self._authorized_since = None
        self._owes_notice = True
        if dead and not silently:
            self.after_request()
