# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""Logins of the near future: their keys are computed and what is known of them is fetched before the first is observed.

One login after the other waits for each of its records; a block of them waits for all together (`ahead.py`). Nothing is
counted here, so the logins give what they give one by one.
Runs compiled, typed by `block.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect import plainly as logins
from lapwing.detect import plainly as members
from lapwing.detect.ahead import LOGINS, Ahead
from lapwing.detect.login import Keyring, Login
from lapwing.events import AuthEvidence, AuthResolved, Outcome

BLOCK = LOGINS  # logins: what they will look at, 64 bytes a record, stays in the processor's nearer caches until then
APART = 3  # logins between two steps of one: their keys take longer to compute than memory takes
STEPS = 4  # after the first one
NEAR, FAR = 3, 6  # events from the next one: those whose texts are asked for, and those that are themselves
_BLOCK, _APART, _STEPS = BLOCK, APART, STEPS
_NEAR, _FAR = NEAR, FAR
_FAILED, _SUCCEEDED = id(Outcome.FAILED), id(Outcome.SUCCEEDED)  # of what there is as long as the program runs
_PACKET_SIZE, _PROTOCOL_STATE = id(AuthEvidence.PACKET_SIZE), id(AuthEvidence.PROTOCOL_STATE)
_RESOLVED = AuthResolved
_ONE = id(1)  # of the small numbers that Python has once; another object that says it is read as any other
_TS_NS = members.place(AuthResolved, "ts_ns")
_CLIENT_IP = members.place(AuthResolved, "client_ip")
_OUTCOME = members.place(AuthResolved, "outcome")
_PROTOCOL = members.place(AuthResolved, "protocol")
_ENDPOINT = members.place(AuthResolved, "endpoint")
_USERNAME = members.place(AuthResolved, "username")
_SECRET_TAG = members.place(AuthResolved, "secret_tag")
_FINGERPRINT = members.place(AuthResolved, "fingerprint")
_USER_AGENT = members.place(AuthResolved, "user_agent")
_EXISTS = members.place(AuthResolved, "account_exists")
_TRIES = members.place(AuthResolved, "attempt_count")
_CONFIDENCE = members.place(AuthResolved, "confidence")
_EVIDENCE = members.place(AuthResolved, "evidence")
_SEQ = members.place(AuthResolved, "seq")
_CIRCUMSTANCES = members.place(AuthResolved, "circumstances")


class Block:
    """Up to `BLOCK` logins that failed or succeeded, in their order. Whoever filled it observes them and empties it.

    Of `logins` the first `count` are those.
    """

    def __init__(self, keyring: Keyring, ahead: Ahead) -> None:
        """`ahead` asks for the records of logins under `keyring`."""
        self._keyring = keyring
        self._ahead = ahead
        self.logins = [Login() for _ in range(BLOCK)]
        self.count = 0
        self.is_full = False

    def add_event(self, event: Any) -> bool:
        """Add the login of an event; False where it is no plain one and has to be observed as an event."""
        if type(event) is not _RESOLVED or not members.is_member(event, _CIRCUMSTANCES, None):
            return False
        outcome = members.identity(event, _OUTCOME)
        if outcome not in (_FAILED, _SUCCEEDED):
            return False
        client = members.member(event, _FINGERPRINT)
        if not client:
            client = members.member(event, _USER_AGENT)
        login = logins.row(self.logins, self.count)
        if not self._keyring.name(
            login,
            members.member(event, _CLIENT_IP),
            members.member(event, _USERNAME),
            members.member(event, _PROTOCOL),
            members.member(event, _SECRET_TAG),
            client,
        ):
            return False
        login.failed = outcome == _FAILED
        login.succeeded = not login.failed
        login.now_ns = members.whole_member(event, _TS_NS)
        login.seq = members.whole_member(event, _SEQ)
        login.endpoint = members.member(event, _ENDPOINT)
        login.nobody = members.is_member(event, _EXISTS, False)
        login.inferred = members.identity(event, _EVIDENCE) in (_PACKET_SIZE, _PROTOCOL_STATE)
        if members.identity(event, _TRIES) != _ONE or members.real_member(event, _CONFIDENCE) != 1.0:
            login.count_tries(members.member(event, _TRIES), members.real_member(event, _CONFIDENCE))
        return self._keep()

    def look_out(self, events: list[Any], at: int) -> int:
        """The event at `at` of a list is added next: have those after it fetched, and the texts of some of them."""
        members.soon_struct(events, at + _FAR)
        if at + _NEAR < len(events):
            event = events[at + _NEAR]
            if type(event) is _RESOLVED:
                members.soon_member(event, _CLIENT_IP)
                members.soon_member(event, _USERNAME)
                members.soon_member(event, _SECRET_TAG)
                members.soon_member(event, _FINGERPRINT)
                members.soon_member(event, _TS_NS)
        return 0

    def add(self, address: str, username: str | None, protocol: str, secret_tag: str | None, client: str | None) -> Any:
        """Add a login by its facts; None where the address is none. The caller says how it ended."""
        login = logins.row(self.logins, self.count)
        if not self._keyring.name(login, address, username, protocol, secret_tag, client):
            return None
        self._keep()
        return login

    def empty(self) -> int:
        """Forget them; how many there were."""
        count = self.count
        self.count = 0
        self.is_full = False
        return count

    def fetch(self) -> int:
        """What is left to do until all that they will look at is asked for."""
        for at in range(self.count, self.count + _STEPS * _APART):
            self._go_on(at)
        for at in range(self.count):
            self._ahead.expect(logins.row(self.logins, at), at)
        return 0

    def _keep(self) -> bool:
        self.count += 1
        self.is_full = self.count == _BLOCK
        self._go_on(self.count - 1)
        return True

    def _go_on(self, at: int) -> int:
        """The login at `at` takes the first step, and those so and so far before it, one after the other, the next.

        Each step says where the next one goes on, and memory has time until then: the keys of others are computed.
        """
        ahead = self._ahead
        if at < self.count:
            login = logins.row(self.logins, at)
            ahead.glance_at_place(login)
            ahead.glance(login)
        at -= _APART
        if 0 <= at < self.count:
            login = logins.row(self.logins, at)
            ahead.approach(login, at)
            ahead.approach_own(login, at)
        at -= _APART
        if 0 <= at < self.count:
            ahead.reach(at)
            ahead.reach_own(at)
        at -= _APART
        if 0 <= at < self.count:
            ahead.approach_beside(at)
            ahead.approach_beside_home(at)
        at -= _APART
        if 0 <= at < self.count:
            login = logins.row(self.logins, at)
            ahead.reach_beside(login, at)
            ahead.reach_beside_home(at)
        return 0
