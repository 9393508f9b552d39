"""The contract of exchange drivers as a test suite, for the author of one: no socket, no thread, no network.

::

    from exconn_sync.testing.contract import DriverContract, Examples


    class TestMyExchange(DriverContract):
        driver = DRIVER
        examples = Examples(...)

Run it with pytest. See the guide "Add an exchange".
"""

from exconn_sync.testing.contract.about_account import AccountContract
from exconn_sync.testing.contract.about_answers import AnswersContract
from exconn_sync.testing.contract.about_errors import ErrorsContract
from exconn_sync.testing.contract.about_limits import LimitsContract
from exconn_sync.testing.contract.about_names import NamesContract
from exconn_sync.testing.contract.about_requests import RequestsContract
from exconn_sync.testing.contract.about_streams import StreamsContract
from exconn_sync.testing.contract.examples import Examples, Refusal


class DriverContract(
    NamesContract,
    RequestsContract,
    AnswersContract,
    ErrorsContract,
    LimitsContract,
    StreamsContract,
    AccountContract,
):
    """What every driver promises, checked with the payloads of its exchange's pages.

    Make a subclass whose name begins with ``Test`` and give it two attributes. Each check is a method of its own, so
    that one that cannot hold for an exchange can be overridden, with a docstring that says why.

    Attributes:
        driver: the object under test.
        examples: documented payloads.
    """


__all__ = [
    "AccountContract",
    "AnswersContract",
    "DriverContract",
    "ErrorsContract",
    "Examples",
    "LimitsContract",
    "NamesContract",
    "Refusal",
    "RequestsContract",
    "StreamsContract",
]
