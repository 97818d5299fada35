"""Why rows differ, or are not compared: one line a case, each a thing a protocol expert can check in the trace."""

OUT_OF_SCOPE: dict[str, str] = {}

CONN_REASONS: dict[str, str] = {}
HTTP_REASONS: dict[str, str] = {}
FTP_REASONS: dict[str, str] = {}
SMTP_REASONS: dict[str, str] = {}
SSH_REASONS: dict[str, str] = {}
DNS_REASONS: dict[str, str] = {}
