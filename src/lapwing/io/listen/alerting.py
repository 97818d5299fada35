"""Alerts to webhooks and by mail: written with the hit, tried until they are taken, and kept where nobody takes them.

Each address is on its own: one that fails holds up no other. A try that is not answered may have been taken all the
same, so an alert comes at least once; its `ts_ns` and `token` tell a repeated one.
"""

import asyncio
import http.client
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from urllib.parse import urlsplit

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from lapwing.callbacks import Doubts, Interaction
from lapwing.callbacks.alerts import Tripped, tripped
from lapwing.io.listen.clock import NS_PER_S, Clock
from lapwing.io.listen.mailing import send_mail
from lapwing.io.listen.settings import AlertSettings
from lapwing.io.store import Letter, Letters, PlantedToken, Store

AT_ONCE = 8  # alerts tried at one time
LOOK_S = 1.0  # between looks at what is due; what was just written is looked at when it is committed
MAX_FAILURE_CHARS = 256


class Alerting:
    """Makes alerts and delivers them. `say` is told when one is given up."""

    def __init__(
        self,
        settings: AlertSettings,
        store: Store,
        clock: Clock,
        *,
        domain: str,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.delivered_count = 0
        self.failed_count = 0  # tries
        self.waiting_count = self.dead_count = 0  # as of the last look
        self._settings = settings
        self._letters = Letters(store)
        self._clock = clock
        self._domain = domain
        self._say = say
        self._news = asyncio.Event()
        self._tls = ssl.create_default_context(cafile=settings.ca_file or None)

    def letters(
        self, interaction: Interaction, token: PlantedToken, held_back_count: int, doubts: Doubts
    ) -> Sequence[Letter]:
        """Return the alerts of a hit, one for each address, to be written with it."""
        alert = tripped(
            interaction,
            kind=token.kind,
            token=token.name,
            note=token.note,
            placement=token.placement,
            held_back_count=held_back_count,
            quiet_s=token.alert_every_s,
            public_domain=self._domain,
            doubts=sorted(doubts),
        )
        body, now_ns = msgspec.json.encode(alert), self._clock.now_ns()
        return [
            Letter(address=address, made_ns=now_ns, due_ns=now_ns, body=body) for address in self._settings.addresses
        ]

    @property
    def counts(self) -> dict[str, int]:
        """For the health call."""
        return {
            "alerts_delivered": self.delivered_count,
            "alerts_failed_tries": self.failed_count,
            "alerts_waiting": self.waiting_count,
            "alerts_given_up": self.dead_count,
        }

    def committed(self) -> None:
        """Something was written: perhaps an alert."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled. A store that fails holds alerts up, no more: who looks after writing tells of it."""
        while True:
            tried = 0
            with suppress(SQLAlchemyError):
                tried = await self.deliver()
            if not tried:
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._news.wait()

    async def deliver(self) -> int:
        """Try what is due; returns how many alerts were tried."""
        due = await self._letters.due(self._clock.now_ns(), AT_ONCE)
        await asyncio.gather(*(self._try(letter) for letter in due))
        self.waiting_count, self.dead_count = await self._letters.counts()
        return len(due)

    async def _try(self, letter: Letter) -> None:
        try:
            await asyncio.to_thread(self._send, letter)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            await self._failed(letter, str(problem).partition("\n")[0] or type(problem).__name__)
        else:
            await self._letters.delivered(letter.letter_id)
            self.delivered_count += 1

    async def _failed(self, letter: Letter, failure: str) -> None:
        self.failed_count += 1
        settings, tries = self._settings, letter.tries_count + 1
        due_ns: int | None = None
        if tries < settings.tries_count:
            wait_s = min(settings.retry_s * 2 ** min(tries - 1, 32), settings.max_retry_s)
            due_ns = self._clock.now_ns() + int(wait_s * NS_PER_S)
        else:
            self._say(f"an alert was given up after {tries} tries: {shown_address(letter.address)}: {failure}")
        await self._letters.failed(letter.letter_id, failure[:MAX_FAILURE_CHARS], due_ns)

    def _send(self, letter: Letter) -> None:
        """Deliver one, in a thread. Raises what says that it was not taken."""
        kind, _, address = letter.address.partition(":")
        if kind == "mailto":
            send_mail(self._settings, self._tls, address, msgspec.json.decode(letter.body, type=Tripped))
        else:
            self._post(letter.address, letter.body)

    def _post(self, url: str, body: bytes) -> None:
        """Only an answer of 200 to 299 took it; a redirect is none, as it may lead anywhere."""
        parts = urlsplit(url)
        host, timeout_s = parts.hostname or "", self._settings.timeout_s
        if parts.scheme == "https":
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=timeout_s, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        with closing(made) as connection:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Content-Type": "application/json", "User-Agent": "lapwing", "Connection": "close"}
            connection.request("POST", path, body=body, headers=headers)
            status = connection.getresponse().status
        if not 200 <= status < 300:
            raise OSError(f"status {status}")


def shown_address(address: str) -> str:
    """An address without what may be secret in it: the path of a webhook is its key."""
    parts = urlsplit(address)
    return address if parts.scheme == "mailto" else f"{parts.scheme}://{parts.hostname}"
