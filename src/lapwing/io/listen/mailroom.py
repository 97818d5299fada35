"""Registrations as they are used: opened by their secret, renewed, read by cursor, ended in time.

Making, renewing and ending a mailbox exclude one another, so that none is renewed while it is being removed.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from lapwing.callbacks import TO_THE_END
from lapwing.callbacks.interactsh import (
    AES_KEY_BYTES,
    ALREADY_REGISTERED,
    Dialect,
    Mailbox,
    RefusedError,
    Registration,
    evicted_reply,
    public_key_text,
    wrap_key,
    wrong_secret_reply,
)
from lapwing.events import WireError
from lapwing.io.listen.clock import NS_PER_S, Clock
from lapwing.io.listen.directory import Directory
from lapwing.io.listen.noted import Noted
from lapwing.io.listen.settings import CollectorSettings, Eviction
from lapwing.io.store import (
    NOBODY,
    Consumers,
    GroupWriter,
    Interactions,
    KeptMailbox,
    Mailboxes,
    MailboxKeys,
    Page,
    Row,
    Store,
    secret_digest,
)

MAX_OPEN = 10_000  # mailboxes whose keys and cursors are at hand; others are read from the store
MAX_SEEN = 50_000  # mailboxes whose use is still to be noted in the store; of more it is noted at once
MAX_CONSUMERS = 64  # readers of one mailbox
POLLER = ""  # the reader that interactsh's clients are
UNKNOWN = -1  # a head that is being looked up
EXTRA, TLD = "@extra", "@tld"  # readers of what belongs to nobody
EXTRA_PROTOCOLS = ("ftp", "ldap", "smb", "responder")  # cannot be attributed elsewhere, so they go to every client
TLD_PROTOCOLS = ("dns", "http", "smtp", "tls")


class OpenMailbox:
    """A mailbox whose secret was shown, with the cursors of its readers."""

    __slots__ = ("cursors", "keys")

    def __init__(self, keys: MailboxKeys, cursors: dict[str, int]) -> None:
        self.keys = keys
        self.cursors = cursors


class Made(NamedTuple):
    """A registration that stands. `kept`: it stood before, with all it holds."""

    keys: MailboxKeys
    kept: bool


class GoneError(RefusedError):
    """Nobody is registered under an id (any more)."""

    def __init__(self, dialect: Dialect, *, deregistering: bool = False) -> None:
        super().__init__("no such mailbox", 404)
        self.reply = evicted_reply(dialect, deregistering=deregistering)


class WrongSecretError(RefusedError):
    """A mailbox with another secret."""

    def __init__(self, *, deregistering: bool = False) -> None:
        super().__init__("another secret", 401)
        self.reply = wrong_secret_reply(deregistering=deregistering)


class Mailroom:
    """Everything a control interface does with mailboxes."""

    def __init__(
        self, store: Store, writer: GroupWriter, directory: Directory, settings: CollectorSettings, clock: Clock
    ) -> None:
        self.interactions = Interactions(store)
        self._mailboxes = Mailboxes(store)
        self._consumers = Consumers(store)
        self._writer = writer
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._open: OrderedDict[str, OpenMailbox] = OrderedDict()
        self._heads: dict[int, int] = {}  # newest number of each open mailbox, below 0 while it is looked up
        self._seen: dict[int, int] = {}  # used, and not noted lately
        self._noted = Noted(self._grain_ns)
        self._changing = asyncio.Lock()
        self.ended_count = 0
        self.on_end: Callable[[int], None] = lambda _mailbox_id: None

    async def load(self) -> None:
        """Listen for every mailbox the store holds."""
        self._directory.fill(await self._mailboxes.all())

    # Making and ending.

    async def register(self, registration: Registration) -> Made:
        """Make a mailbox, or renew it for whoever knows its secret. Raises RefusedError."""
        async with self._changing:
            keys = await self._mailboxes.find(registration.correlation_id)
            if keys is not None and self._is_over(keys):
                await self._remove(keys.mailbox_id, keys.correlation_id)
                keys = None
            return await self._make(registration) if keys is None else await self._renew(keys, registration)

    async def _make(self, registration: Registration) -> Made:
        settings, now_ns = self._settings, self._clock.now_ns()
        if len(self._directory) >= settings.allow.mailboxes_count:
            raise RefusedError("could not set id and public key: as many ids as this server takes", 429)
        own_id = registration.correlation_id
        nonce_length = settings.nonce_length if len(own_id) == settings.id_length else TO_THE_END
        aes_key = secrets.token_bytes(AES_KEY_BYTES)
        keys = MailboxKeys(
            mailbox_id=0,
            correlation_id=own_id,
            secret_digest=secret_digest(registration.secret),
            public_key=public_key_text(registration.public_key),
            aes_key=aes_key,
            wrapped_key=_wrapped(aes_key, registration),
            nonce_length=nonce_length,
            created_ns=now_ns,
            seen_ns=now_ns,
            expires_ns=None if settings.eviction is Eviction.NONE else now_ns + self._lifetime_ns,
        )
        try:
            self._directory.registry.add(own_id, nonce_length)
        except ValueError as problem:
            raise RefusedError(f"could not set id and public key: {problem}") from None
        made = await self._mailboxes.add(keys)
        if made is None:
            raise RefusedError(ALREADY_REGISTERED)
        self._directory.add(KeptMailbox(made.mailbox_id, own_id, nonce_length))
        return Made(made, kept=False)

    async def _renew(self, keys: MailboxKeys, registration: Registration) -> Made:
        if not secrets.compare_digest(keys.secret_digest, secret_digest(registration.secret)):
            raise RefusedError(ALREADY_REGISTERED)
        now_ns = self._clock.now_ns()
        expires_ns = now_ns + self._lifetime_ns if self._settings.eviction is Eviction.SLIDING else keys.expires_ns
        public_key = public_key_text(registration.public_key)
        if public_key != keys.public_key:
            aes_key = secrets.token_bytes(AES_KEY_BYTES)
            await self._mailboxes.replace_keys(keys.mailbox_id, public_key, aes_key, _wrapped(aes_key, registration))
        if not await self._mailboxes.renew(keys.mailbox_id, now_ns, expires_ns):
            raise RefusedError("could not set id and public key: removed meanwhile, register again")
        self._forget(keys.correlation_id)
        self._noted.discard(keys.mailbox_id)
        renewed = await self._mailboxes.find(keys.correlation_id)
        return Made(renewed or keys, kept=True)

    async def deregister(self, mailbox: Mailbox, dialect: Dialect) -> None:
        """End a registration. Raises RefusedError."""
        async with self._changing:
            try:
                opened = await self.open(mailbox, dialect)
            except GoneError:
                raise GoneError(dialect, deregistering=True) from None
            except WrongSecretError:
                raise WrongSecretError(deregistering=True) from None
            await self._remove(opened.keys.mailbox_id, opened.keys.correlation_id)

    async def _remove(self, mailbox_id: int, correlation_id: str) -> None:
        self._directory.discard(correlation_id)
        self._forget(correlation_id)
        self._seen.pop(mailbox_id, None)
        self._noted.discard(mailbox_id)
        await self._mailboxes.remove(mailbox_id)
        self.on_end(mailbox_id)

    async def sweep(self) -> int:
        """End what is past its time; returns how many ended."""
        async with self._changing:
            await self._save_seen()
            ended = await self._mailboxes.ended(self._now_less_grain_ns)
            for mailbox in ended:
                await self._remove(mailbox.mailbox_id, mailbox.correlation_id)
        self.ended_count += len(ended)
        return len(ended)

    async def follow_step(self, by_ns: int) -> None:
        """The system's clock was set: nothing ends earlier or later by that."""
        async with self._changing:
            await self._mailboxes.shift(by_ns)
            await self._writer.retention.shift_marks(by_ns)
            self._seen = {mailbox_id: at_ns + by_ns for mailbox_id, at_ns in self._seen.items()}
            self._noted.forget()
            self._open.clear()
            self._heads.clear()

    def committed(self, first_seq: int, rows: Sequence[Row]) -> None:
        """Interactions were written: what is known of their mailboxes follows."""
        heads, noted, seen, now_ns = self._heads, self._noted, self._seen, self._clock.now_ns()
        for seq, row in enumerate(rows, first_seq):
            if row.mailbox_id:
                if row.mailbox_id not in noted:
                    seen[row.mailbox_id] = now_ns
                if row.mailbox_id in heads:
                    heads[row.mailbox_id] = seq

    async def note_use(self) -> None:
        """Write down which mailboxes were used, where they are so many that memory would fill."""
        if len(self._seen) > MAX_SEEN:
            async with self._changing:
                await self._save_seen()

    def used(self, mailbox_id: int) -> None:
        """A mailbox was asked for or hit: where ends slide, this moves its own."""
        if mailbox_id not in self._noted:
            self._seen[mailbox_id] = self._clock.now_ns()

    async def _save_seen(self) -> None:
        """Note uses, and of each mailbox no other for a hundredth of its time."""
        seen, self._seen = self._seen, {}
        self._noted.begin(self._clock.now_ns())
        if not seen:
            return
        sliding = self._settings.eviction is Eviction.SLIDING
        lifetime_ns = self._lifetime_ns if sliding else None
        await self._mailboxes.touch(seen, lifetime_ns, self._grain_ns)
        for mailbox_id in seen:
            self._noted.add(mailbox_id)
        for opened in self._open.values():
            seen_ns = seen.get(opened.keys.mailbox_id)
            if lifetime_ns is not None and seen_ns is not None:
                opened.keys = replace(opened.keys, seen_ns=seen_ns, expires_ns=seen_ns + lifetime_ns)

    @property
    def _grain_ns(self) -> int:
        return self._lifetime_ns // 100

    @property
    def _now_less_grain_ns(self) -> int:
        """Ends before this are over. Where they slide, a use may not be noted for a grain: so much later they come."""
        return self._clock.now_ns() - (self._grain_ns if self._settings.eviction is Eviction.SLIDING else 0)

    @property
    def _lifetime_ns(self) -> int:
        return int(self._settings.eviction_s * NS_PER_S)

    def _is_over(self, keys: MailboxKeys) -> bool:
        expires_ns = keys.expires_ns
        if expires_ns is not None and self._settings.eviction is Eviction.SLIDING:
            expires_ns = max(expires_ns, self._seen.get(keys.mailbox_id, 0) + self._lifetime_ns)
        return expires_ns is not None and expires_ns <= self._now_less_grain_ns

    # Reading.

    async def open(self, mailbox: Mailbox, dialect: Dialect) -> OpenMailbox:
        """Return a mailbox to whoever knows its secret. Raises GoneError and WrongSecretError."""
        opened = self._open.get(mailbox.correlation_id)
        if opened is None:
            keys = await self._mailboxes.find(mailbox.correlation_id)
            if keys is None:
                raise GoneError(dialect)
            opened = OpenMailbox(keys, await self._consumers.of(keys.mailbox_id))
        if not secrets.compare_digest(opened.keys.secret_digest, secret_digest(mailbox.secret)):
            raise WrongSecretError
        if self._is_over(opened.keys):
            raise GoneError(dialect)
        self._open[mailbox.correlation_id] = opened
        self._open.move_to_end(mailbox.correlation_id)
        if len(self._open) > MAX_OPEN:
            self._forget(next(iter(self._open)))
        self.used(opened.keys.mailbox_id)
        return opened

    def _forget(self, correlation_id: str) -> None:
        opened = self._open.pop(correlation_id, None)
        if opened is not None:
            self._heads.pop(opened.keys.mailbox_id, None)

    async def head(self, mailbox_id: int) -> int:
        """The newest number in a mailbox."""
        known = self._heads.get(mailbox_id, UNKNOWN)
        if known >= 0:
            return known
        self._heads[mailbox_id] = UNKNOWN  # so that what is written from now on is noted
        found = await self.interactions.head(mailbox_id)
        if mailbox_id in self._heads:
            found = self._heads[mailbox_id] = max(found, self._heads[mailbox_id])
        return found

    async def lost_through(self, opened: OpenMailbox) -> int:
        """The newest number that retention deleted of a mailbox. Asked for after reading: then nothing goes untold."""
        return await self._mailboxes.lost_through(opened.keys.mailbox_id)

    async def unread(self, opened: OpenMailbox, consumer: str) -> Page:
        """Return a page of what a reader has not taken."""
        mailbox_id = opened.keys.mailbox_id
        cursor = opened.cursors.get(consumer, 0)
        if consumer == TLD:
            return await self.interactions.after(None, cursor, protocols=TLD_PROTOCOLS)
        if consumer == EXTRA:
            return await self.interactions.after(NOBODY, cursor, protocols=EXTRA_PROTOCOLS)
        if await self.head(mailbox_id) <= cursor:
            return Page([], more=False)
        return await self.interactions.after(mailbox_id, cursor)

    def acknowledge(self, opened: OpenMailbox, consumer: str, seq: int) -> None:
        """A reader took everything up to `seq`. Raises RefusedError for a reader too many."""
        if consumer not in opened.cursors and len(opened.cursors) >= MAX_CONSUMERS:
            raise RefusedError(f"a mailbox has at most {MAX_CONSUMERS} consumers", 429)
        if seq > opened.cursors.get(consumer, 0):
            opened.cursors[consumer] = seq
            self._writer.acknowledge(opened.keys.mailbox_id, consumer, seq)


def _wrapped(aes_key: bytes, registration: Registration) -> str:
    try:
        return wrap_key(aes_key, registration.public_key)
    except WireError as problem:
        raise RefusedError(f"could not set id and public key: could not read public Key: {problem}") from None
