"""Several exchanges as one."""

from exconn_sync.hub.hub import Hub
from exconn_sync.hub.subscription import HubSubscription

__all__ = ["Hub", "HubSubscription"]
