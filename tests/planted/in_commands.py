"""Mistakes in commands, their resolution, reconciliation and the risk limits."""

from __future__ import annotations

from tests.planted.bug import Bug

_GATEWAY = "exconn_sync/_live/order_gateway.py"
_RECONCILER = "exconn_sync/_live/reconciler.py"
_LOST = "tests/integration/test_faults.py"

BUGS = (
    Bug(
        "resend on timeout",
        "an order whose answer did not come is sent once more",
        _GATEWAY,
        "        except ExconnError as error:\n"
        "            self._failed(order, error, deadline)\n            return ()\n",
        "        except ExconnError as error:\n            if error.outcome == 'unknown':\n"
        "                return self._desk.send(call, deadline)\n"
        "            self._failed(order, error, deadline)\n            return ()\n",
        (f"{_LOST}::test_an_order_whose_answer_was_lost_is_found_and_not_sent_again",),
    ),
    Bug(
        "timeout is a refusal",
        "an order whose answer did not come is called refused",
        _GATEWAY,
        '        if error.outcome in ("not_sent", "refused"):\n            if refused(',
        '        if error.outcome in ("not_sent", "refused", "unknown"):\n            if refused(',
        (f"{_LOST}::test_a_server_error_is_unknown_and_never_a_rejection",),
    ),
    Bug(
        "timeout is a success",
        "an order whose answer did not come is called placed",
        _GATEWAY,
        '        if settled is None:\n            text = f"order {order.client_order_id}: it is',
        '        if settled is None and not order:\n            text = f"order {order.client_order_id}: it is',
        (f"{_LOST}::test_a_server_error_is_unknown_and_never_a_rejection",),
    ),
    Bug(
        "cancel of an unknown order counts as cancelled",
        "an exchange that does not know the order has not cancelled it",
        _GATEWAY,
        "            desk.found_out(state, deadline)\n            raise\n        except ExconnError as error:",
        "            return\n        except ExconnError as error:",
        ("tests/integration/test_ended_unnoticed.py::test_a_cancel_of_an_order_that_has_ended_was_refused",),
    ),
    Bug(
        "cancel that came too late counts as done",
        "a cancel in doubt is called done however the order has ended",
        _GATEWAY,
        "        if settled.status is not OrderStatus.CANCELED:\n"
        '            text = f"order {state.client_order_id} was not canceled, it is {settled.status}"\n'
        "            raise OrderRejected(text, exchange=exchange)",
        "        if settled.status is None:\n"
        '            text = f"order {state.client_order_id} was not canceled, it is {settled.status}"\n'
        "            raise OrderRejected(text, exchange=exchange)",
        ("tests/integration/test_receipts.py::test_a_cancel_that_came_too_late_says_so",),
    ),
    Bug(
        "receipt is a confirmation",
        "a cancel returns once it was received, and not once the order has ended",
        _GATEWAY,
        "        if call.is_receipt:\n            self._confirm_cancel(state, deadline)\n",
        "",
        ("tests/integration/test_receipts.py::test_a_cancel_that_is_not_confirmed_in_time_is_unknown",),
    ),
    Bug(
        "received and not looked for",
        "what became of a received order is left to a stream that may be silent",
        "exconn_sync/_live/command_desk.py",
        "            self.resolver.track(client_order_id, PATIENCE)\n",
        "            self.resolver.unresolved.append(client_order_id)\n",
        ("tests/integration/test_bybit_orders.py",),
    ),
    Bug(
        "interrupted is not sent",
        "an order whose command was interrupted after it may have left is called rejected",
        "exconn_sync/_live/command_desk.py",
        "        if entry.may_leave:\n            self._desk.doubt(",
        "        if not entry.intent:\n            self._desk.doubt(",
        (f"{_LOST}::test_an_interrupted_command_leaves_an_order_that_is_looked_for",),
    ),
    Bug(
        "half a replacement is a whole one",
        "a replacement of which one half was done is called done",
        "exconn_sync/_live/order_replacement.py",
        "return self.cancel_outcome == self.placement_outcome == CommandOutcome.DONE",
        "return CommandOutcome.DONE in (self.cancel_outcome, self.placement_outcome)",
        (
            "tests/integration/test_orders_on_simulator.py::"
            "test_a_replacement_of_which_the_new_half_is_refused_leaves_nothing",
        ),
    ),
    Bug(
        "batch in doubt is refused",
        "an order of a batch without an answer is called refused",
        "exconn_sync/_live/batch_gateway.py",
        "        elif answer.outcome is _UNKNOWN:\n            desk.doubt(",
        "        elif answer.outcome is None:\n            desk.doubt(",
        ("tests/integration/test_batches.py",),
    ),
    Bug(
        "absent at the first look",
        "an order that one look does not find is called rejected",
        "exconn_sync/_live/resolver.py",
        "        except OrderNotFound:\n            proof.look(started_ns, found_nothing=True)\n",
        "        except OrderNotFound:\n            self._store.apply([self._absent(state)])\n",
        ("tests/live/test_resolver.py",),
    ),
    Bug(
        "age of a found order ignored",
        "an older order with the same client id is taken for the one that is looked for",
        "exconn_sync/_store/aliases.py",
        "fact.source in _LOOKS and fact.created_at is not None and fact.created_at < since",
        "fact.source in _LOOKS and fact.created_at is not None and fact.created_at < 0 * since",
        (
            "tests/integration/test_used_ids.py::test_an_order_that_never_arrived_is_not_the_one_of_an_earlier_run",
            "tests/live/test_resolver.py",
        ),
    ),
    Bug(
        "not listed is cancelled",
        "an order that is not among the open ones is called cancelled without asking for it",
        _RECONCILER,
        "            self._differences.apply(self.look(state))\n",
        "            self._differences.apply([replace(self.look(state)[0], status=OrderStatus.CANCELED)])\n",
        ("tests/integration/test_ended_unnoticed.py::test_an_order_that_is_not_listed_is_asked_for",),
    ),
    Bug(
        "no comparison after a reconnect",
        "what happened while the account stream was lost is not asked for",
        _RECONCILER,
        '        """Compare everything at once, because events may have been missed; returns at once."""\n'
        "        self._wished = next(self._wishes)\n",
        '        """Compare everything at once, because events may have been missed; returns at once."""\n',
        (f"{_LOST}::test_what_happened_while_the_account_stream_was_lost_is_found_out",),
    ),
    Bug(
        "first page of fills only",
        "fills beyond the first answer are not asked for",
        _RECONCILER,
        "            for fills in itertools.chain(trades, allocations):\n",
        "            for fills in itertools.islice(trades, 1):\n",
        ("tests/integration/test_account.py::test_more_missed_fills_than_one_answer_holds_are_all_found",),
    ),
    Bug(
        "rule that raises lets pass",
        "an order passes where a rule of the user fails",
        "exconn_sync/risk/gate.py",
        '                raise RiskRejected(f"rule {_name(rule)} failed: {error}", rule=_name(rule)) from error\n',
        "                answer = None if error else rule\n",
        ("tests/faults/test_risk_hooks.py",),
    ),
    Bug(
        "orders slip through together",
        "limits are asked before an order is entered, and not in one step with it",
        "exconn_sync/_store/account_store.py",
        "            entry.admit(self._exposure)\n",
        "            entry.admit(Exposure(self._exchange))\n",
        ("tests/unit/risk/test_admission.py", "tests/integration/test_risk_limits.py"),
    ),
    Bug(
        "kill switch that kills nothing",
        "orders pass although the kill switch was thrown",
        "exconn_sync/risk/guard.py",
        "            if self.killed is not None:\n                raise RiskRejected(",
        "            if self.killed is told:\n                raise RiskRejected(",
        ("tests/unit/risk/test_guard.py",),
    ),
    Bug(
        "rate of orders not counted",
        "orders do not count for the limit of their rate",
        "exconn_sync/risk/guard.py",
        "            self._placed.append(case.now_ns)\n",
        "            self._placed.clear()\n",
        ("tests/unit/risk/test_rules.py",),
    ),
)
