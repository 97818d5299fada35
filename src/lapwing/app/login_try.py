"""What is known of one login try, in places that the guard reads without a look-up by name.

Runs compiled, typed by `login_try.pxd`, and as it stands. `AuthAttempt` is its signature, which compiled classes do
not show.
"""

from typing import Any


class LoginTry:
    """The fields of a try; see `AuthAttempt`."""

    def __init__(self) -> None:
        self.source: Any = ""
        self.endpoint: Any = ""
        self.username: Any = None
        self._secret: Any = None
        self.secret_tag: Any = None
        self.fingerprint: Any = None
        self.ts_ns: Any = None
        self.protocol: Any = ""
        self.mechanism: Any = ""
        self.circumstances: Any = None
        self._bare = False  # nothing came of its circumstances but what its secret says

    def __repr__(self) -> str:
        return f"{type(self).__name__}(source={self.source!r}, endpoint={self.endpoint!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a login try is not to be stored: it may hold a secret")
