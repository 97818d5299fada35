"""Conversations with listeners as tests: what the client says, what it hears, what is noted."""

from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

from lapwing.callbacks.interaction import Interaction, Peer
from lapwing.callbacks.responders import (
    Close,
    Control,
    DiscardData,
    FtpResponder,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    StartTls,
)

PEER = Peer("192.0.2.7", 40_000, 21)
TLS = object()  # a step of a conversation: the client does the handshake asked for
Step = bytes | object
Make = Callable[[], Responder]
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)


class Talk:
    """One connection from start to end, with a driver that does at once what is asked for."""

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.heard = bytearray()
        self.noted: list[Interaction] = []
        self.data = bytearray()
        self.closed = ""
        self.tls_wanted = False
        self.controls: list[Control] = []
        self._take(responder.start())

    def say(self, data: bytes, now_ns: int = 0) -> None:
        self._take(self.responder.receive(data, now_ns))

    def tls(self, sni: str | None = None) -> None:
        assert self.tls_wanted
        self.tls_wanted = False
        self._take(self.responder.tls_started(0, sni))

    def hang_up(self, now_ns: int = 0) -> None:
        self._take(self.responder.closed(now_ns))

    def wait(self, now_ns: int) -> None:
        self._take(self.responder.wake(now_ns))

    def _take(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            assert not self.closed, "said after the end"
            if isinstance(output, Send):
                self.heard += output.data
            elif isinstance(output, Close):
                self.closed = output.reason
            elif isinstance(output, Control):
                self.controls.append(output)
            elif isinstance(output, StartTls):
                self.tls_wanted = True
            elif isinstance(output, Interaction):
                self.noted.append(output)
            else:
                self._data_connection(output)

    def _data_connection(self, output: OpenData | SendData | DiscardData) -> None:
        assert isinstance(self.responder, FtpResponder)
        if isinstance(output, OpenData):
            self._take(self.responder.data_listening("198.51.100.9", 50_000, 0))
            return
        if isinstance(output, SendData):
            self.data += output.data
        self._take(self.responder.data_done(0))


def play(make: Make, steps: Iterable[Step], sizes: Sequence[int] | None = None) -> Talk:
    """Say the steps, whole or in pieces of the given sizes, then hang up."""
    talk = Talk(make())
    turn = 0
    for step in steps:
        if not isinstance(step, bytes):
            if talk.tls_wanted:
                talk.tls("mail.example.com")
            continue
        data = step
        while sizes and len(data) > (size := sizes[turn % len(sizes)]):
            talk.say(data[:size])
            data = data[size:]
            turn += 1
        talk.say(data)
    talk.hang_up()
    return talk


def same_whichever_way_it_is_cut(make: Make, steps: list[Step], sizes: Sequence[int]) -> None:
    """The law of every listener."""
    whole, cut = play(make, steps), play(make, steps, sizes)
    assert cut.noted == whole.noted
    assert bytes(cut.heard) == bytes(whole.heard)
    assert (cut.closed, bytes(cut.data)) == (whole.closed, bytes(whole.data))
