"""Several exchanges as one."""

from exconn_sync.hub.hub import Hub

__all__ = ["Hub"]
