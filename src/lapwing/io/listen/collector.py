"""The collector: every listener, the store behind them and the control interface beside them, as one thing to run."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress

from lapwing.callbacks import Peer
from lapwing.callbacks.responders import (
    Asked,
    DnsResponder,
    DnsStreamResponder,
    FtpResponder,
    HttpResponder,
    HttpSite,
    LdapResponder,
    Responder,
    SmtpResponder,
    Zone,
)
from lapwing.callbacks.responders.http2 import Http2Responder
from lapwing.io.listen.admission import Admission
from lapwing.io.listen.alerting import Alerting
from lapwing.io.listen.certificates import Certificates
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.connection import Connection, Door, Services
from lapwing.io.listen.control import CONTROL_PATHS, ControlApi
from lapwing.io.listen.datagrams import DnsSocket
from lapwing.io.listen.directory import Directory
from lapwing.io.listen.front import ControlFront
from lapwing.io.listen.hub import Hub
from lapwing.io.listen.mailroom import Mailroom
from lapwing.io.listen.privileges import drop_privileges
from lapwing.io.listen.recorder import Recorder, Told
from lapwing.io.listen.renewing import Renewing
from lapwing.io.listen.settings import Allowance, CollectorSettings, Generation
from lapwing.io.listen.sockets import UDP, Bound, bind_all, close_all
from lapwing.io.listen.upkeep import TICK_S, Upkeep
from lapwing.io.store import GroupWriter, Row, Store
from lapwing.logins.forwarded import TrustedProxies

STOP_S = 5.0  # for what is being said when the collector stops


class Collector:
    """Start, run until stopped, stop. `say` is told what an operator should know, `told` of every interaction."""

    def __init__(
        self, settings: CollectorSettings, *, told: Told | None = None, say: Callable[[str], None] = lambda _text: None
    ) -> None:
        self.settings = settings
        self.clock = Clock()
        self.directory = Directory()
        self.hub = Hub()
        self.ports: dict[str, list[int]] = {}  # what each door got
        self.failure = ""  # why it stopped by itself
        self._told = told
        self._say = say
        self._servers: list[asyncio.Server] = []
        self._sockets: list[DnsSocket] = []
        self._fronts: list[ControlFront] = []
        self._connections: set[Connection] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._certificates: Certificates | None = None
        self._renewing: Renewing | None = None
        self._alerting: Alerting | None = None
        self._beside: list[asyncio.Task[None]] = []  # what is cancelled in the end

    async def start(self) -> None:
        """Open every port, give up privileges, open the store, serve. Raises LapwingError, with nothing left open."""
        settings = self.settings
        if settings.tls.wanted:
            self._certificates = Certificates(settings.tls, settings.domains)
        bound = bind_all(settings)
        self.ports = {name: [one.getsockname()[1] for one in sockets] for name, sockets in bound.items()}
        try:
            drop_privileges(settings.user)
            self.store = await Store.open(settings.store)
        except BaseException:
            close_all(bound)
            raise
        await self._prepare()
        await self._open_doors(bound)

    async def run(self) -> None:
        """Serve until `stop` or until something the collector needs fails for good; then `failure` says what."""
        await self._stopped.wait()

    async def stop(self) -> None:
        """Take nothing more, let what was taken reach the disk, close."""
        for server in self._servers:
            server.close()
        for door in self._sockets:
            door.close()
        self.hub.end_all("the collector stops")
        for connection in list(self._connections):
            connection.shut()
        for front in self._fronts:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await front.close()
        self._stopping.set()
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._tasks:
            writing, ticking = self._tasks
            await asyncio.wait([ticking])
            self.writer.close()
            await asyncio.wait([writing])
        await self.store.close()
        self._servers, self._sockets, self._tasks = [], [], []
        self._stopped.set()

    def health(self) -> dict[str, object]:
        """What is going on: for the health call and the operator."""
        certificate = self._certificates.failure if self._certificates is not None else ""
        issuing = self._renewing.failure if self._renewing is not None else ""
        problems = [text for text in (self.writer.failure, certificate, issuing, self.failure) if text]
        refused = sum(door.rate.refused_count for door in self._sockets)
        return {
            "status": "failing" if problems else "ok",
            "problems": problems,
            **self.recorder.counts,
            "sessions": len(self.directory),
            "sessions_ended": self.mailroom.ended_count,
            "nobodys": self.recorder.nobodys_count,
            "written": self.writer.written_count,
            "commits": self.writer.commit_count,
            "waiting": self.writer.waiting_count,
            "refused": self.writer.refused_count,
            "deleted": self.writer.retention.deleted_count,
            "store_bytes": self.writer.retention.size_bytes,
            "clock_steps": self._upkeep.step_count,
            "connections": self._admission.open_count,
            "connections_refused": self._admission.refused_count,
            "queries_refused": refused,
            "streams": self.hub.count,
            **({} if self._alerting is None else self._alerting.counts),
        }

    # Inside.

    async def _prepare(self) -> None:
        settings = self.settings
        self.writer = GroupWriter(self.store, now_ns=self.clock.now_ns)
        await self.writer.start()
        self.mailroom = Mailroom(self.store, self.writer, self.directory, settings, self.clock)
        self.mailroom.on_end = lambda mailbox_id: self.hub.end(mailbox_id, "the registration ended")
        await self.mailroom.load()
        proxies = TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None
        self.recorder = Recorder(
            self.writer, self.directory, keep_nobodys=settings.keep_nobodys, proxies=proxies, noise=settings.noise
        )
        if settings.alerts.addresses:
            domain = settings.domains[0]
            self._alerting = Alerting(settings.alerts, self.store, self.clock, domain=domain, say=self._say)
            self.recorder.letters = self._alerting.letters
            self._beside.append(self._lasting(self._alerting.run()))
        self.recorder.told = self._told
        self.writer.on_committed = self._committed
        self._upkeep = Upkeep(
            self.store,
            self.writer,
            self.directory,
            self.mailroom,
            self.hub,
            self.clock,
            certificates=self._certificates,
            say=self._say,
        )
        await self._upkeep.load_tokens()
        self._admit(settings.allow)
        self._tasks = [self._lasting(self.writer.run()), self._lasting(self._tick())]

    def _admit(self, allow: Allowance) -> None:
        """Strangers share places among themselves, friends have their own."""
        self._admission = Admission(
            total_count=allow.connections_count,
            per_source_count=allow.per_source_count,
            per_source_s=allow.per_source_s,
        )
        self._control_admission = Admission(
            total_count=allow.control_count,
            per_source_count=allow.control_count,
            per_source_s=allow.control_per_source_s,
        )

    def _committed(self, first_seq: int, rows: Sequence[Row]) -> None:
        self.mailroom.committed(first_seq, rows)
        self.hub.committed(first_seq, rows)
        if self._alerting is not None:
            self._alerting.committed()

    def _lasting(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Without this the collector is none: its end ends everything."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.failure = f"{type(task.exception()).__name__}: {task.exception()}"
            self._stopped.set()

    async def _tick(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._upkeep.tick()
            except Exception as problem:  # the next tick tries again
                self._say(f"upkeep failed: {type(problem).__name__}: {problem}".partition("\n")[0])
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stopping.wait()

    async def _open_doors(self, bound: Bound) -> None:
        settings = self.settings
        zone = Zone(domains=settings.domains, ipv4=settings.ipv4, ipv6=settings.ipv6, records=settings.records)
        dns = DnsResponder(zone)
        for udp in bound.pop(UDP, []):
            per_source_s = settings.allow.dns_per_source_s
            door = DnsSocket(udp, clock=self.clock, dns=dns, recorder=self.recorder, per_source_s=per_source_s)
            door.start()
            self._sockets.append(door)
        doors = {door.name: (door, services) for door, services in (*self._capture(dns), *self._control())}
        for name, sockets in bound.items():
            for one in sockets:
                await self._open(*doors[name], one)
        if settings.tls.acme.folder:  # now that DNS answers
            self._renewing = Renewing(settings, dns, say=self._say)
            self._beside.append(self._lasting(self._renewing.run()))

    def _capture(self, dns: DnsResponder) -> Iterator[tuple[Door, Services]]:
        """What strangers reach."""
        limits = self.settings.limits
        starttls = self._certificates is not None
        name = f"mail.{self.settings.domains[0]}"

        def stream(peer: Peer, now_ns: int, _protocol: str | None) -> Responder:
            return DnsStreamResponder(peer, now_ns, dns=dns, limits=limits)

        def smtp(peer: Peer, now_ns: int, _protocol: str | None) -> Responder:
            return SmtpResponder(peer, now_ns, name=name, limits=limits, starttls=starttls)

        def ldap(peer: Peer, now_ns: int, _protocol: str | None) -> Responder:
            return LdapResponder(peer, now_ns, limits=limits, starttls=starttls)

        def ftp(peer: Peer, now_ns: int, _protocol: str | None) -> Responder:
            return FtpResponder(peer, now_ns, limits=limits, starttls=starttls)

        http = self._http(self._at_domain if self.settings.control_at_domain else None)
        services = self._services(self._front(self.settings.generation))
        yield Door("dns", stream, _no_tls), services
        yield Door("http", http, _no_tls), services
        yield Door("https", http, self._web_tls, tls=True), services
        for kind, make in (("smtp", smtp), ("ldap", ldap), ("ftp", ftp)):
            yield Door(kind, make, self._plain_tls), services
            yield Door(f"{kind}s", make, self._plain_tls, tls=True), services

    def _http(self, control: Callable[[Asked], bool] | None) -> Callable[[Peer, int, str | None], Responder]:
        settings = self.settings
        self.directory.answers.update(
            settings.answers
        )  # what is set for a token by hand wins over what it was made with
        site = HttpSite(domain=settings.domains[0], answers=self.directory.answers, dynamic=settings.dynamic)

        def http(peer: Peer, now_ns: int, protocol: str | None) -> Responder:
            if protocol == "h2":
                return Http2Responder(peer, now_ns, site=site, limits=settings.limits, control=control)
            return HttpResponder(peer, now_ns, site=site, limits=settings.limits, control=control)

        return http

    def _at_domain(self, asked: Asked) -> bool:
        """Whether a request at a capture port is for the collector: a call's path at the bare domain."""
        host = asked.host.lower()
        name, colon, port = host.rpartition(":")
        return asked.path in CONTROL_PATHS and (name if colon and port.isdigit() else host) in self.settings.domains

    def _control(self) -> Iterator[tuple[Door, Services]]:
        """What friends reach."""
        tls = self.settings.control_tls
        context = self._web_tls if tls else _no_tls
        for name, generation in (("control", self.settings.generation), ("older-control", Generation.V1_2_4)):
            door = Door(name, self._http(lambda _asked: True), context, tls=tls)
            yield door, self._services(self._front(generation))._replace(admission=self._control_admission)

    def _front(self, generation: Generation) -> ControlFront:
        api = ControlApi(
            self.mailroom, self.writer, self.settings, self.clock, dialect=generation.dialect, health=self.health
        )
        front = ControlFront(api, self.hub, domain=self.settings.domains[0])
        self._fronts.append(front)
        return front

    def _services(self, controls: ControlFront) -> Services:
        settings = self.settings
        return Services(
            self.clock, self.recorder, self._admission, settings.limits, settings.allow.handshake_s, controls
        )

    async def _open(self, door: Door, services: Services, bound: socket.socket) -> None:
        def connection() -> Connection:
            one = Connection(door, services)
            one.on_end = self._connections.discard
            self._connections.add(one)
            return one

        self._servers.append(await asyncio.get_running_loop().create_server(connection, sock=bound))

    def _web_tls(self) -> ssl.SSLContext | None:
        return None if self._certificates is None else self._certificates.web

    def _plain_tls(self) -> ssl.SSLContext | None:
        return None if self._certificates is None else self._certificates.plain


def _no_tls() -> ssl.SSLContext | None:
    return None
