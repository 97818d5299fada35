"""What every typed message carries."""

from typing import Self

import msgspec

REDACTED = "[redacted]"  # stands where a secret stood; equality is carried by tags in auth events, never here
UNKNOWN_VERB = "UNKNOWN"  # stands for the verb of a line that is no command; such a line may be a stray secret


class BaseMessage(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True, tag_field="kind"
):
    """One message of a protocol, as its parser understood it.

    Parsers return messages with secrets still in place, for the login adapters only. The session driver publishes
    `redacted()`: the same message, or a copy without its secrets. No event ever holds the unredacted one.
    """

    def redacted(self) -> Self:
        """Return the message without clear-text secrets; self when there are none."""
        return self
