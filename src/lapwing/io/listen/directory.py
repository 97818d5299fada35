"""Whose token is whose, in memory: what every interaction is matched against."""

from collections.abc import Iterable

from lapwing.callbacks import Registry
from lapwing.io.store import KeptMailbox, PlantedToken


class Directory:
    """Mailboxes by id and planted tokens by name."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.heads: dict[int, int] = {}  # newest number in each mailbox that holds something
        self.planted: dict[str, PlantedToken] = {}
        self._ids: dict[str, int] = {}

    def fill(self, mailboxes: Iterable[KeptMailbox], heads: dict[int, int]) -> None:
        """Begin with what the store holds."""
        for mailbox in mailboxes:
            self.add(mailbox)
        self.heads.update(heads)

    def add(self, mailbox: KeptMailbox) -> None:
        """Listen for a mailbox's tokens. Raises ValueError where ids of too many lengths are listened for already."""
        self.registry.add(mailbox.correlation_id, mailbox.nonce_length)
        self._ids[mailbox.correlation_id] = mailbox.mailbox_id

    def discard(self, correlation_id: str) -> None:
        """Listen no more."""
        self.registry.discard(correlation_id)
        mailbox_id = self._ids.pop(correlation_id, None)
        if mailbox_id is not None:
            self.heads.pop(mailbox_id, None)

    def mailbox_of(self, correlation_id: str) -> int | None:
        """Return the mailbox of an id; None when nobody listens for it."""
        return self._ids.get(correlation_id)

    def plant(self, tokens: Iterable[PlantedToken]) -> None:
        """Know these tokens, in place of earlier versions of them."""
        self.planted.update((token.name, token) for token in tokens)

    def __len__(self) -> int:
        return len(self._ids)
