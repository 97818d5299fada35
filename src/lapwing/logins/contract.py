"""What turns messages of one flow into logins."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import msgspec

from lapwing.events import AuthEvent, FlowKey, Message, Side
from lapwing.logins.secrets import SecretTagger
from lapwing.logins.settings import LoginSettings


class LoginAdapter(Protocol):
    """Messages of one flow in (secrets still in them), logins out. Bounded; never raises for hostile content."""

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """Take one message."""

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """The session ended: resolve what is pending, as `unknown` where nothing says how it ended."""


class LoginContext(msgspec.Struct, frozen=True, gc=False):
    """What an adapter is made from. `next_auth_id()` gives ids unique within the stream."""

    key: FlowKey
    settings: LoginSettings
    tagger: SecretTagger
    next_auth_id: Callable[[], int]


class LoginProtocol(NamedTuple):
    """Which protocol an adapter reads."""

    protocol: str
    make: Callable[[LoginContext], LoginAdapter]
