"""Which interactions say less than they seem to: marked, kept, never dropped.

A marked interaction still happened. What it proves is for the reader: a resolver that asks again weeks later is no
visitor, and one's own scanner resolving the name it planted is no finding.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from lapwing.callbacks.interaction import DnsInteraction, FtpInteraction, HttpInteraction, Interaction
from lapwing.events import SettingsError

SECOND_NS = 1_000_000_000


class Noise(StrEnum):
    """Why an interaction may mean little."""

    OWN_EGRESS = "own-egress"  # came from an address of ours
    KNOWN_RESOLVER = "known-resolver"  # a DNS query by a resolver that serves everybody: who asked it is not known
    LATE = "late"  # long after the token could have been used the first time
    REPEAT = "repeat"  # the same was asked before
    SCANNER = "scanner"  # a mail gateway or a preview looked, as it looks at every link; who got the link did not


# Words in the User-Agent of what opens links without a person: mail gateways, image proxies, previews of messengers.
SCANNERS = (
    b"barracuda", b"bingpreview", b"bitdefender", b"discordbot", b"facebookexternalhit", b"forcepoint",
    b"googleimageproxy", b"mimecast", b"proofpoint", b"skypeuripreview", b"slack-imgproxy", b"slackbot", b"symantec",
    b"telegrambot", b"trendmicro", b"twitterbot", b"urldefense", b"whatsapp", b"yahoomailproxy", b"zscaler",
)  # fmt: skip
_AGENT = re.compile(rb"(?im)^user-agent:([^\r\n]*)")


class NoiseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about senders. Networks as text, e.g. `192.0.2.0/24`."""

    own_networks: tuple[str, ...] = ()
    resolver_networks: tuple[str, ...] = ()
    late_after_s: float = 300.0  # since the token was made; ten times the default wait

    def __post_init__(self) -> None:
        """Raise SettingsError for what is no network."""
        try:
            _networks((*self.own_networks, *self.resolver_networks))
        except ValueError as problem:
            raise SettingsError(f"callbacks.noise: {problem}; networks look like 192.0.2.0/24") from None


class NoiseMarker:
    """Marks interactions by the rules; the caller says what is known of the token."""

    def __init__(self, rules: NoiseRules | None = None) -> None:
        rules = rules or NoiseRules()
        self._own = _networks(rules.own_networks)
        self._resolvers = _networks(rules.resolver_networks)
        self._late_ns = int(rules.late_after_s * SECOND_NS)

    def mark(
        self, interaction: Interaction, *, minted_ns: int | None = None, earlier: Iterable[Interaction] = ()
    ) -> frozenset[Noise]:
        """Return the reasons to doubt; `earlier` are interactions with the same token, `minted_ns` when it was made."""
        found = set()
        client_ip = interaction.peer.client_ip
        if _within(client_ip, self._own):
            found.add(Noise.OWN_EGRESS)
        if isinstance(interaction, DnsInteraction) and _within(client_ip, self._resolvers):
            found.add(Noise.KNOWN_RESOLVER)
        if isinstance(interaction, HttpInteraction) and _is_scanner(interaction.raw_request):
            found.add(Noise.SCANNER)
        if minted_ns is not None and interaction.ts_ns - minted_ns > self._late_ns:
            found.add(Noise.LATE)
        question = asked(interaction)
        if any(asked(one) == question for one in earlier):
            found.add(Noise.REPEAT)
        return frozenset(found)


def asked(interaction: Interaction) -> tuple[object, ...]:
    """What was asked, whoever did: resolvers of one service ask from many addresses."""
    if isinstance(interaction, DnsInteraction):
        return DnsInteraction, interaction.name.lower(), interaction.query_type
    if isinstance(interaction, HttpInteraction):
        where = interaction.method, interaction.host.lower(), interaction.target
        return HttpInteraction, *where, _agent(interaction.raw_request), _address(interaction)
    if isinstance(interaction, FtpInteraction):
        return FtpInteraction, interaction.command, interaction.path, _address(interaction)
    return type(interaction), interaction.raw_request, _address(interaction)


def _is_scanner(request: bytes) -> bool:
    agent = _agent(request).lower()
    return any(word in agent for word in SCANNERS)


def _agent(request: bytes) -> bytes:
    found = _AGENT.search(request)
    return b"" if found is None else found[1]


def _address(interaction: Interaction) -> str:
    return interaction.peer.client_ip


def _networks(texts: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)


def _within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    if not networks:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
