"""Registrations renewed at the very moment they end: what is answered "registered" must stand, and take hits."""

import asyncio
import secrets
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from lapwing.callbacks import DnsInteraction, Peer, correlation_id
from lapwing.callbacks.interactsh import V1_3_1, Identity, Mailbox, read_registration, register_call
from lapwing.io.listen import Collector, CollectorSettings, Ports
from lapwing.io.listen.settings import Eviction
from lapwing.io.store import Mailboxes, StoreSettings

DOMAIN = "oast.example.com"
NONCE = "cg5ugboyyyyyn"
LIFETIME_S = 3_600.0
AT_ONCE = 50  # registrations that end together


def renewals(count: int) -> dict[str, float]:
    """Renew so many; returns how many were answered and then not there, or missed a hit."""
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name:
        return asyncio.run(_renewals(count, Path(name)))


async def _renewals(count: int, folder: Path) -> dict[str, float]:
    none = dict.fromkeys(Ports.__struct_fields__, ())
    settings = CollectorSettings(
        domains=(DOMAIN,),
        listen=("127.0.0.1",),
        control_port=None,
        ports=Ports(**none),
        eviction=Eviction.FIXED,
        eviction_s=LIFETIME_S,
        store=StoreSettings(url=f"sqlite:///{folder / 'store.db'}"),
    )
    collector = Collector(settings)
    await collector.start()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    done = lost = 0
    try:
        while done < count:
            identities = [
                Identity(correlation_id(secrets.token_bytes(20)), secrets.token_hex(16))
                for _ in range(min(AT_ONCE, count - done))
            ]
            lost += await _round(collector, identities, key)
            done += len(identities)
    finally:
        await collector.stop()
    return {"renewals_count": done, "renewals_lost": lost}


async def _round(collector: Collector, identities: list[Identity], key: rsa.RSAPrivateKey) -> int:
    """Let registrations end, and renew each while they are being swept away."""
    registrations = [read_registration(register_call(one, key).body) for one in identities]
    for registration in registrations:
        made = await collector.mailroom.register(registration)
        now_ns = collector.clock.now_ns()
        await Mailboxes(collector.store).renew(made.keys.mailbox_id, now_ns, now_ns)  # its time is over
    work = [collector.mailroom.register(registration) for registration in registrations]
    await asyncio.gather(*work[: len(work) // 2], collector.mailroom.sweep(), *work[len(work) // 2 :])
    await asyncio.gather(*(_hit(collector, one) for one in identities))
    lost = 0
    for one in identities:
        opened = await collector.mailroom.open(Mailbox(one.correlation_id, one.secret), V1_3_1)
        lost += len((await collector.mailroom.unread(opened, "")).entries) != 1
    return lost


async def _hit(collector: Collector, identity: Identity) -> None:
    """A query for one of its names, written."""
    query = DnsInteraction(
        ts_ns=collector.clock.now_ns(), peer=Peer("192.0.2.7"), name=f"{identity.correlation_id}{NONCE}.{DOMAIN}"
    )
    written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    collector.recorder.take([query], written.set_result)
    assert await written
