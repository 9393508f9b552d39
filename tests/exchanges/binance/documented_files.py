"""Which reading each example payload of Binance's documentation has, by folder and file."""

from __future__ import annotations

from collections.abc import Mapping

from tests.exchanges.binance import documented as account
from tests.exchanges.binance import documented_market as market
from tests.exchanges.binance import documented_orders as orders
from tests.exchanges.binance.documented import CONTROL, ERROR, NOTICE, RAW, Reading, unwrapped

REST: Mapping[str, Reading] = {
    "GET_api_v3_ping__response": market.PING,
    "GET_api_v3_time__response": market.TIME,
    "GET_api_v3_exchangeInfo__response": market.INSTRUMENT_LIST,
    "GET_api_v3_depth__response": market.DEPTH,
    "GET_api_v3_trades__response": market.TRADES,
    "GET_api_v3_historicalTrades__response": market.TRADES,
    "GET_api_v3_aggTrades__response": market.AGGREGATES,
    "GET_api_v3_klines__response": market.KLINES,
    "GET_api_v3_avgPrice__response": market.AVERAGE,
    "GET_api_v3_ticker_24hr__response_full": market.DAY_TICKER,
    "GET_api_v3_ticker_24hr__response_mini": market.DAY_TICKER,
    "GET_api_v3_ticker_24hr__or": market.DAY_TICKERS,
    "GET_api_v3_ticker_24hr__or__2": market.DAY_TICKERS,
    "GET_api_v3_ticker_tradingDay__with_symbol": market.TRADING_DAY_TICKERS,
    "GET_api_v3_ticker_tradingDay__with_symbol__2": market.TRADING_DAY_TICKERS,
    "GET_api_v3_ticker_tradingDay__with_symbols": market.TRADING_DAY_TICKERS,
    "GET_api_v3_ticker_tradingDay__with_symbols__2": market.TRADING_DAY_TICKERS,
    "GET_api_v3_ticker__when_using_symbol": market.WINDOW_TICKERS,
    "GET_api_v3_ticker__when_using_symbol__2": market.WINDOW_TICKERS,
    "GET_api_v3_ticker__when_using_symbols": market.WINDOW_TICKERS,
    "GET_api_v3_ticker__when_using_symbols__2": market.WINDOW_TICKERS,
    "GET_api_v3_ticker_bookTicker__response": market.BOOK_TICKER,
    "GET_api_v3_ticker_bookTicker__or": market.BOOK_TICKERS,
    "GET_api_v3_account__response": account.BALANCES,
    "GET_api_v3_myTrades__response": account.FILLS,
    "GET_api_v3_order__response": account.QUERIED,
    "GET_api_v3_openOrders__response": account.OPEN_ORDERS,
    "POST_api_v3_order__response_ack": account.ACKNOWLEDGED,
    "POST_api_v3_order__response_result": account.PLACED,
    "POST_api_v3_order__response_full": account.EXECUTED,
    "DELETE_api_v3_order__response": account.CANCELLED,
    **dict.fromkeys(
        (
            "DELETE_api_v3_order__if_the_cancelrestrictions_value_is_not_a",
            "DELETE_api_v3_order__if_the_order_did_not_pass_the_conditions",
            "Error_Codes__sample_payload_below",
            "GET_api_v3_referencePrice__if_no_reference_price_has_ever_been_set",
            "GET_api_v3_referencePrice_calculation__if_reference_price_is_not_being_calculat",
            # Nothing was done, so that there are no halves.
            "POST_api_v3_order_cancelReplace__response_when_using_orderratelimitexceed",
        ),
        ERROR,
    ),
}
"""Answers of REST; those of endpoints that the domain does not cover are read as they are, see ``RAW_PATHS``."""

ENDPOINTS: Mapping[str, Reading] = {
    "DELETE_api_v3_openOrders": orders.CANCELLED_ALL,
    "DELETE_api_v3_orderList": orders.CANCELLED_LIST,
    "GET_api_v3_account_commission": orders.COMMISSION,
    "GET_api_v3_allOrderList": orders.OPEN_LISTS,
    "GET_api_v3_allOrders": orders.HISTORY,
    "GET_api_v3_myAllocations": orders.ALLOCATIONS,
    "GET_api_v3_myPreventedMatches": orders.PREVENTED,
    "GET_api_v3_openOrderList": orders.OPEN_LISTS,
    "GET_api_v3_orderList": orders.QUERIED_LIST,
    "GET_api_v3_order_amendments": orders.AMENDMENTS,
    "GET_api_v3_rateLimit_order": orders.COUNTS,
    "POST_api_v3_orderList_oco": orders.PLACED_LIST,
    "POST_api_v3_orderList_opo": orders.PLACED_LIST,
    "POST_api_v3_orderList_opoco": orders.PLACED_LIST,
    "POST_api_v3_orderList_oto": orders.PLACED_LIST,
    "POST_api_v3_orderList_otoco": orders.PLACED_LIST,
    "POST_api_v3_order_cancelReplace": orders.REPLACED,
    "POST_api_v3_order_oco": orders.PLACED_LIST,
    "POST_api_v3_order_test": orders.TESTED,
    "POST_api_v3_sor_order": orders.ROUTED,
    "POST_api_v3_sor_order_test": orders.TESTED,
    "PUT_api_v3_order_amend_keepPriority": orders.AMENDED,
}
"""Answers of which every example has the same form."""

RAW_PATHS = (
    "GET_api_v3_executionRules", "GET_api_v3_historicalBlockTrades", "GET_api_v3_myFilters",
    "GET_api_v3_referencePrice", "GET_api_v3_referencePrice_calculation", "GET_api_v3_ticker_price",
    "GET_api_v3_uiKlines",
)  # fmt: skip
"""Endpoints that are reached through ``Connector.request``; its answer is the JSON with numbers as Decimal."""

STREAMS: Mapping[str, Reading] = {
    "Aggregate_Trade_Streams__aggTrade__payload": market.AGGREGATE_STREAM,
    "Average_Price__avgPrice__payload": market.AVERAGE_STREAM,
    "Diff_Depth_Stream__depthUpdate__payload": market.DEPTH_STREAM,
    "Individual_Symbol_Book_Ticker_Streams__payload": market.BOOK_TICKER_STREAM,
    "Individual_Symbol_Mini_Ticker_Stream__24hrMiniTicker__payload": market.MINI_TICKER_STREAM,
    "Individual_Symbol_Rolling_Window_Statistics_Stream__1hTicker__payload": market.WINDOW_TICKER_STREAM,
    "Individual_Symbol_Ticker_Streams__24hrTicker__payload": market.TICKER_STREAM,
    "Kline_Candlestick_Streams_for_UTC__kline__payload": market.KLINE_STREAM,
    "Kline_Candlestick_Streams_with_timezone_offset__kline__payload": market.SHIFTED_KLINE_STREAM,
    "Partial_Book_Depth_Streams__payload": market.PARTIAL_BOOK_STREAM,
    "Trade_Streams__trade__payload": market.TRADE_STREAM,
    "Listing_Subscriptions__response": CONTROL,
    "Server_Shutdown__serverShutdown__combined_stream": CONTROL,
    "Server_Shutdown__serverShutdown__raw_stream": CONTROL,
    "Subscribe_to_a_stream__response": CONTROL,
    "Unsubscribe_to_a_stream__response": CONTROL,
}

USER_DATA: Mapping[str, Reading] = {
    "Account_Update__outboundAccountPosition__outboundaccountposition_is_sent_any_time": account.POSITION,
    "Balance_Update__balanceUpdate__payload": account.BALANCE_CHANGE,
    "Event_Stream_Terminated__eventStreamTerminated__payload": NOTICE,
    "External_Lock_Update__externalLockUpdate__payload": account.BALANCE_CHANGE,
    "Order_Reject_Reason__listStatus__payload": account.LIST,
    "Order_Update__executionReport__payload": account.REPORT,
}

WS_API: Mapping[str, Reading] = {
    "Event_format__example_of_an_event": account.POSITION,
    "Server_Shutdown__servershutdown_event_is_sent_when_the_se": NOTICE,
    "Authenticate_after_connection__if_during_an_active_session_the_api_key": NOTICE,
    "IP_limits__failed_response_indicating_that_you_are": NOTICE,
    "userDataStream_subscribe__response": NOTICE,
    "userDataStream_subscribe_signature__response": NOTICE,
    "ping__response": unwrapped(market.PING),
    "time__response": unwrapped(market.TIME),
    "time__default_request_and_response__2": unwrapped(market.TIME),
    "time__request_and_response_without_rate_limit__2": unwrapped(market.TIME),
    "How_to_interpret_rate_limits__a_response_with_rate_limit_status_may_lo": NOTICE,
    "exchangeInfo__response": unwrapped(market.INSTRUMENT_LIST),
    "depth__response": unwrapped(market.DEPTH),
    "trades_recent__response": unwrapped(market.TRADES),
    "trades_historical__response": unwrapped(market.TRADES),
    "trades_aggregate__response": unwrapped(market.AGGREGATES),
    "klines__response": unwrapped(market.KLINES),
    "avgPrice__response": unwrapped(market.AVERAGE),
    "ticker_24hr__full_type_for_a_single_symbol": unwrapped(market.DAY_TICKER),
    "ticker_24hr__mini_type_for_a_single_symbol": unwrapped(market.DAY_TICKER),
    "ticker_24hr__if_more_than_one_symbol_is_requested_res": unwrapped(market.DAY_TICKERS),
    "ticker_tradingDay__with_symbol": unwrapped(market.TRADING_DAY_TICKERS),
    "ticker_tradingDay__with_symbol__2": unwrapped(market.TRADING_DAY_TICKERS),
    "ticker_tradingDay__with_symbols": unwrapped(market.TRADING_DAY_TICKERS),
    "ticker_tradingDay__with_symbols__2": unwrapped(market.TRADING_DAY_TICKERS),
    "ticker__full_type_for_a_single_symbol": unwrapped(market.WINDOW_TICKERS),
    "ticker__mini_type_for_a_single_symbol": unwrapped(market.WINDOW_TICKERS),
    "ticker__if_more_than_one_symbol_is_requested_res": unwrapped(market.WINDOW_TICKERS),
    "ticker_book__response": unwrapped(market.BOOK_TICKER),
    "ticker_book__if_more_than_one_symbol_is_requested_res": unwrapped(market.BOOK_TICKERS),
    "account_status__response": unwrapped(account.BALANCES),
    "myTrades__response": unwrapped(account.FILLS),
    "order_status__response": unwrapped(account.QUERIED),
    "openOrders_status__if_all_symbols_are_requested_use_the_sym": unwrapped(account.OPEN_ORDERS),
    "order_place__ack_response_type": unwrapped(account.ACKNOWLEDGED),
    "order_place__result_response_type": unwrapped(account.PLACED),
    "order_place__full_response_type": unwrapped(account.EXECUTED),
    "Response_format__example_of_successful_response": unwrapped(account.PLACED),
    "Unfilled_Order_Count__successful_response_indicating_that_you": unwrapped(account.PLACED),
    "order_cancel__when_an_individual_order_is_canceled": unwrapped(account.CANCELLED),
    "order_cancel__if_the_cancelrestrictions_value_is_not_a": ERROR,
    "order_cancel__if_the_order_did_not_pass_the_conditions": ERROR,
}
"""Answers and events of the WebSocket API: the library signs in there; of all else only the form is proven here."""

WS_API_RAW = (
    "account_commission", "account_rateLimits_orders", "allOrderLists", "allOrders", "blockTrades_historical",
    "executionRules", "myAllocations", "myFilters", "myPreventedMatches", "openOrderLists_status",
    "openOrders_cancelAll", "orderList_cancel", "orderList_place", "orderList_place_oco", "orderList_place_opo",
    "orderList_place_opoco", "orderList_place_oto", "orderList_place_otoco", "orderList_status",
    "order_amend_keepPriority", "order_amendments", "order_cancel", "order_cancelReplace", "order_place", "order_test",
    "referencePrice", "referencePrice_calculation", "session_logon", "session_logout", "session_status",
    "session_subscriptions", "sor_order_place", "sor_order_test", "ticker_price", "uiKlines",
    "userDataStream_unsubscribe", "IP_limits", "Response_format",
)  # fmt: skip
"""Answers of the WebSocket API that have the form of REST answers read as they are, and those of other sessions."""

OUTSIDE: Mapping[str, str] = {
    "errors/error_code_names": "no payload but a list of names",
    "streams/All_Market_Mini_Tickers_Stream__payload": "one array of all symbols: topics are subscribed one by one",
    "streams/All_Market_Rolling_Window_Statistics_Streams__payload": "likewise",
    "streams/Block_Trade_Streams__blockTrade__payload": "block trades are no channel of the library",
    "streams/Reference_Price_Streams__referencePrice__payload": "reference prices are no channel of the library",
    "streams/Retrieving_Properties__response": "properties of a connection are not asked for",
    "streams/Setting_Properties__response": "properties of a connection are not set",
    "ws_api/ticker__for_example_a_request_for_windowsize_7d": "times in words, no payload",
}
"""Files that no parser of the library is for, and why."""


def reading_of(folder: str, name: str) -> Reading | None:
    """Return how a file is read, or None where it stands on no table."""
    tables = {"rest": REST, "streams": STREAMS, "user_data": USER_DATA, "ws_api": WS_API}
    if folder == "errors":
        return ERROR
    found = tables[folder].get(name)
    endpoint = name.partition("__")[0]
    if found is None and folder == "rest":
        found = ENDPOINTS.get(endpoint)
    if found is None and (endpoint in RAW_PATHS or (folder == "ws_api" and endpoint in WS_API_RAW)):
        return RAW
    return found
