"""Names of flows and of files in all logs: the same for the same capture."""

from base64 import b32encode
from hashlib import sha1

from lapwing.events import FlowBound, SessionMessaged

NAME_LETTERS = 17  # 85 bits of a digest; that program's have 17 letters behind the first too


def uid(flow: FlowBound) -> str:
    """The name of a flow."""
    return uid_of(flow.community_id, flow.flow_id)


def uid_of(community_id: str, flow_id: int) -> str:
    """The name of the flow that has these."""
    return "C" + _letters(f"{community_id} {flow_id}")


def fuid(event: SessionMessaged, number: int) -> str:
    """The name of a file in a message, by its place there."""
    return "F" + _letters(f"{event.community_id} {event.flow_id} {event.seq} {number}")


def fuid_of_flow(flow: FlowBound) -> str:
    """The name of the file that a flow is."""
    return "F" + _letters(f"{flow.community_id} {flow.flow_id}")


def _letters(text: str) -> str:
    return b32encode(sha1(text.encode(), usedforsecurity=False).digest()).decode()[:NAME_LETTERS]
