"""What a test may do to a running simulator's accounts and keys. Every call returns after it happened."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.controls import CallOnLoop, Number
from exconn_sync.simulator.core.commission import Discount, FeeRates
from exconn_sync.simulator.core.exchange import HOUSE, Exchange
from exconn_sync.simulator.core.order_lists import SimOrderList
from exconn_sync.simulator.core.orders import Fill, SimOrder
from exconn_sync.simulator.keys import KINDS, ApiKey, ClientKey, KeyTable, new_key_pair
from exconn_sync.simulator.symbol_rules import exact

_COMMISSION_KINDS = {"standard": "rates", "special": "special", "tax": "tax"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LENGTH = 64


def random_text(random: Random) -> str:
    """Text in the form of a key or of an HMAC secret."""
    return "".join(random.choices(_LETTERS, k=_LENGTH))


class Accounts:
    """The truth about balances, orders and fills, and who may do what.

    There is one account to begin with, ``demo``, with one HMAC key; ``add`` and ``add_key`` make more of both. Each
    account has balances, orders and private events of its own. Where a method takes an ``api_key``, it means the
    account of that key, and the demo account where none is given.
    """

    def __init__(self, call: CallOnLoop, exchange: Exchange, keys: KeyTable, clock: VenueClock, random: Random) -> None:
        self._call = call
        self._exchange = exchange
        self._keys = keys
        self._clock = clock
        self._random = random
        self._first = next(iter(keys.keys.values()))
        self._handed_out = {
            key.key: ClientKey(key.key, key.secret, key.kind, key.account) for key in keys.keys.values()
        }

    # --- accounts ---------------------------------------------------------------------------------------------------

    def add(self, name: str, funds: Mapping[str, Number] | None = None) -> ClientKey:
        """Open an account with these funds; returns its first key, of HMAC.

        Raises:
            ValueError: there is an account of this name.
        """
        amounts = {asset: exact(amount) for asset, amount in (funds or {}).items()}

        def open_account() -> None:
            if name in self._exchange.accounts:
                raise ValueError(f"there is an account {name!r} already")
            self._exchange.add_account(name)
            for asset, amount in amounts.items():
                self._exchange.deposit(name, asset, amount, self._clock.now_ms())

        self._call(open_account)
        return self.add_key(name)

    def names(self) -> list[str]:
        """The accounts, oldest first; that of the generated market is none of them."""
        return self._call(lambda: [name for name in self._exchange.accounts if name != HOUSE])

    def balances(self, api_key: str | None = None) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and locked amount of each asset."""
        account = self._exchange.accounts[self._account(api_key)]
        return self._call(
            lambda: {asset: (balance.free, balance.locked) for asset, balance in account.balances().items()}
        )

    def deposit(self, asset: str, amount: Number, api_key: str | None = None) -> None:
        """Give an account money from nowhere."""
        extra, name = exact(amount), self._account(api_key)
        self._call(lambda: self._exchange.deposit(name, asset, extra, self._clock.now_ms()))

    def lock(self, asset: str, amount: Number, api_key: str | None = None) -> None:
        """Lock an amount as something outside the markets would, such as a loan; a negative amount is released.

        The account hears ``externalLockUpdate``. Raises InsufficientFunds for more than there is.
        """
        extra, name = exact(amount), self._account(api_key)
        self._call(lambda: self._exchange.lock_outside(name, asset, extra, self._clock.now_ms()))

    def commission(
        self,
        kind: str = "standard",
        *,
        maker: Number = 0,
        taker: Number = 0,
        buyer: Number = 0,
        seller: Number = 0,
    ) -> None:
        """Set the rates of one kind of commission: ``"standard"``, ``"special"`` or ``"tax"``; shares, not per cent."""
        if kind not in _COMMISSION_KINDS:
            raise ValueError(f"a commission is one of {', '.join(_COMMISSION_KINDS)}, not {kind!r}")
        rates = FeeRates(exact(maker), exact(taker), exact(buyer), exact(seller))
        self._call(lambda: setattr(self._exchange.fees, _COMMISSION_KINDS[kind], rates))

    def pay_in_bnb(self, enabled: bool = True, *, discount: Number = "0.25", api_key: str | None = None) -> None:
        """Let an account pay its commissions in BNB, with a discount on the standard part, as long as it has enough."""
        share, account = exact(discount), self._exchange.accounts[self._account(api_key)]

        def change() -> None:
            account.wants_discount = enabled
            self._exchange.fees.discount = Discount(share=share)

        self._call(change)

    def trade_group(self, number: int | None, api_key: str | None = None) -> None:
        """Put an account into a group, or out of any: orders that ask for it do not trade within the group."""
        account = self._exchange.accounts[self._account(api_key)]

        def join() -> None:
            account.trade_group = number

        self._call(join)

    def orders(self, api_key: str | None = None) -> list[SimOrder]:
        """Every order of one account as it stands, or of all accounts where no key is given."""
        name = None if api_key is None else self._account(api_key)
        return self._call(lambda: self._exchange.registry.orders(name))

    def expire(self, client_order_id: str, api_key: str | None = None) -> None:
        """End an open order as the exchange itself does, for maintenance for example (``EXCHANGE_CANCELED``).

        Raises:
            ValueError: the account has no open order with this client id.
        """
        name = self._account(api_key)

        def end() -> None:
            for order in self._exchange.registry.orders(name):
                if order.is_open and order.client_order_id == client_order_id:
                    self._exchange.expire(order, self._clock.now_ms())
                    return
            raise ValueError(f"there is no open order {client_order_id!r}")

        self._call(end)

    def order_lists(self, api_key: str | None = None) -> list[SimOrderList]:
        """Every order list of an account, oldest first; the ids of its orders are those of ``orders``."""
        name = self._account(api_key)
        return self._call(lambda: self._exchange.lists.lists(name))

    def fills(self, api_key: str | None = None) -> list[Fill]:
        """Every fill of one account, or of all accounts where no key is given, oldest first."""
        name = None if api_key is None else self._account(api_key)
        return self._call(lambda: self._exchange.registry.fills(name))

    # --- keys -------------------------------------------------------------------------------------------------------

    def add_key(
        self,
        account: str | None = None,
        *,
        kind: str = "hmac",
        public_key: str | None = None,
        can_trade: bool = True,
    ) -> ClientKey:
        """Give an account another key: ``"hmac"``, ``"rsa"`` or ``"ed25519"``; returns what a client needs of it.

        A key pair is made here, unless ``public_key`` is the PEM text of a public key of your own, which tells its kind
        itself. Key pairs need the package ``cryptography``. Without ``can_trade`` the key may only look.

        Raises:
            ValueError: no such account, no such kind, or a public key of another kind.
        """
        if kind not in KINDS:
            raise ValueError(f"a kind of key is one of {', '.join(KINDS)}, not {kind!r}")
        owner = self._first.account if account is None else account
        private = public = random_text(self._random)
        if public_key is not None:
            private, public = "", public_key
        elif kind != "hmac":
            private, public = new_key_pair(kind)
        key = ApiKey(random_text(self._random), public, owner, can_trade)

        def register() -> None:
            if owner not in self._exchange.accounts:
                raise ValueError(f"there is no account {owner!r}")
            self._keys.add(key)

        self._call(register)
        made = ClientKey(key.key, private, key.kind, owner)
        self._handed_out[key.key] = made
        return made

    def permit(self, api_key: str, *, trade: bool) -> None:
        """Switch trading on or off for a key. Raises ValueError for a key that is not there."""

        def switch() -> None:
            self._keys.named(api_key).can_trade = trade

        self._call(switch)

    def revoke(self, api_key: str, *, silently: bool = False) -> None:
        """Make a key unknown. Its private events end at once.

        Over REST it is refused with -2015. A connection to the WebSocket API that it was used on is told so without
        being asked, status 401 and no id: at once where it had private events, and otherwise, or ``silently``, after
        its next request. Raises ValueError for a key that is not there.
        """
        self._call(lambda: self._keys.revoke(api_key, silently=silently))

    def client_key(self, account: str | ClientKey | None = None) -> ClientKey:
        """The oldest key of an account that was not revoked; of the demo account where none is given.

        Raises:
            ValueError: there is no such account or key.
        """
        if isinstance(account, ClientKey):
            return account
        name = self._first.account if account is None else account
        return self._handed_out[self._call(lambda: self._keys.of_account(name)).key]

    def _account(self, api_key: str | None) -> str:
        return self._first.account if api_key is None else self._handed_out[api_key].account
