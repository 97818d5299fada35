"""From an interaction to a committed row: whose it is, on disk first, then told."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from lapwing.callbacks import Doubts, HttpInteraction, Interaction, NoiseRules, Throttle, attribute, protocol_of
from lapwing.io.listen.directory import Directory
from lapwing.io.store import NOBODY, GroupWriter, Hit, Letter, PlantedToken, Row, encode_payload
from lapwing.logins.forwarded import TrustedProxies

_FORWARDED = re.compile(rb"^x-forwarded-for:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)

Then = Callable[[bool], None]
Told = Callable[[Interaction, PlantedToken | None, Doubts | None], None]
Letters = Callable[[Interaction, PlantedToken, int, Doubts], Sequence[Letter]]  # the number: alerts held back before
Known = tuple[Interaction, PlantedToken | None, Doubts | None]  # what is told


class Recorder:
    """Takes interactions of all listeners.

    `told` hears of each after its commit, with the planted token it tripped and, where somebody is to be alerted about
    that, the reasons to doubt it; None where nobody is.
    """

    def __init__(
        self,
        writer: GroupWriter,
        directory: Directory,
        *,
        keep_nobodys: bool = True,
        proxies: TrustedProxies | None = None,
        noise: NoiseRules | None = None,
    ) -> None:
        """`proxies` are those whose word about an HTTP client's address is believed; `noise` marks hits of tokens."""
        self.counts: dict[str, int] = {}  # committed, by protocol
        self.nobodys_count = 0
        self.told: Told | None = None
        self.letters: Letters = _nobody_is_told  # makes alerts, which are written with their hit
        self._writer = writer
        self._directory = directory
        self._keep_nobodys = keep_nobodys
        self._proxies = proxies
        self._throttle = Throttle(noise)

    def take(self, interactions: Sequence[Interaction], then: Then) -> None:
        """Write, then call `then`: with False when it could not be written and nobody may be answered."""
        rows: list[Row] = []
        hits: list[Hit] = []
        known: list[Known] = []
        registry = self._directory.registry
        for interaction in interactions:
            if self._proxies is not None and isinstance(interaction, HttpInteraction):
                interaction = behind_proxy(interaction, self._proxies)
            for one in attribute(interaction, registry):
                mailbox_id, token, alert = self._owner(one)
                token_id = None
                if token is not None:
                    token_id = token.token_id
                    hits.append(self._hit(one, token, alert))
                elif mailbox_id == NOBODY:
                    self.nobodys_count += 1
                    if not self._keep_nobodys:
                        continue
                rows.append(Row(mailbox_id, token_id, one.ts_ns, protocol_of(one), encode_payload(one)))
                known.append((one, token, alert))
        if rows:
            self._writer.submit(rows, partial(self._written, known, then), hits)
        else:
            then(True)

    def _hit(self, interaction: Interaction, token: PlantedToken, alert: Doubts | None) -> Hit:
        if alert is None:
            return Hit(token.token_id, interaction.ts_ns, alerted=False)
        letters = self.letters(interaction, token, self._directory.held_back.pop(token.name, 0), alert)
        return Hit(token.token_id, interaction.ts_ns, alerted=True, letters=letters)

    def _owner(self, interaction: Interaction) -> tuple[int, PlantedToken | None, Doubts | None]:
        attribution = interaction.attribution
        if attribution is None:
            return NOBODY, None, None
        mailbox_id = self._directory.mailbox_of(attribution.correlation_id)
        token = self._directory.planted.get(attribution.unique_id)
        alert = None if token is None else self._alert(token, interaction)
        return NOBODY if mailbox_id is None else mailbox_id, token, alert

    def _alert(self, token: PlantedToken, hit: Interaction) -> Doubts | None:
        """The reasons to doubt a hit that somebody is to be told of; None for one that is only kept."""
        if not token.live(hit.ts_ns) or self._directory.excludes(token, hit.peer.client_ip):
            return None
        doubts = self._throttle.look(hit, every_s=token.alert_every_s, last_ns=token.last_alert_ns)
        if doubts is None:
            self._directory.held_back[token.name] = self._directory.held_back.get(token.name, 0) + 1
        return doubts

    def _written(self, known: list[Known], then: Then, first_seq: int | None) -> None:
        if first_seq is not None:
            counts, told = self.counts, self.told
            for interaction, token, alert in known:
                protocol = protocol_of(interaction)
                counts[protocol] = counts.get(protocol, 0) + 1
                if told is not None:
                    told(interaction, token, alert)
        then(first_seq is not None)


def _nobody_is_told(_interaction: Interaction, _token: PlantedToken, _count: int, _doubts: Doubts) -> Sequence[Letter]:
    return ()


def behind_proxy(interaction: HttpInteraction, proxies: TrustedProxies) -> HttpInteraction:
    """The interaction with the address of the client a trusted proxy spoke for; its port is not known."""
    head = interaction.raw_request.partition(b"\r\n\r\n")[0]
    said = b",".join(_FORWARDED.findall(head)).decode("latin-1")
    client_ip = proxies.client(interaction.peer.client_ip, said)
    if client_ip == interaction.peer.client_ip:
        return interaction
    return replace(interaction, peer=replace(interaction.peer, client_ip=client_ip, client_port=None))
