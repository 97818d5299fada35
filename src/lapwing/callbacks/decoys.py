"""Decoys: accounts and passwords nobody has a reason to use. A login with one, anywhere and however it ends, trips it.

A password is kept as the keyed tag that logins carry, so whoever reads the list learns none; the key must be the one
under which the run tags credentials. Every use is a `token.tripped`; the finding that goes with it is told again only
as uses multiply, so that a flood alarms once and hides nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from unicodedata import normalize

import msgspec

from lapwing.events import (
    AuthEvent,
    AuthResolved,
    Event,
    Evidence,
    Finding,
    FindingRaised,
    FindingUpdated,
    Outcome,
    SettingsError,
    Severity,
    TokenTripped,
)

MAX_OPEN = 10_000  # pairs of decoy and source whose uses are counted together; the longest unused is forgotten first
MAX_LOGINS = 65_536  # logins remembered, so that attempt and outcome of one count once
MAX_SAMPLES = 5  # events behind a finding that are named
TAG_BYTES = 8  # as long as the tags of logins

# Valid Accounts and Brute Force of MITRE ATT&CK: somebody tries credentials that were left for them to find.
TECHNIQUES = ["T1078", "T1110"]


Networks = tuple[IPv4Network | IPv6Network, ...]


class Decoy(msgspec.Struct, frozen=True, kw_only=True):
    """One decoy. `key` is a user name as logins spell it, or a password's keyed tag; `note` the planter's own words.

    `excluded` names networks whose logins mean nothing, such as the scanner of one's own.
    """

    kind: Literal["account", "password"]
    key: str
    note: str = ""
    excluded: tuple[str, ...] = ()


def decoy_account(username: str, note: str = "", excluded: tuple[str, ...] = ()) -> Decoy:
    """A user name. Raises SettingsError for an empty one, or a network that is none."""
    key = normalize("NFKC", normalize("NFKC", username).casefold()).casefold().strip()
    if not key:
        raise SettingsError("--username: a decoy account has a name")
    return _checked(Decoy(kind="account", key=key, note=note, excluded=excluded))


def decoy_password(password: str, tag_key: bytes, note: str = "", excluded: tuple[str, ...] = ()) -> Decoy:
    """A password, of which the tag under `tag_key` is kept. Raises SettingsError for one too short."""
    if len(password) < 8:
        raise SettingsError("a decoy password has at least 8 characters: shorter ones are guessed by chance")
    tag = blake2b(password.encode("utf-8", "surrogatepass"), key=tag_key, digest_size=TAG_BYTES).hexdigest()
    return _checked(Decoy(kind="password", key=tag, note=note, excluded=excluded))


def _checked(decoy: Decoy) -> Decoy:
    try:
        _networks(decoy.excluded)
    except ValueError as problem:
        raise SettingsError(f"--exclude: {problem}; networks look like 192.0.2.0/24") from None
    return decoy


class _Use:
    """What is known of one decoy used by one source."""

    def __init__(self, finding_id: str, first_ts_ns: int) -> None:
        self.finding_id = finding_id
        self.first_ts_ns = first_ts_ns
        self.count = 0
        self.outcomes = {Outcome.FAILED: 0, Outcome.SUCCEEDED: 0}
        self.protocols: set[str] = set()
        self.seqs: list[int] = []
        self.next_told = 1
        self.raised = False


class DecoyIndex:
    """All decoys of a run. `observe` takes its logins in order; the output depends on them alone."""

    def __init__(self, decoys: Iterable[Decoy]) -> None:
        self.tripped_count = 0
        self.excluded_count = 0
        self.learn(decoys)
        self._uses: OrderedDict[tuple[str, str, str], _Use] = OrderedDict()
        self._logins: OrderedDict[tuple[int, str], None] = OrderedDict()

    def learn(self, decoys: Iterable[Decoy]) -> None:
        """Look for these from now on, in place of those before; what is known of uses stays."""
        self._decoys: dict[tuple[str, str], tuple[Decoy, Networks]] = {
            (one.kind, one.key): (one, _networks(one.excluded)) for one in decoys
        }

    def __len__(self) -> int:
        return len(self._decoys)

    def match(self, login: AuthEvent) -> list[Decoy]:
        """Return the decoys a login used: its account, its password, or both."""
        keys = (("account", login.username), ("password", login.secret_tag))
        return [found[0] for kind, key in keys if key is not None and (found := self._decoys.get((kind, key)))]

    def observe(self, event: Event) -> list[Event]:
        """Return what a login means for the decoys; nothing for any other event."""
        if not isinstance(event, AuthEvent) or not self._decoys:
            return []
        out: list[Event] = []
        for decoy in self.match(event):
            if self._is_excluded(decoy, event.client_ip):
                self.excluded_count += 1
            else:
                out += self._used(decoy, event)
        return out

    def _used(self, decoy: Decoy, login: AuthEvent) -> list[Event]:
        use = self._use(decoy, login)
        again = self._seen(decoy, login)
        if isinstance(login, AuthResolved) and login.outcome in use.outcomes:
            use.outcomes[login.outcome] += 1
        came_in = use.outcomes[Outcome.SUCCEEDED] == 1 and _succeeded(login)
        if again:  # the outcome of a login that tripped already; that it succeeded is news
            return [_finding(decoy, use, login)] if came_in else []
        self.tripped_count += 1
        use.count += 1
        use.protocols.add(login.protocol)
        if login.seq and len(use.seqs) < MAX_SAMPLES:
            use.seqs.append(login.seq)
        out: list[Event] = [_tripped(decoy, login)]
        if use.count >= use.next_told or came_in:
            out.append(_finding(decoy, use, login))
            if use.count >= use.next_told:
                use.next_told *= 10
        return out

    def _use(self, decoy: Decoy, login: AuthEvent) -> _Use:
        key = (decoy.kind, decoy.key, login.client_ip)
        use = self._uses.get(key)
        if use is None:
            digest = blake2b("\0".join((*key, str(login.ts_ns))).encode("utf-8", "surrogatepass"), digest_size=8)
            use = self._uses[key] = _Use(f"decoy-{digest.hexdigest()}", login.ts_ns)
            if len(self._uses) > MAX_OPEN:
                self._uses.popitem(last=False)
        self._uses.move_to_end(key)
        return use

    def _seen(self, decoy: Decoy, login: AuthEvent) -> bool:
        """Whether this login tripped the decoy before: attempt and outcome come as two events."""
        if not login.auth_id:
            return False
        key = (login.auth_id, decoy.kind)
        if key in self._logins:
            return True
        self._logins[key] = None
        if len(self._logins) > MAX_LOGINS:
            self._logins.popitem(last=False)
        return False

    def _is_excluded(self, decoy: Decoy, client_ip: str) -> bool:
        networks = self._decoys[decoy.kind, decoy.key][1]
        if not networks:
            return False
        try:
            address = ip_address(client_ip)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in networks)

    def statistics(self) -> dict[str, int]:
        """Everything that is held or was counted."""
        return {
            "decoys": len(self._decoys),
            "tripped": self.tripped_count,
            "excluded": self.excluded_count,
            "uses": len(self._uses),
        }


def _succeeded(login: AuthEvent) -> bool:
    return isinstance(login, AuthResolved) and login.outcome is Outcome.SUCCEEDED


def _tripped(decoy: Decoy, login: AuthEvent) -> TokenTripped:
    return TokenTripped(
        ts_ns=login.ts_ns,
        token_kind=decoy.kind,
        token_id=decoy.key,
        client_ip=login.client_ip,
        protocol=login.protocol,
        endpoint=login.endpoint,
        purpose=decoy.note,
        auth_id=login.auth_id or None,
    )


def _finding(decoy: Decoy, use: _Use, login: AuthEvent) -> Finding:
    """The finding as it stands: raised with the first use, updated with the tenth, the hundredth, and a success."""
    succeeded = use.outcomes[Outcome.SUCCEEDED] > 0
    shown = f"decoy account {decoy.key}" if decoy.kind == "account" else "decoy password"
    event = FindingUpdated if use.raised else FindingRaised
    use.raised = True
    evidence = Evidence(
        name=f"decoy-{decoy.kind}", value=float(use.count), threshold=1.0, weight=6.0, sentence=f"The {shown} was used."
    )
    return event(
        ts_ns=login.ts_ns,
        finding_id=use.finding_id,
        finding="decoy-used",
        severity=Severity.CRITICAL if succeeded else Severity.HIGH,
        risk=0.99,
        subject_kind="source",
        subject=login.client_ip,
        protocols=sorted(use.protocols),
        techniques=list(TECHNIQUES),
        first_ts_ns=use.first_ts_ns,
        last_ts_ns=login.ts_ns,
        attempt_count=use.count,
        failure_count=use.outcomes[Outcome.FAILED],
        success_count=use.outcomes[Outcome.SUCCEEDED],
        source_count=1,
        account_count=1,
        sources=[login.client_ip],
        accounts=[login.username] if login.username else [],
        evidence=[evidence],
        sample_seqs=list(use.seqs),
        sentence=_sentence(decoy, shown, use.count, login, succeeded=succeeded),
    )


def _sentence(decoy: Decoy, shown: str, count: int, login: AuthEvent, *, succeeded: bool) -> str:
    note = f" ({decoy.note})" if decoy.note else ""
    how = "and was let in" if succeeded else "for which nobody has a reason"
    times = "once" if count == 1 else f"{count:,} times"
    return f"{login.client_ip} used the {shown}{note} {times} at {login.endpoint}, {how}."


def _networks(texts: Iterable[str]) -> Networks:
    return tuple(ip_network(text) for text in texts)
