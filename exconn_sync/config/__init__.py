"""Settings: checked when they are made, immutable afterwards."""

from exconn_sync.config.builder import ConfigBuilder
from exconn_sync.config.config import SOCKET, Config
from exconn_sync.config.credentials import Credentials

__all__ = ["SOCKET", "Config", "ConfigBuilder", "Credentials"]
