"""`lapwing.callbacks.session`: one call for both kinds of code."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from msgspec.structs import replace

from lapwing.callbacks import ClientSettings
from lapwing.events import SettingsError
from lapwing.io.callbacks.blocking import BlockingSession
from lapwing.io.callbacks.client import Session


class Opening:
    """A session about to begin: `async with` gives a `Session`, `with` its twin for blocking code."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._blocking: BlockingSession | None = None

    async def __aenter__(self) -> Session:
        return await self._session.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.aclose()

    def __enter__(self) -> BlockingSession:
        self._blocking = BlockingSession(self._session)
        return self._blocking.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._blocking is not None:
            self._blocking.close()


def session(
    server: str = "",
    *,
    token: str | None = None,
    session_file: str | Path | None = None,
    private_networks: Iterable[str] = (),
    settings: ClientSettings | None = None,
) -> Opening:
    """Open a session with a callback collector, an interactsh server or Lapwing's own.

        async with lapwing.callbacks.session(server="oast.example.com") as callbacks:
            planted = callbacks.mint(purpose="webhook of the order service")
            outcome = await callbacks.wait_for(planted, accepts="http", timeout=30)

    `server` is a host name, with a port where it is not 443; it may be left out where `session_file` holds a session
    already. `token` is the collector's, where it wants one. `session_file` keeps the session for later runs; without
    it the session ends with the context. `private_networks` names networks of collectors of one's own: private
    addresses are not contacted otherwise.

    A collector that does not take the registration raises nothing: `disabled` says why, and so does every wait.
    Raises SettingsError for a server, a token or a file that cannot be used.
    """
    chosen = settings or ClientSettings()
    networks = tuple(private_networks)
    if isinstance(private_networks, str):
        raise SettingsError("private_networks: give a list of networks")
    if networks:
        chosen = replace(chosen, private_networks=(*chosen.private_networks, *networks))
    path = None if session_file is None else Path(session_file)
    return Opening(Session(server, token=token, session_file=path, settings=chosen))
