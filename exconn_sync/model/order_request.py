"""An order as the user asks for it; checked when it is made, long before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from exconn_sync.model.enums import OrderType, PegPrice, SelfTradePrevention, Side, TimeInForce
from exconn_sync.model.ids import client_order_id_of
from exconn_sync.model.order_terms import OrderTerms

Number = Decimal | int | str


@dataclass(frozen=True)
class OrderRequest(OrderTerms):
    """What the user wants; checked when it is made, long before anything is sent.

    Use the named constructors, and ``with_options`` for what goes with several kinds. ``symbol`` is canonical
    (``BTC-USDT``) or the exchange's spelling; ``quantity`` is in the base asset, ``price`` and ``stop_price`` in quote
    per base, ``quote_quantity`` in the quote asset, ``trailing_delta`` in basis points (hundredths of a percent).
    Numbers are ``Decimal``, ``int`` or text; a float is refused. ``client_order_id`` is made by the library where it is
    None.

    ``quantity`` may be the word ``received`` for a pending order of a list: it sells what the order before it bought.

    Raises:
        ValidationError: any argument breaks its rule.
    """

    def with_options(
        self,
        *,
        iceberg_quantity: Number | None = None,
        self_trade_prevention: SelfTradePrevention | str | None = None,
        smart_routing: bool | None = None,
        peg: PegPrice | str | None = None,
        peg_offset: int | None = None,
        strategy_id: int | None = None,
        strategy_type: int | None = None,
        take_profit: Number | None = None,
        take_profit_limit_price: Number | None = None,
        stop_loss: Number | None = None,
        stop_loss_limit_price: Number | None = None,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return the order with further options; what is None stays as it is.

        Args:
            iceberg_quantity: how much of a resting order the book shows at a time, in the base asset.
            self_trade_prevention: what happens instead of a trade between orders of the same account.
            smart_routing: let the exchange take liquidity from several of its own books (Binance: SOR, 5.10).
            peg: let the exchange take the price from its book, as in ``pegged``; with a price of its own the order must
                pass the exchange's rules at both.
            peg_offset: how many existing levels deeper.
            strategy_id: a number of your own that the exchange keeps with the order.
            strategy_type: likewise; Binance wants 1,000,000 or more.
            take_profit: once a limit order is filled, the exchange places an order of the other side that waits for
                this price, in quote per base (Bybit: 4.7). With ``stop_loss`` too, one of the two cancels the other.
            take_profit_limit_price: the limit price of that order; without it, it is a market order.
            stop_loss: the same for a price that goes the wrong way.
            stop_loss_limit_price: as ``take_profit_limit_price``.
            client_order_id: your id of the order, 1 to 36 of ``A-Z a-z 0-9 _ -``.

        Raises:
            ValidationError: the option does not go with this kind of order.
        """
        options = {
            "iceberg_quantity": iceberg_quantity,
            "self_trade_prevention": self_trade_prevention,
            "smart_routing": smart_routing,
            "peg": peg,
            "peg_offset": peg_offset,
            "strategy_id": strategy_id,
            "strategy_type": strategy_type,
            "take_profit": take_profit,
            "take_profit_limit_price": take_profit_limit_price,
            "stop_loss": stop_loss,
            "stop_loss_limit_price": stop_loss_limit_price,
            "client_order_id": client_order_id,
        }
        chosen: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        return replace(self, **chosen)

    # --- named constructors -----------------------------------------------------------------------------------------

    @classmethod
    def limit(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        price: Number,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return a limit order: trade at ``price`` or better."""
        return _made(
            cls, symbol, side, OrderType.LIMIT, quantity=quantity, price=price, time_in_force=time_in_force,
            post_only=post_only, client_order_id=client_order_id,
        )  # fmt: skip

    @classmethod
    def market(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number | None = None,
        quote_quantity: Number | None = None,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return a market order for ``quantity`` of the base asset, or for ``quote_quantity`` of the quote asset."""
        return _made(
            cls, symbol, side, OrderType.MARKET, quantity=quantity, quote_quantity=quote_quantity,
            client_order_id=client_order_id,
        )  # fmt: skip

    @classmethod
    def pegged(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        peg: PegPrice | str = PegPrice.PRIMARY,
        offset: int | None = None,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return a limit order whose price the exchange takes from its book when the order arrives there.

        ``peg`` is ``primary`` (the best price of its own side) or ``market`` (the best of the opposite side), and
        ``offset`` how many existing levels deeper, 1 to 100. The price stays as it is then; it does not follow the
        market (Binance: 5.8).
        """
        return _made(
            cls, symbol, side, OrderType.LIMIT, quantity=quantity, peg=peg, peg_offset=offset,
            time_in_force=time_in_force, post_only=post_only, client_order_id=client_order_id,
        )  # fmt: skip

    @classmethod
    def stop_limit(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        price: Number,
        stop_price: Number | None = None,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        client_order_id: str | None = None,
        *,
        trailing_delta: int | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a limit order at ``price`` once the market trades at ``stop_price``.

        A sell waits for a fall, a buy for a rise. With ``trailing_delta`` the level follows the market at this distance
        in basis points, from the beginning or, with a ``stop_price`` too, once that is touched (Binance: 5.4).
        """
        return _made(
            cls, symbol, side, OrderType.STOP_LIMIT, quantity=quantity, price=price, stop_price=stop_price,
            time_in_force=time_in_force, client_order_id=client_order_id, trailing_delta=trailing_delta,
        )  # fmt: skip

    @classmethod
    def stop_market(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        stop_price: Number | None = None,
        client_order_id: str | None = None,
        *,
        trailing_delta: int | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a market order once the market trades at ``stop_price``; see ``stop_limit``."""
        return _made(
            cls, symbol, side, OrderType.STOP_MARKET, quantity=quantity, stop_price=stop_price,
            client_order_id=client_order_id, trailing_delta=trailing_delta,
        )  # fmt: skip

    @classmethod
    def take_profit_limit(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        price: Number,
        stop_price: Number | None = None,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        client_order_id: str | None = None,
        *,
        trailing_delta: int | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a limit order at ``price`` once the market trades at ``stop_price``.

        The other way round than ``stop_limit``: a sell waits for a rise, a buy for a fall.
        """
        return _made(
            cls, symbol, side, OrderType.TAKE_PROFIT_LIMIT, quantity=quantity, price=price, stop_price=stop_price,
            time_in_force=time_in_force, client_order_id=client_order_id, trailing_delta=trailing_delta,
        )  # fmt: skip

    @classmethod
    def take_profit_market(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Number,
        stop_price: Number | None = None,
        client_order_id: str | None = None,
        *,
        trailing_delta: int | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a market order at ``stop_price``; see ``take_profit_limit``."""
        return _made(
            cls, symbol, side, OrderType.TAKE_PROFIT_MARKET, quantity=quantity, stop_price=stop_price,
            client_order_id=client_order_id, trailing_delta=trailing_delta,
        )  # fmt: skip


def _made(
    cls: type[OrderRequest], symbol: str, side: Side | str, kind: OrderType, client_order_id: str | None, **wanted: Any
) -> OrderRequest:
    own_id = None if client_order_id is None else client_order_id_of(client_order_id)
    return cls(symbol, Side.of("side", side), kind, client_order_id=own_id, **wanted)
