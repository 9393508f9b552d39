"""The blocking face of one account on one exchange."""

from exconn_sync.connector.connector import Connector
from exconn_sync.connector.health import Health

__all__ = ["Connector", "Health"]
