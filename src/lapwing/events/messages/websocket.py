"""WebSocket (RFC 6455)."""

from lapwing.events.messages.base import BaseMessage


class WebsocketMessage(BaseMessage, frozen=True, gc=False, tag="websocket.message"):
    """One whole message of one side: `text` or `binary`, its size over all its frames, and what they do not say.

    `compressed` marks those of an extension such as permessage-deflate; their size is as sent.
    """

    opcode: str
    payload_bytes: int
    frame_count: int = 1
    compressed: bool = False


class WebsocketClose(BaseMessage, frozen=True, gc=False, tag="websocket.close"):
    """One side ends the connection; `code` is of RFC 6455, 7.4, None where none was given."""

    code: int | None = None


WebsocketMessages = WebsocketMessage | WebsocketClose
