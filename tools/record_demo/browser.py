"""A person at a real browser: headless chromium, driven over its debugging pipe.

Only what one login needs: open the page, type into the form, press the button, wait for the next page.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from typing import Any, Self

from .clients import SITE, THINK_S, Act, Room
from .network import WEB_V4

_TIMEOUT_S = 40.0  # for any one answer; starting on a busy machine takes a while
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
    "--no-first-run",
    "--remote-debugging-pipe",
    f"--host-resolver-rules=MAP {SITE} {WEB_V4}, MAP * ~NOTFOUND",
)
_FILL = """(() => {{
  document.querySelector("input[name=username]").value = {account};
  document.querySelector("input[name=password]").value = {password};
  document.title = "sent";
  document.querySelector("button").click();
}})()"""
_ARRIVED = "document.readyState === 'complete' && document.title !== 'sent' && location.href !== 'about:blank'"


class Chromium:
    """One browser process with one page. A context manager; raises TimeoutError when it does not answer."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._number = 0
        self._session = ""
        self._pending = b""

    def __enter__(self) -> Self:
        read_here, write_there = map(_raised, os.pipe())
        read_there, write_here = map(_raised, os.pipe())
        profile = f"--user-data-dir={self._room.folder / 'profile'}"
        # The debugging pipe is by definition descriptors 3 (commands) and 4 (answers) of the browser.
        line = f'exec chromium "$@" 3<&{read_there} 4>&{write_there}'
        with (self._room.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                ["bash", "-c", line, "bash", *_FLAGS, profile, "about:blank"],
                pass_fds=(read_there, write_there),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self._room.folder), "LC_ALL": "C"},
            )
        os.close(read_there)
        os.close(write_there)
        self._read, self._write = read_here, write_here
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        agent = self._call("Browser.getVersion")["userAgent"].replace("Headless", "")
        self._call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage="en-GB,en")
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._session = ""
            self._call("Browser.close")
            self._process.wait(timeout=10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)

    def open(self, path: str) -> None:
        """Open a page of the site and wait until it is there."""
        self._call("Page.navigate", url=f"http://{SITE}{path}")
        self._wait()

    def sign_in(self, account: str, password: str) -> None:
        """Fill in and send the login form, and wait for the page that follows."""
        self._evaluate(_FILL.format(account=json.dumps(account), password=json.dumps(password)))
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _TIMEOUT_S
        while self._evaluate(_ARRIVED) is not True:
            if time.monotonic() > deadline:
                raise TimeoutError("the page did not arrive")
            time.sleep(0.05)

    def _evaluate(self, expression: str) -> Any:
        return self._call("Runtime.evaluate", expression=expression)["result"].get("value")

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                return answer.get("result") or {"result": {}}

    def _next(self) -> bytes:
        while b"\0" not in self._pending:
            if not select.select([self._read], [], [], _TIMEOUT_S)[0]:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self._read, 65536)
            if not piece:
                raise OSError("the browser has ended")
            self._pending += piece
        message, _, self._pending = self._pending.partition(b"\0")
        return message


def _raised(descriptor: int) -> int:
    """The same pipe end above 9, where renumbering to 3 and 4 cannot hit it."""
    raised = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return raised


def web_browser(*, account: str, passwords: Sequence[str]) -> Act:
    """Look around, sign in through the form (again after a refusal), and look at the account page."""

    def act(room: Room) -> None:
        with Chromium(room) as page:
            page.open("/")
            page.open("/login")
            for password in passwords:
                time.sleep(THINK_S)
                page.sign_in(account, password)

    return act
