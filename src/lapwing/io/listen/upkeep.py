"""What has to be done now and then: follow the clock, end what is past its time, keep the store within its bounds."""

from collections.abc import Callable

from lapwing.callbacks.push import Refused
from lapwing.io.listen.certificates import Certificates
from lapwing.io.listen.clock import NS_PER_S, Clock
from lapwing.io.listen.directory import Directory
from lapwing.io.listen.hub import Hub
from lapwing.io.listen.mailroom import Mailroom
from lapwing.io.store import MAX_LISTED, GroupWriter, PlantedTokens, Store

TICK_S = 1.0
SLOW_EVERY = 60  # ticks between the tasks that read much
TOKENS_AGAIN = 1_000  # planted tokens looked at again in a tick, for what was revoked or changed: so many in a second


class Upkeep:
    """One tick a second; each task is small or done in pieces."""

    def __init__(
        self,
        store: Store,
        writer: GroupWriter,
        directory: Directory,
        mailroom: Mailroom,
        hub: Hub,
        clock: Clock,
        *,
        certificates: Certificates | None = None,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """`say` is told of what an operator should know."""
        self.step_count = 0  # of the system's clock
        self._store = store
        self._writer = writer
        self._directory = directory
        self._mailroom = mailroom
        self._hub = hub
        self._clock = clock
        self._certificates = certificates
        self._say = say
        self._tokens = PlantedTokens(store)
        self._ticks = 0
        self._newest_token = self._token_again = 0  # planted tokens known, and those looked at again so far
        self._commit_count = 0
        self._was_failing = ""
        self._refused_count = 0
        self._refused_since_ns = clock.now_ns()

    async def tick(self) -> None:
        """Do what is due."""
        step_ns = self._clock.check()
        if step_ns:
            self.step_count += 1
            self._say(
                f"the system's clock was set by {step_ns / NS_PER_S:+.0f} s; nothing ends earlier or later by that"
            )
            await self._mailroom.follow_step(step_ns)
        await self._look_after_writing()
        if self._certificates is not None and self._certificates.refresh():
            self._say("a new certificate is in use")
        if self._ticks % SLOW_EVERY == 0:
            await self.sweep()
        await self._mailroom.note_use()
        await self.keep_bounds()
        await self.load_tokens()
        if self._writer.commit_count != self._commit_count:
            self._commit_count = self._writer.commit_count
            await self._store.checkpoint()
        self._ticks += 1

    async def load_tokens(self) -> None:
        """Know what was planted, by this process or another: all that is new, and some of the rest in turn."""
        newest, again = self._newest_token, self._token_again
        while fresh := await self._tokens.planted(after_id=self._newest_token, limit=MAX_LISTED):
            self._directory.plant(fresh)
            self._newest_token = fresh[-1].token_id
        if again >= newest:
            again = 0
        if newest:
            seen = await self._tokens.planted(after_id=again, limit=TOKENS_AGAIN)
            self._directory.plant(seen)
            again = seen[-1].token_id if seen else 0
        self._token_again = again

    async def sweep(self) -> None:
        """End mailboxes past their time, and remember how old interactions are."""
        if self._writer.last_seq:
            await self._writer.retention.mark(self._clock.now_ns(), self._writer.last_seq)
        await self._mailroom.sweep()

    async def keep_bounds(self) -> None:
        """Have deleted what is too old or too much."""
        retention = self._writer.retention
        if retention.failure:
            self._say(f"what is too old or too much cannot be deleted: {retention.failure}")
        await self._writer.keep_bounds(self._clock.now_ns())

    async def _look_after_writing(self) -> None:
        """Try again where writing failed, and tell readers and operator of what was refused."""
        if self._writer.failure:
            await self._writer.barrier()
        failing = self._writer.failure
        if failing != self._was_failing:
            self._say(
                f"the store cannot be written, nothing is answered: {failing}" if failing else "writing works again"
            )
            self._was_failing = failing
        now_ns, refused = self._clock.now_ns(), self._writer.refused_count
        if refused > self._refused_count:
            count = refused - self._refused_count
            if not failing and not self._was_failing:
                self._say(f"{count} interactions could not be written and were not answered; writing works again")
            self._hub.refused(Refused(self._refused_since_ns, now_ns, count, failing or "more than could be written"))
        self._refused_count, self._refused_since_ns = refused, now_ns
