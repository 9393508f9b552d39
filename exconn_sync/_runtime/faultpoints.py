"""The fault points by the name under which the runtime and the tests know them; see ``ports.faultpoints``."""

from exconn_sync.ports.faultpoints import _hooks, installed, reach

__all__ = ["_hooks", "installed", "reach"]
