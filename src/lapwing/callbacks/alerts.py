"""What is told of a tripped token by webhook and mail: JSON with the fields of Canarytokens and more, and plain text.

No payload is in it: who, when, by which token, where that was put, and how many alerts were held back since the last.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from lapwing.callbacks.interaction import HttpInteraction, Interaction, protocol_of

SECOND_NS = 1_000_000_000
MAX_AGENT_CHARS = 256
MAX_SUBJECT_CHARS = 120


class Tripped(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. Names of the first block are those Canarytokens' webhooks have; `time` is UTC, to the second.

    `held_back_count` says how many alerts of this token were not sent since the last, and for `quiet_s` none will be.
    """

    channel: str
    token_type: str
    src_ip: str
    src_data: dict[str, str]
    token: str
    time: str
    memo: str
    manage_url: str = ""
    additional_data: dict[str, str] = {}
    public_domain: str = ""

    event_type: str = "token.tripped"
    ts_ns: int
    protocol: str
    placement: str = ""
    held_back_count: int = 0
    quiet_s: int = 0
    doubts: tuple[str, ...] = ()  # why the use may mean little, as in `token.tripped`

    @property
    def subject(self) -> str:
        """One line."""
        return f"Token tripped: {' '.join((self.memo or self.token).split())[:MAX_SUBJECT_CHARS]}"

    @property
    def text(self) -> str:
        """The same for people to read."""
        lines = [
            f"A {self.token_type} was used: {self.memo or self.token}",
            "",
            f"when       {self.time}",
            f"from       {self.src_ip or 'unknown'}",
            f"by         {self.channel}",
            f"token      {self.token}",
            f"placed at  {self.placement or 'not noted'}",
        ]
        lines += [f"{name:<10} {value}" for name, value in self.additional_data.items()]
        if self.doubts:
            lines.append(f"{'doubtful':<10} {', '.join(self.doubts)}")
        if self.held_back_count:
            lines.append(f"\n{self.held_back_count} more uses since the last alert were kept, and not told one by one.")
        if self.quiet_s:
            lines.append(f"\nFurther uses within {self.quiet_s} s are kept, and told with the next alert.")
        return "\n".join(lines) + "\n"


def tripped(
    interaction: Interaction,
    *,
    kind: str,
    token: str,
    note: str = "",
    placement: str = "",
    held_back_count: int = 0,
    quiet_s: int = 0,
    public_domain: str = "",
    doubts: Iterable[str] = (),
) -> Tripped:
    """Return the alert of an interaction that tripped a planted token."""
    peer = interaction.peer
    source = {"client_port": str(peer.client_port or ""), "tls": "yes" if peer.tls else "no", "sni": peer.sni or ""}
    more: dict[str, str] = {}
    if isinstance(interaction, HttpInteraction):
        more = {"method": interaction.method, "useragent": _agent(interaction)}
    return Tripped(
        channel=protocol_of(interaction).upper(),
        token_type=kind,
        src_ip=peer.client_ip,
        src_data={name: value for name, value in source.items() if value},
        token=token,
        time=datetime.fromtimestamp(interaction.ts_ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S (UTC)"),
        memo=note,
        additional_data={name: value for name, value in more.items() if value},
        public_domain=public_domain,
        ts_ns=interaction.ts_ns,
        protocol=protocol_of(interaction),
        placement=placement,
        held_back_count=held_back_count,
        quiet_s=quiet_s,
        doubts=tuple(doubts),
    )


def _agent(interaction: HttpInteraction) -> str:
    """The User-Agent, printable."""
    head = interaction.raw_request.partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "user-agent":
            return "".join(one if one.isprintable() else "?" for one in value.strip())[:MAX_AGENT_CHARS]
    return ""
