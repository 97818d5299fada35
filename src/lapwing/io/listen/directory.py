"""Whose token is whose, in memory: what every interaction is matched against."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec
from msgspec.structs import replace

from lapwing.callbacks import DEFAULT_ID_LENGTH, DEFAULT_NONCE_LENGTH, Registry
from lapwing.callbacks.responders import HttpAnswer
from lapwing.callbacks.tokens import is_correlation_id
from lapwing.io.store import KeptMailbox, PlantedToken


class Directory:
    """Mailboxes by id and planted tokens by name."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.planted: dict[str, PlantedToken] = {}
        self.answers: dict[str, HttpAnswer] = {}  # to requests with a planted token
        self.held_back: dict[str, int] = {}  # alerts not sent since the last one, by token
        self._excluded: dict[str, tuple[IPv4Network | IPv6Network, ...]] = {}
        self._ids: dict[str, int] = {}

    def fill(self, mailboxes: Iterable[KeptMailbox]) -> None:
        """Begin with what the store holds."""
        for mailbox in mailboxes:
            self.add(mailbox)

    def add(self, mailbox: KeptMailbox) -> None:
        """Listen for a mailbox's tokens. Raises ValueError where ids of too many lengths are listened for already."""
        self.registry.add(mailbox.correlation_id, mailbox.nonce_length)
        self._ids[mailbox.correlation_id] = mailbox.mailbox_id

    def discard(self, correlation_id: str) -> None:
        """Listen no more."""
        self.registry.discard(correlation_id)
        self._ids.pop(correlation_id, None)

    def mailbox_of(self, correlation_id: str) -> int | None:
        """Return the mailbox of an id; None when nobody listens for it."""
        return self._ids.get(correlation_id)

    def plant(self, tokens: Iterable[PlantedToken]) -> None:
        """Know these tokens, in place of earlier versions of them, and give what they say is to be answered."""
        for token in tokens:
            known = self.planted.get(token.name)
            if known is None and len(token.name) == DEFAULT_ID_LENGTH + DEFAULT_NONCE_LENGTH:
                self._listen_for(token)
            if known is not None and (known.last_alert_ns or 0) > (token.last_alert_ns or 0):
                token = replace(token, last_alert_ns=known.last_alert_ns)  # not written yet
            self.planted[token.name] = token

    def excludes(self, token: PlantedToken, client_ip: str) -> bool:
        """Whether a token's use by this address means nothing, as whoever planted it said."""
        networks = self._excluded.get(token.name)
        if not networks:
            return False
        try:
            address = ip_address(client_ip)
        except ValueError:
            return False
        return any(address in network for network in networks)

    def _listen_for(self, token: PlantedToken) -> None:
        """Decoys stand in logins, not here: their names are no ids, or belong to nobody's host name."""
        own_id = token.name[:DEFAULT_ID_LENGTH]
        if is_correlation_id(own_id) and own_id not in self.registry:
            self.registry.add(own_id, DEFAULT_NONCE_LENGTH)
        excluded = token.details.get("excluded")
        if excluded:
            self._excluded[token.name] = tuple(ip_network(text) for text in excluded)
        answer = token.details.get("answer")
        if answer is not None:
            self.answers[token.name] = msgspec.convert(answer, HttpAnswer)

    def __len__(self) -> int:
        return len(self._ids)
