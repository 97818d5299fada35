"""Thresholds of detection, each with unit, range and reason.

A threshold named `free_*` is what ordinary people do anyway; only what exceeds it weighs.
A `*_slope` is the weight of one more of it in log-odds (natural logarithm): 0.7 doubles the odds, 2.3 is tenfold.
Four-tuples follow the half-lives of `decay.HALF_LIVES_NS`: 5 minutes, 1 hour, 6 hours, 1 day.
"""

from ipaddress import ip_network

import msgspec

from lapwing.events import SettingsError

Four = tuple[float, float, float, float]


class PairSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source at one account."""

    free_secrets: Four = (4.0, 5.0, 6.0, 7.0)
    """Different wrong secrets a person may try on one account, 0 to 1000: typos, an old password, three guesses."""
    secret_slope: float = 1.0
    """Per further secret, 0 to 10: ten in five minutes make even odds."""
    free_known_secrets: float = 10.0
    """Different wrong secrets in about a day that an account known at this source may have unnoticed, 0 to 1000."""
    typo_secrets: float = 6.0
    """A success takes back the failures before it up to this many, 0 to 100: more is guessing that ended well."""
    machine_gap_ms: int = 2_500
    """Two different secrets in less time were not typed, 0 to 60 000: the answer has to be read as well."""
    hasty_gap_ms: int = 5_000
    """Nor are many that surely differ in less than this, 0 to 60 000: such a try counts half of one not typed."""
    machine_slope: float = 1.0
    """Per try that was not typed, 0 to 10; weighs at most `machine_cap`."""
    machine_cap: float = 4.5
    """0 to 20: a script is not yet an attack."""
    device_gap_ms: int = 10_000
    """Where no secret is visible, failures of an account at home no faster than this, 0 to 86 400 000, are one secret
    repeated: a mail client whose owner changed the password asks all day."""
    free_absent: float = 1.0
    """Different tries in about a day on a name the server does not have, 0 to 1000: a mistyped name."""
    absent_slope: float = 0.6
    """Per further try, 0 to 10: people notice, scripts go through their list."""
    absent_cap: float = 2.5
    """Limit of that weight, 0 to 20: whoever forgot how they are called here tries on."""


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One address (IPv4) or one /64 (IPv6, where a host owns all of it)."""

    free_accounts: Four = (2.0, 2.5, 3.0, 4.0)
    """Accounts that fail at one source and do not succeed there, 0 to 1000: mistyped names, a second person."""
    free_week_accounts: float = 7.0
    """The same with a half-life of a week, 0 to 1000: somebody mistypes their name every other day."""
    week_per_good: float = 0.1
    """Of these excused by each account that logs in well here on a day, 0 to 1."""
    account_slope: float = 1.5
    """Per further account, 0 to 10: six within minutes, or within the hour with one client, are even odds."""
    free_tries: Four = (6.0, 8.0, 10.0, 12.0)
    """Different failed tries over all accounts, 0 to 1000."""
    try_slope: float = 0.8
    """Per further try, 0 to 10."""
    accounts_per_good: float = 0.25
    """Failing accounts excused by each further account that logs in well here, 0 to 1: a crowd behind one address
    mistypes. One may be the attacker's own."""
    free_alike: float = 4.0
    """Accounts that fail here with one and the same client, over an hour, 0 to 1000: a crowd has many clients."""
    alike_slope: float = 0.6
    """Per further account, 0 to 10."""
    alike_cap: float = 1.2
    """Limit of that weight, 0 to 20: it only tips the scales."""
    strange_cap: float = 2.5
    """Limit of the weight of a client that nobody else logs in with, 0 to 20: browsers have new versions."""
    free_hours: float = 3.0
    """Hours of the last 24 in which a source may fail without ever succeeding, 0 to 24."""
    hour_slope: float = 1.0
    """Per further hour, 0 to 10: people give up, scripts do not."""
    hour_cap: float = 4.0
    """Limit of the weight of persistence, 0 to 20."""
    cap: float = 12.0
    """Limit of what a source's own behaviour weighs, 0 to 50."""


class GroupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many sources that share a network, a client fingerprint or a secret."""

    free_sources: float = 4.0
    """Failing sources in about a day, 0 to 1e6."""
    free_accounts: float = 6.0
    """Failing accounts in about a day, 0 to 1e6."""
    slope: float = 1.0
    """Per further source and account (whichever is fewer), 0 to 10: ten sources on twelve accounts make even odds."""
    per_good: float = 0.15
    """Failing accounts excused by each account that logs in well with it, 0 to 1: ordinary typos stay below a tenth."""
    cap: float = 10.0
    """Limit of the weight, 0 to 50."""
    login_cap: float = 10.0
    """What it weighs at most against one login from a place its account is not known at, 0 to 10."""


class CredentialSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One secret over many accounts."""

    free_accounts: float = 3.0
    """Accounts on which one wrong secret may be seen in about a day, 0 to 1e6: people share favourite passwords."""
    slope: float = 1.0
    """Per further account, 0 to 10: the ninth account makes even odds."""
    per_good: float = 0.005
    """Excused per account that logs in at the whole site, 0 to 1: on a large site popular passwords coincide."""
    cap: float = 10.0
    """Limit of the weight, 0 to 50."""


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account, from everywhere it is not known."""

    free_sources: float = 1.0
    """Sources failing with different secrets in about a day, 0 to 1e6."""
    source_slope: float = 1.0
    """Per further source, 0 to 10."""
    free_secrets: float = 5.0
    """Different wrong secrets in about a day, 0 to 1e6."""
    secret_slope: float = 0.4
    """Per further secret, 0 to 10."""
    secret_cap: float = 4.0
    """Limit of the weight of secrets, 0 to 50: guessing from one place belongs to that place."""
    free_strangers: float = 3.0
    """Sources failing within a week or two on an account never seen to log in, no secret visible, 0 to 1e6."""
    stranger_slope: float = 1.0
    """Per further source, 0 to 10: nobody's account is wanted by scanners alone."""
    stranger_cap: float = 6.0
    """Limit of that weight, 0 to 50: even odds for whoever comes next, a challenge and no more."""
    default_name: float = 1.5
    """For a name that devices and services come with, such as `admin`, never seen to log in here, 0 to 20."""
    min_sources: int = 3
    """Fewer sources are no targeted account, 2 to 1000: one person has a desk, a phone and a home."""
    cap: float = 10.0
    """Limit of the weight, 0 to 50."""


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All logins together."""

    free_accounts: float = 30.0
    """Accounts failing from places they are not known at, within about an hour, 0 to 1e9."""
    per_good: float = 0.25
    """Excused per account that logs in well, 0 to 1: growth of a site is not an attack."""
    over_usual: float = 3.0
    """Times the day's average that the hour has to exceed, 1 to 1000."""
    slope: float = 0.2
    """Per further account, 0 to 10."""
    cap: float = 8.0
    """Limit of the weight, 0 to 50."""
    login_cap: float = 1.5
    """What a spike of the site weighs against one login from an unknown place, 0 to 10."""


class StraySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All logins of a week together."""

    free_accounts: float = 20.0
    """Accounts that fail from places that never logged in and are not resolved, within days, 0 to 1e9."""
    per_good: float = 0.1
    """Excused per account that logs in well, 0 to 1: some people give up."""
    free_hours: float = 6.0
    """Hours of the last 48 in which they may come, 0 to 48: an outage fills few."""
    slope: float = 0.3
    """Per further account, 0 to 10."""
    cap: float = 8.0
    """Limit of the weight, 0 to 50."""


class UnknownSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names that the server does not have, from sources that never logged in, over a day."""

    free_names: float = 8.0
    """Such names and such sources, whichever are fewer, 0 to 1e6: scanners come by every host."""
    per_good: float = 0.03
    """Excused per account that logs in well, 0 to 1: people mistype their names."""
    slope: float = 0.5
    """Per further name and source, 0 to 10."""
    cap: float = 8.0
    """Limit of the weight, 0 to 50."""


class WeeklySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All logins of an hour, against the same hour of the weeks before."""

    free: float = 10.0
    """Failing pairs from unknown places above the usual number, 0 to 1e6: small numbers jump."""
    deviations: float = 4.0
    """Times the square root of the usual number that chance may add, 0 to 20."""
    slope: float = 0.15
    """Per further pair, added up over hours, 0 to 10."""
    cap: float = 8.0
    """Limit of the weight, 0 to 50."""


class TakeoverSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A success that follows an attack. All weights are log-odds, 0 to 20."""

    secret_slope: float = 0.5
    """Per different wrong secret tried on the account from places it is not known at, within about a day."""
    attacked_cap: float = 4.0
    """Limit of the weight of failures on the account."""
    suspect_cap: float = 6.0
    """Limit of the weight of what the source or its client did to other accounts."""
    unfamiliar: float = 3.0
    """The account has logged in before, never from this source or network, nor with this client."""
    familiar_client: float = 1.0
    """As before, but with a client it has used."""
    nearby: float = 2.2
    """A new address in a network the account has used, with a client it has not: a new device, perhaps next door."""
    no_history: float = 0.5
    """The account was never seen to log in."""
    attackers_client: float = 2.5
    """Its client is the one that failed on this account from other sources."""
    guessed_here: float = 2.0
    """Several sources attack the account, and this one failed on it with two secrets or more just before."""
    secret_cap: float = 3.0
    """Limit of the weight of a secret that was sprayed, from a source that did not fail: it may be the owner's own."""
    client_hit_rate: float = 0.02
    """Successes an attack has for each try, 0 to 20: logins that go well with a client beyond that are people's."""
    source_hit_rate: float = 0.33
    """The same for a source or secret, 0 to 20: attackers seldom share an address, so more may be theirs."""
    hit_window_ms: int = 600_000
    """A success this long before the first failure of an attack still belongs to it, 0 to 86 400 000."""


class CircumstanceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes with a login beside itself (`circumstances`). All weights are log-odds."""

    leaked: float = 0.7
    """The secret is in a list of leaked ones, 0 to 20: attackers try little else, but many people use one too."""
    second_factor_passed: float = -3.0
    """-20 to 0: who has both is seldom a stranger."""
    second_factor_failed: float = 3.5
    """The secret was right and the second factor was not, 0 to 20: more than a stranger should know."""
    travel: float = 3.0
    """Logged in elsewhere so shortly before that nobody travels as fast, 0 to 20."""
    travel_kmh: float = 1_000.0
    """Faster than an airliner, 1 to 100 000."""
    travel_km: float = 500.0
    """Shorter ways are the error of location databases, 0 to 20 000."""
    new_country: float = 0.7
    """The account has logged in from other countries only, 0 to 20: people go on holiday."""
    changed: float = 2.5
    """Password, e-mail address or second factor changed right after the login, 0 to 20."""
    changed_within_s: int = 3_600
    """How soon that is, 1 to 86 400."""
    asn_sources: float = 8.0
    """Failing sources of one network operator in about a day, 0 to 1e6."""
    asn_per_good: float = 0.25
    """Excused by each account that logs in well from there, 0 to 1."""
    asn_slope: float = 0.3
    """Per further source and account (whichever is fewer), 0 to 10."""
    asn_cap: float = 3.0
    """Limit of that weight, 0 to 50: operators of data centres have customers."""
    login_cap: float = 4.0
    """What all of it weighs at most against one login, 0 to 10."""


class FindingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When findings are told, told again and closed."""

    raise_at: float = 0.0
    """Log-odds of a subject's own evidence, -5 to 20: 0 means as likely an attack as not."""
    min_failures: int = 5
    """Failures a finding must itself contain, 1 to 1000: old evidence alone tells nothing new."""
    growth: float = 2.0
    """An update is told when failures have grown by this factor, 1.1 to 100."""
    close_after_s: int = 86_400
    """Quiet for this long closes a finding, 60 to 2 592 000: slow attacks pause for hours."""
    merge_within_s: int = 3_600
    """Findings join only if both were active within this time, 1 to 2 592 000."""
    max_open: int = 1_000
    """Open findings, 1 to 100 000, about 20 kB each; above it none is raised and the refusal is counted."""


class AnswerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long answers stand against a source. The first of each kind; each further one lasts longer."""

    challenge_s: int = 300
    """Seconds, 1 to 86 400."""
    delay_s: int = 300
    """Seconds, 1 to 86 400."""
    block_s: int = 600
    """Seconds, 1 to 86 400: a person locked out by mistake is back after a coffee."""
    growth: float = 2.0
    """Each further answer within a week lasts this many times longer, 1 to 10."""
    longest_s: int = 86_400
    """Seconds, 1 to 2 592 000: addresses change hands."""
    jitter: float = 0.3
    """Log-odds by which thresholds are shifted up or down for each source and hour, 0 to 2."""


class ExcludeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Logins that are neither judged nor counted."""

    sources: tuple[str, ...] = ()
    """Addresses or networks, e.g. `192.0.2.0/24`: one's own scanners and monitors."""
    accounts: tuple[str, ...] = ()
    """Account names, compared as detection compares them."""
    endpoints: tuple[str, ...] = ()
    """Login surfaces, e.g. `POST /login`, exactly."""


class DetectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of detection. Wrong values are refused with `SettingsError` naming the key."""

    max_sources: int = 100_000
    """Sources, source-account pairs (four times as many), networks, accounts, fingerprints and secrets kept, each
    1 024 to 10 000 000. About 300 bytes a source that failed once and is answered, of a million. When full, rows
    without suspicion or trust go first, oldest first."""
    forget_after_s: int = 7 * 86_400
    """Rows untouched for this long are dropped, 86 400 to 31 536 000: trust and slow evidence live a week."""
    prior: float = -6.0
    """Log-odds that a login belongs to an attack before anything is known of it, -20 to 0: one in four hundred."""
    known_pair: float = -3.0
    """Added for an account that has logged in from this source before, -20 to 0."""
    watch_at: float = 0.1
    """Risk from which a login is watched, 0 to 1."""
    challenge_at: float = 0.5
    """Risk from which a login should be challenged, 0 to 1, not below `watch_at`."""
    delay_at: float = 0.8
    """Risk from which a login should be delayed, 0 to 1, not below `challenge_at`."""
    block_at: float = 0.95
    """Risk from which a login should be blocked, 0 to 1, not below `delay_at`."""
    pair: PairSettings = PairSettings()
    source: SourceSettings = SourceSettings()
    network: GroupSettings = GroupSettings(free_sources=5.0, per_good=0.25, login_cap=3.5)
    """Of all that sources share, the neighbourhood says least: alone it makes a login watched, no more."""
    fingerprint: GroupSettings = GroupSettings()
    credential: CredentialSettings = CredentialSettings()
    account: AccountSettings = AccountSettings()
    site: SiteSettings = SiteSettings()
    strays: StraySettings = StraySettings()
    unknowns: UnknownSettings = UnknownSettings()
    weekly: WeeklySettings = WeeklySettings()
    takeover: TakeoverSettings = TakeoverSettings()
    circumstances: CircumstanceSettings = CircumstanceSettings()
    finding: FindingSettings = FindingSettings()
    answer: AnswerSettings = AnswerSettings()
    exclude: ExcludeSettings = ExcludeSettings()

    def __post_init__(self) -> None:
        check(self, "detect")
        if not self.watch_at <= self.challenge_at <= self.delay_at <= self.block_at:
            raise SettingsError("detect.watch_at, challenge_at, delay_at and block_at must not fall, in this order")


RANGES: dict[str, tuple[float, float]] = {
    "detect.max_sources": (1_024, 10_000_000),
    "detect.forget_after_s": (86_400, 31_536_000),
    "detect.prior": (-20, 0),
    "detect.known_pair": (-20, 0),
    "detect.pair.machine_gap_ms": (0, 60_000),
    "detect.pair.hasty_gap_ms": (0, 60_000),
    "detect.pair.device_gap_ms": (0, 86_400_000),
    "detect.pair.typo_secrets": (0, 100),
    "detect.source.free_hours": (0, 24),
    "detect.site.free_accounts": (0, 1e9),
    "detect.site.over_usual": (1, 1_000),
    "detect.strays.free_accounts": (0, 1e9),
    "detect.weekly.free": (0, 1e6),
    "detect.weekly.deviations": (0, 20),
    "detect.strays.free_hours": (0, 48),
    "detect.account.default_name": (0, 20),
    "detect.account.min_sources": (2, 1_000),
    "detect.takeover.hit_window_ms": (0, 86_400_000),
    "detect.circumstances.second_factor_passed": (-20, 0),
    "detect.circumstances.travel_kmh": (1, 100_000),
    "detect.circumstances.travel_km": (0, 20_000),
    "detect.circumstances.changed_within_s": (1, 86_400),
    "detect.circumstances.asn_sources": (0, 1e6),
    "detect.circumstances.asn_per_good": (0, 1),
    "detect.finding.raise_at": (-5, 20),
    "detect.finding.min_failures": (1, 1_000),
    "detect.finding.growth": (1.1, 100),
    "detect.finding.close_after_s": (60, 2_592_000),
    "detect.finding.merge_within_s": (1, 2_592_000),
    "detect.finding.max_open": (1, 100_000),
    "detect.answer.challenge_s": (1, 86_400),
    "detect.answer.delay_s": (1, 86_400),
    "detect.answer.block_s": (1, 86_400),
    "detect.answer.growth": (1, 10),
    "detect.answer.longest_s": (1, 2_592_000),
    "detect.answer.jitter": (0, 2),
}
SUFFIX_RANGES: tuple[tuple[str, tuple[float, float]], ...] = (
    ("_slope", (0, 10)),
    ("slope", (0, 10)),
    ("_at", (0, 1)),
    ("per_good", (0, 1)),
    ("login_cap", (0, 10)),
    ("cap", (0, 50)),
)
FREE_RANGE = (0.0, 1e6)
WEIGHT_RANGE = (0.0, 20.0)


def check(settings: msgspec.Struct, path: str) -> None:
    """Raise `SettingsError` for the first value outside its range, not a number, or of the wrong shape."""
    for name in settings.__struct_fields__:
        value, key = getattr(settings, name), f"{path}.{name}"
        if isinstance(value, msgspec.Struct):
            check(value, key)
        elif path == "detect.exclude":
            _check_excluded(key, value)
        elif isinstance(value, tuple):
            if len(value) != 4:
                raise SettingsError(f"{key} needs four numbers (5 min, 1 h, 6 h, 1 d), got {len(value)}")
            for number in value:
                _check_number(key, number)
        else:
            _check_number(key, value)


def _check_excluded(key: str, values: tuple[str, ...]) -> None:
    if isinstance(values, str):
        raise SettingsError(f"{key} = {values!r} is one text; a tuple of texts is right, {(values,)!r}")
    for text in values if key.endswith(".sources") else ():
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            raise SettingsError(f"{key}: {error}; an address or a network such as 192.0.2.0/24 is right") from None


def _check_number(key: str, value: object) -> None:
    low, high = _range_of(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingsError(f"{key} = {value!r} is outside {low:g} to {high:g}")


def _range_of(key: str) -> tuple[float, float]:
    if key in RANGES:
        return RANGES[key]
    name = key.rpartition(".")[2]
    for suffix, bounds in SUFFIX_RANGES:
        if name.endswith(suffix):
            return bounds
    return FREE_RANGE if name.startswith("free_") else WEIGHT_RANGE
