"""What has to be done now and then: follow the clock, end what is past its time, keep the store within its bounds."""

from collections.abc import Callable

from lapwing.callbacks.push import Refused
from lapwing.io.listen.certificates import Certificates
from lapwing.io.listen.clock import NS_PER_S, Clock
from lapwing.io.listen.directory import Directory
from lapwing.io.listen.hub import Hub
from lapwing.io.listen.mailroom import Mailroom
from lapwing.io.store import MAX_LISTED, GroupWriter, Interactions, PlantedTokens, Store

TICK_S = 1.0
SLOW_EVERY = 60  # ticks between the tasks that read much
DELETE_COUNT = 2_000  # interactions deleted at once: whoever waits for a commit meanwhile waits some 20 ms
MAX_ROUNDS = 1_000  # of deletions in one go
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
        self.deleted_count = 0
        self.step_count = 0  # of the system's clock
        self._store = store
        self._writer = writer
        self._directory = directory
        self._mailroom = mailroom
        self._hub = hub
        self._clock = clock
        self._certificates = certificates
        self._say = say
        self._interactions = Interactions(store)
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
        """End mailboxes and delete interactions past their time or the store's size."""
        now_ns = self._clock.now_ns()
        if self._writer.last_seq:
            await self._interactions.mark(now_ns, self._writer.last_seq)
        await self._mailroom.sweep()
        old = await self._interactions.seq_at(now_ns - int(self._store.settings.keep_s * NS_PER_S))
        await self._delete(old, nobodys=False)
        await self._shrink()

    async def _shrink(self) -> None:
        for nobodys in (True, False):
            for _ in range(MAX_ROUNDS):
                if await self._store.size_bytes() <= self._store.settings.keep_bytes:
                    return
                deleted = await self._interactions.delete_through(
                    self._writer.last_seq, limit=DELETE_COUNT, nobodys=nobodys
                )
                self.deleted_count += deleted
                if not deleted:
                    break

    async def _delete(self, through: int, *, nobodys: bool) -> None:
        for _ in range(MAX_ROUNDS if through else 0):
            deleted = await self._interactions.delete_through(through, limit=DELETE_COUNT, nobodys=nobodys)
            self.deleted_count += deleted
            if deleted < DELETE_COUNT:
                return

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
