"""Bots for Relay, a server for Off-the-Record (OTR) conversations. See README.md for an example."""
from ._bot import Bot
from ._client import RelayClient
from ._connection import RelayOptions
from ._errors import Outcome, RelayError
from ._events import BotEvent
from ._handler import BotHandler
from ._key import RelayKey

__all__ = ["Bot", "BotEvent", "BotHandler", "Outcome", "RelayClient", "RelayError", "RelayKey", "RelayOptions"]
__version__ = "0.1.0"
