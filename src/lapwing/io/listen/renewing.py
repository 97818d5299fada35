"""Keeps a certificate from an authority fresh while the collector runs, and says when that fails."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from lapwing.callbacks.responders import DnsResponder
from lapwing.events import CollectorError
from lapwing.io.listen.issuing import Challenges, Issuer, now_utc
from lapwing.io.listen.settings import CollectorSettings

CHECK_S = 3_600.0  # between looks whether it is time
RETRY_S = 900.0  # after a failure: authorities count failures, five an hour at most
PUBLISH_S = 10.0  # for the event loop to take up what DNS must say


class Renewing:
    """Asks when it is due. `failure` says why there is no (fresh) certificate, empty while all is well."""

    def __init__(
        self, settings: CollectorSettings, dns: DnsResponder, *, say: Callable[[str], None] = lambda _text: None
    ) -> None:
        self.failure = ""
        self.issued_count = 0
        self._dns = dns
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._issuer = Issuer(settings.tls.acme, settings.domains, self._publish)
        self._domains = ", ".join(settings.domains)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(RETRY_S if await self.look() else CHECK_S)

    async def look(self) -> str:
        """Ask for a certificate if it is due; returns what went wrong, empty for nothing."""
        if self._issuer.due(now_utc()):
            try:
                await self._in_a_thread()
            except CollectorError as problem:
                self.failure = str(problem)
                self._say(f"{self.failure}; asked again in {RETRY_S / 60:.0f} minutes")
            else:
                self.failure = ""
                self.issued_count += 1
                self._say(f"a certificate for {self._domains} was issued")
        return self.failure

    async def _in_a_thread(self) -> None:
        """One that nobody waits for when the collector stops: an authority may take minutes."""
        done: asyncio.Future[None] = self._loop.create_future()

        def finish(problem: BaseException | None) -> None:
            if done.done():
                return
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)

        def work() -> None:
            problem: BaseException | None = None
            try:
                self._issuer.issue()
            except Exception as raised:
                known = isinstance(raised, CollectorError)
                problem = raised if known else CollectorError(f"no certificate: {type(raised).__name__}: {raised}")
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(finish, problem)

        threading.Thread(target=work, name="lapwing-acme", daemon=True).start()
        await done

    def _publish(self, challenges: Challenges) -> None:
        """Have DNS say these, from another thread. Raises OSError where the loop does not take it up."""
        taken = threading.Event()

        def use() -> None:
            self._dns.use(replace(self._dns.zone, challenges=dict(challenges)))
            taken.set()

        try:
            self._loop.call_soon_threadsafe(use)
        except RuntimeError:
            raise OSError("the collector has stopped") from None
        if not taken.wait(PUBLISH_S):
            raise OSError("the collector's DNS did not take up the proof")
