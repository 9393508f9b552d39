"""The account and its key (Bybit: 4.18, 9.1)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from decimal import Decimal

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.market_data import known_market, required_market
from exconn_sync.simulator.bybit.venue import Answer, Call, Venue
from exconn_sync.simulator.bybit.wire import number
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.conversion import worth
from exconn_sync.simulator.core.order_words import Side
from exconn_sync.simulator.core.symbols import ZERO

_USD = "USDT"
_CENT_OF_CENT = Decimal("1e-8")
_NO_MARGIN = (
    "totalPerpUPL",
    "totalInitialMargin",
    "totalMaintenanceMargin",
    "totalInitialMarginByMp",
    "totalMaintenanceMarginByMp",
    "accountIMRate",
    "accountMMRate",
    "accountIMRateByMp",
    "accountMMRateByMp",
    "accountLTV",
)
_CREATED = datetime(2026, 1, 1, tzinfo=timezone.utc)
_EXPIRES = datetime(2036, 1, 1, tzinfo=timezone.utc)


def wallet_balance(call: Call) -> Answer:
    """GET account/wallet-balance."""
    if call.params.required("accountType") != "UNIFIED":
        raise errors.bad_parameter("accountType only support UNIFIED.")
    wanted = [name for name in call.params.text("coin").split(",") if name]
    balances = call.venue.exchange.accounts[call.account].balances()
    chosen = {name: balances.get(name, Balance()) for name in wanted} if wanted else _held(balances)
    return Answer({"list": [wallet(call.venue, call.account, chosen)]})


def _held(balances: Mapping[str, Balance]) -> dict[str, Balance]:
    return {asset: balance for asset, balance in balances.items() if balance.total}


def wallet(venue: Venue, account: str, shown: Mapping[str, Balance]) -> dict[str, object]:
    """An account: its totals in dollars, and the coins that are shown."""
    held = venue.exchange.accounts[account].balances()
    equity = sum((_dollars(venue, asset, balance.total) for asset, balance in held.items()), ZERO)
    free = sum((_dollars(venue, asset, balance.free) for asset, balance in held.items()), ZERO)
    totals = dict.fromkeys(("totalEquity", "totalWalletBalance", "totalMarginBalance"), number(equity))
    return {
        "accountType": "UNIFIED",
        **totals,
        "totalAvailableBalance": number(free),
        **dict.fromkeys(_NO_MARGIN, "0"),
        "coin": [_coin(venue, asset, balance) for asset, balance in shown.items()],
    }


def _coin(venue: Venue, asset: str, balance: Balance) -> dict[str, object]:
    total = number(balance.total)
    zeros = ("spotBorrow", "borrowAmount", "accruedInterest", "unrealisedPnl", "cumRealisedPnl", "bonus")
    margins = ("spotHedgingQty", "totalOrderIM", "totalPositionIM", "totalPositionMM")
    return {
        "coin": asset,
        "walletBalance": total,
        "equity": total,
        "locked": number(balance.locked),
        "usdValue": number(_dollars(venue, asset, balance.total)),
        **dict.fromkeys((*zeros, *margins), "0"),
        "marginCollateral": True,
        "collateralSwitch": True,
        "colRes": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def _dollars(venue: Venue, asset: str, amount: Decimal) -> Decimal:
    rate = worth(venue.exchange.markets.values(), asset, _USD)
    return ZERO if rate is None else (amount * rate).quantize(_CENT_OF_CENT)


def account_info(call: Call) -> Answer:
    """GET account/info."""
    return Answer(
        {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(_ms(_CREATED)),
            "unifiedMarginStatus": 5,
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": _group(call),
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }
    )


def smp_group(call: Call) -> Answer:
    """GET account/smp-group."""
    return Answer({"smpGroup": _group(call)}, message="success")


def _group(call: Call) -> int:
    return call.venue.exchange.accounts[call.account].trade_group or 0


def fee_rate(call: Call) -> Answer:
    """GET account/fee-rate."""
    call.params.category()
    name = call.params.text("symbol")
    markets = [known_market(call, name)] if name else list(call.venue.exchange.markets.values())
    rates = call.venue.exchange.fees.rates
    fees = {"takerFeeRate": number(rates.taker), "makerFeeRate": number(rates.maker)}
    rows = [{"symbol": market.spec.name, **fees, "baseCoin": ""} for market in markets]
    return Answer({"category": "spot", "list": rows})


def user_settings(_: Call) -> Answer:
    """GET account/user-setting-config."""
    return Answer({"lpaSpot": False, "lpaPerp": False, "deltaEnable": False, "smsef": False, "fmsef": False})


def borrow_check(call: Call) -> Answer:
    """GET order/spot-borrow-check: how much can be traded with the account's own money; nothing is lent here."""
    call.params.category()
    market = required_market(call)
    side = call.params.one_of("side", ("Buy", "Sell"))
    if not side:
        raise errors.bad_parameter("side is required")
    account, spec = call.venue.exchange.accounts[call.account], market.spec
    best = market.book.best(Side.SELL if side == "Buy" else Side.BUY)
    price = market.last_price if best is None else best[0]
    if side == "Buy":
        amount = account.balance(spec.quote).free
        quantity = amount / price // spec.step * spec.step
    else:
        quantity = account.balance(spec.base).free
        amount = quantity * price
    amounts = {"maxTradeQty": number(quantity), "maxTradeAmount": number(amount)}
    own = {"spotMaxTradeQty": number(quantity), "spotMaxTradeAmount": number(amount)}
    coin = spec.quote if side == "Buy" else spec.base
    return Answer({"symbol": spec.name, "side": side, **amounts, **own, "borrowCoin": coin})


def key_information(call: Call) -> Answer:
    """GET user/query-api."""
    key = call.known_key
    groups = ("ContractTrade", "Wallet", "Options", "Derivatives", "Exchange", "Earn", "BlockTrade", "Affiliate")
    permissions: dict[str, Iterable[str]] = dict.fromkeys(groups, ())
    permissions["Spot"] = ("SpotTrade",)
    return Answer(
        {
            "id": str(call.venue.uid(key.account)),
            "note": key.account,
            "apiKey": key.key,
            "readOnly": 0 if key.can_trade else 1,
            "secret": "",
            "permissions": permissions,
            "ips": ["*"],
            "type": 1,
            "deadlineDay": 3650,
            "expiredAt": _iso(_EXPIRES),
            "createdAt": _iso(_CREATED),
            "unified": 0,
            "uta": 1,
            "userID": call.venue.uid(key.account),
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": key.secret if key.kind == "rsa" else "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_DEFAULT",
            "kycRegion": "",
        },
        message="",
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
