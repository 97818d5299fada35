"""Events as the tab-separated logs of Zeek: `conn.log`, `http.log` and the rest, with its header lines.

Fields that program fills from what is not looked at here (geography, scripts) are unset, as it writes them.
"""

from lapwing.app.zeek.columns import COLUMNS
from lapwing.app.zeek.names import uid
from lapwing.app.zeek.services import DhcpLeases
from lapwing.app.zeek.writer import FAMILIES, LOGS, ZeekLogs, line

__all__ = ["COLUMNS", "FAMILIES", "LOGS", "DhcpLeases", "ZeekLogs", "line", "uid"]
