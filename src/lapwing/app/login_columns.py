# cython: infer_types=True, wraparound=False, boundscheck=False
"""Many logins at once as columns, and what a guard says of them: no event is made or read for any of them.

Runs compiled, typed by `login_columns.pxd`, and as it stands.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, overload

from lapwing.detect import plainly as members
from lapwing.detect.block import Block
from lapwing.detect.login import Login
from lapwing.detect.verdict import Verdict
from lapwing.detect.verdicts import ACTION, KNOWN, LOG_ODDS, NAMES, REASONS, RETRY_AFTER_S, RISK, WHOLE, Verdicts
from lapwing.events import Action, AuthEvidence, AuthResolved, Outcome

REQUIRED = ("ts_ns", "client_ip", "outcome")
ORDINARY: dict[str, Any] = {
    "protocol": "http",
    "mechanism": "form",
    "endpoint": "POST /login",
    "username": None,
    "secret_tag": None,
    "fingerprint": None,
    "user_agent": None,
    "account_exists": None,
    "attempt_count": 1,
    "confidence": 1.0,
    "evidence": AuthEvidence.APPLICATION,
    "seq": 0,
}
"""What a column that is not given says of every login."""

KINDS: dict[str, tuple[type, ...]] = {
    "ts_ns": (int,),
    "client_ip": (str,),
    "protocol": (str,),
    "mechanism": (str,),
    "endpoint": (str,),
    "username": (str, NoneType),
    "secret_tag": (str, NoneType),
    "fingerprint": (str, NoneType),
    "user_agent": (str, NoneType),
    "account_exists": (bool, NoneType),
    "attempt_count": (int,),
    "confidence": (float, int),
    "seq": (int,),
}
"""What a column holds."""
ENUMS: dict[str, Any] = {
    "outcome": (Outcome, {member.value: member for member in Outcome}),
    "evidence": (AuthEvidence, {member.value: member for member in AuthEvidence}),
}
"""Of outcome and evidence, by their words."""
MOST = 2**63 - 1
NEAR = 4  # values from the one that is read next
_NEAR = NEAR

_MORE = frozenset(("seq", "account_exists", "evidence", "attempt_count", "confidence"))  # a login begins ordinary
_INFERRED = (AuthEvidence.PACKET_SIZE, AuthEvidence.PROTOCOL_STATE)
_FAILED, _SUCCEEDED = Outcome.FAILED, Outcome.SUCCEEDED


class LoginColumns:
    """Logins as columns of equal length by the names of `auth.resolved`: an Arrow table or a mapping of sequences.

    `ts_ns`, `client_ip` and `outcome` have to be there; what the others say where they are not is in `ORDINARY`. A
    column may be one value (a text, a number, None) for all logins. Raises ValueError for anything else.
    """

    def __init__(self, columns: Any) -> None:
        given = _as_mapping(columns)
        unknown = sorted(set(given) - {*REQUIRED, *ORDINARY})
        if unknown:
            raise ValueError(f"no such column of logins: {', '.join(map(repr, unknown))}")
        missing = [name for name in REQUIRED if name not in given]
        if missing:
            raise ValueError(f"columns of logins need {', '.join(map(repr, missing))}")
        values: dict[str, Any] = {}
        doubtful = []
        for name, column in given.items():
            listed = _as_list(column)
            kept = _kept(name, listed) if type(listed) is list else None
            if kept is None and type(listed) is list and NoneType in KINDS.get(name, ()):
                listed = [None if _is_gap(value) else value for value in listed]
                kept = _kept(name, listed)
            if kept is None:
                doubtful.append(name)
                kept = listed.copy() if type(listed) is list else listed
            values[name] = kept
        self.count = self._measure(values)
        for name in doubtful:
            _check(name, _as_column(values[name]))
        for name in ENUMS:
            if name in doubtful:
                values[name] = _as_enum(name, _as_column(values[name]))
        self._arrange(values)
        self._says_more = not _MORE.isdisjoint(given)

    def _measure(self, values: dict[str, Any]) -> int:
        """How many logins there are."""
        lengths = {name: len(column) for name, column in values.items() if type(column) in (list, memoryview)}
        if "client_ip" not in lengths:
            raise ValueError("'client_ip' has to be a column, not one value")
        count = lengths["client_ip"]
        for name, length in lengths.items():
            if length != count:
                raise ValueError(f"column {name!r} has {length} values, 'client_ip' {count}")
        return count

    def _arrange(self, values: dict[str, Any]) -> None:
        """Have the columns at hand."""
        times: Any = values["ts_ns"]
        self._ts_ns: Any = times if type(times) is memoryview else _numbers([times])
        self._has_one_time = type(times) is not memoryview or len(times) == 1
        every = [_as_column(values.get(name, ORDINARY.get(name))) for name in (*REQUIRED[1:], *ORDINARY)]
        self._address, self._outcome, self._protocol, self._mechanism, self._endpoint = every[:5]
        self._username, self._secret_tag, self._fingerprint, self._user_agent = every[5:9]
        self._exists, self._tries, self._confidence, self._evidence, self._seq = every[9:]
        self._inferred = [one in _INFERRED for one in self._evidence]

    def look_out(self, at: int) -> int:
        """Login `at` is added next: have the values of one of those after it fetched."""
        members.soon_cell(self._address, at + _NEAR)
        members.soon_cell(self._username, at + _NEAR)
        members.soon_cell(self._secret_tag, at + _NEAR)
        members.soon_cell(self._fingerprint, at + _NEAR)
        return 0

    def add_to(self, block: Block, at: int) -> bool:
        """Add login `at` to a block; False where it is no plain one and has to be observed as an event.

        What belongs to it alone leaves the columns while it is at hand: to let go of all of them at the end would wait
        for each once more.
        """
        outcome = members.item(self._outcome, at)
        if outcome is not _FAILED and outcome is not _SUCCEEDED:
            return False
        address = members.take_item(self._address, at)
        username = members.take_item(self._username, at)
        secret_tag = members.take_item(self._secret_tag, at)
        fingerprint = members.take_item(self._fingerprint, at)
        client = fingerprint or members.item(self._user_agent, at)
        login: Login | None = block.add(address, username, members.item(self._protocol, at), secret_tag, client)
        if login is None:
            members.put_back(self._address, at, address)
            members.put_back(self._username, at, username)
            members.put_back(self._secret_tag, at, secret_tag)
            members.put_back(self._fingerprint, at, fingerprint)
            return False
        login.failed = outcome is _FAILED
        login.succeeded = not login.failed
        login.now_ns = self._ts_ns[0 if self._has_one_time else at]
        login.endpoint = members.item(self._endpoint, at)
        if self._says_more:
            login.seq = members.item(self._seq, at)
            login.nobody = members.item(self._exists, at) is False
            login.inferred = members.item(self._inferred, at)
            login.count_tries(members.item(self._tries, at), members.item(self._confidence, at))
        return True

    def event(self, at: int) -> AuthResolved:
        """Login `at` as an event."""
        return AuthResolved(
            ts_ns=self._ts_ns[0 if self._has_one_time else at],
            client_ip=members.item(self._address, at),
            outcome=members.item(self._outcome, at),
            protocol=members.item(self._protocol, at),
            mechanism=members.item(self._mechanism, at),
            endpoint=members.item(self._endpoint, at),
            username=members.item(self._username, at),
            secret_tag=members.item(self._secret_tag, at),
            fingerprint=members.item(self._fingerprint, at),
            user_agent=members.item(self._user_agent, at),
            account_exists=members.item(self._exists, at),
            attempt_count=members.item(self._tries, at),
            confidence=members.item(self._confidence, at),
            evidence=members.item(self._evidence, at),
            seq=members.item(self._seq, at),
        )


class Answers(Sequence[Verdict]):
    """What a guard says of many logins, in their order: a sequence of verdicts, and their facts as columns.

    It is numbers until somebody asks for a verdict; then all of them are made.
    """

    def __init__(self, verdicts: Iterable[Verdict] | Verdicts) -> None:
        self._made: list[Verdict] | None = None
        if isinstance(verdicts, Verdicts):
            self._said = verdicts
        else:
            self._said = Verdicts()
            for verdict in verdicts:
                self._said.keep(verdict)

    def __len__(self) -> int:
        return self._said.count

    @overload
    def __getitem__(self, at: int) -> Verdict: ...

    @overload
    def __getitem__(self, at: slice) -> list[Verdict]: ...

    def __getitem__(self, at: int | slice) -> Verdict | list[Verdict]:
        return self.verdicts[at]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Answers):
            return self.verdicts == other.verdicts
        return self.verdicts == other if isinstance(other, list) else NotImplemented

    def __repr__(self) -> str:
        return f"<Answers to {len(self)} logins>"

    def __reduce__(self) -> Any:
        return Answers, (self.verdicts,)

    @property
    def verdicts(self) -> list[Verdict]:
        """What is said of each, as a list."""
        if self._made is None:
            self._made = self._said.told(WHOLE)
        return self._made

    @property
    def action(self) -> list[Action]:
        """What to do about each."""
        return self._said.told(ACTION)

    @property
    def risk(self) -> "array[float]":
        """From 0 to 1."""
        return array("d", self._said.told(RISK))

    @property
    def log_odds(self) -> "array[float]":
        """What `risk` is the probability of."""
        return array("d", self._said.told(LOG_ODDS))

    @property
    def retry_after_s(self) -> "array[int]":
        """For how long the answer stands against the source, 0 where it is about the login alone."""
        return array("q", self._said.told(RETRY_AFTER_S))

    @property
    def known(self) -> list[bool]:
        """Whether the account had logged in from this source before."""
        return self._said.told(KNOWN)

    @property
    def reasons(self) -> list[list[str]]:
        """The names of the reasons for each."""
        return self._said.told(REASONS)

    def columns(self) -> dict[str, Any]:
        """All of it by name, as libraries of tables take it."""
        return {name: getattr(self, name) for name in NAMES}


def _as_mapping(columns: Any) -> dict[str, Any]:
    """By name. Arrow tables and record batches are asked for their columns, data frames are mappings of them."""
    if hasattr(columns, "column_names"):
        return {name: columns.column(name) for name in columns.column_names}
    if isinstance(columns, Mapping):
        return {str(name): column for name, column in columns.items()}
    if hasattr(columns, "columns"):
        return {str(name): columns[name] for name in columns.columns}
    raise ValueError("columns of logins are an Arrow table, a data frame or a mapping of sequences")


def _as_list(column: Any) -> Any:
    """A column as a list, which may be somebody else's; one value for all stays as it is."""
    for method in ("to_pylist", "to_list", "tolist"):  # Arrow, data frames, NumPy
        if hasattr(column, method):
            return getattr(column, method)()
    if column is None or isinstance(column, str | int | float):
        return column
    return column if type(column) is list else list(column)


def _is_gap(value: Any) -> bool:
    """Whether a data frame says by it that there is nothing: NaN, or what pandas has for the same."""
    return (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def _kept(name: str, column: list[Any]) -> Any:
    """What a column says, which nobody else has: times as numbers, words as what they mean. None where one is wrong.

    Each value is looked at once, as it comes from memory.
    """
    if name == "ts_ns":
        return _numbers(column)
    if name in ENUMS:
        return _meant(name, column)
    kinds = KINDS[name]
    if (kinds == (int,) and not _all_count(column)) or (name == "confidence" and _has_gap(column)):
        return None
    return members.copied(column, kinds[0], kinds[len(kinds) - 1])


def _numbers(column: list[Any]) -> memoryview | None:
    """Whole numbers from 0 to `MOST`; None where one is none."""
    numbers = memoryview(bytearray(8 * len(column))).cast("Q")
    return numbers if members.read_counts(column, numbers) else None


def _meant(name: str, column: list[Any]) -> list[Any] | None:
    """The members of an enumeration for themselves or their words; None where one is none. Many are like the last."""
    kind, known = ENUMS[name]
    told: list[Any] = []
    latest, member = None, None
    for value in column:
        if value is not latest:
            latest = value
            member = value if type(value) is kind else known.get(value) if type(value) is str else None
        if member is None:
            return None
        told.append(member)
    return told


def _check(name: str, column: list[Any]) -> None:
    """What the logins would stumble over in the middle is refused before the first."""
    kinds = KINDS.get(name)
    if kinds is None or not column:
        return
    at = _first_other(column, kinds[0], kinds[len(kinds) - 1])
    if at < len(column):
        raise ValueError(f"column {name!r}: {column[at]!r} is no {' or '.join([kind.__name__ for kind in kinds])}")
    if kinds == (int,) and not _all_count(column):
        raise ValueError(f"column {name!r}: numbers are from 0 to {MOST}")
    if name == "confidence" and _has_gap(column):
        raise ValueError(f"column {name!r}: nan is no share from 0 to 1")


def _has_gap(column: list[Any]) -> bool:
    """Whether one of the numbers is none."""
    return any(value != value for value in column)


def _first_other(column: list[Any], one: type, other: type) -> int:
    """Where the first value is that is of neither type; the column's length where there is none."""
    return next((at for at, value in enumerate(column) if type(value) not in (one, other)), len(column))


def _all_count(column: list[Any]) -> bool:
    """Whether they are all whole numbers from 0 to `MOST`."""
    return _numbers(column) is not None


def _as_column(values: Any) -> list[Any]:
    return values if type(values) is list else [values]


def _as_enum(name: str, values: list[Any]) -> list[Any]:
    kind, known = ENUMS[name]
    try:
        return [value if type(value) is kind else known[value] for value in values]
    except (KeyError, TypeError):
        bad = next(value for value in values if not isinstance(value, str) or value not in known)
        raise ValueError(f"column {name!r}: {bad!r} is none of {', '.join(known)}") from None
