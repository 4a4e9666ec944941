"""API keys."""
from __future__ import annotations

import os


class RelayKey:
    """An API key, ``relay_{id}_{secret}``. Printing one shows the id only. A key is never a command-line argument."""

    KEY_VARIABLE = "RELAY_KEY"
    """The environment variable that contains a key."""
    KEY_FILE_VARIABLE = "RELAY_KEY_FILE"
    """The environment variable that names a file with a key."""

    def __init__(self, text: str) -> None:
        """Parses a key; surrounding white space is ignored. Raises ValueError, whose message does not repeat the text."""
        token = text.strip()
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != "relay" or not parts[1] or not parts[2] or any(c <= " " or c > "~" for c in token):
            raise ValueError("This is not an API key of Relay, which has the form relay_{id}_{secret}.")
        self.id = parts[1]
        self._token = token

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> RelayKey:
        """Reads a key from a file."""
        with open(path, encoding="ascii", errors="replace") as file:
            return cls(file.read())

    @classmethod
    def from_environment(cls) -> RelayKey:
        """Reads the key from the file that RELAY_KEY_FILE names, or else from RELAY_KEY."""
        if path := os.environ.get(cls.KEY_FILE_VARIABLE):
            return cls.from_file(path)
        if key := os.environ.get(cls.KEY_VARIABLE):
            return cls(key)
        raise ValueError(f"Set {cls.KEY_FILE_VARIABLE} to the path of a file with the API key, or {cls.KEY_VARIABLE} to the key.")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call with this key."""
        return (("authorization", "Bearer " + self._token),)

    def __repr__(self) -> str:
        return f"RelayKey({self.id})"
