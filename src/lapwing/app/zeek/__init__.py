"""Events as the tab-separated logs of Zeek: `conn.log`, `http.log` and the rest, with its header lines.

Fields that program fills from what is not looked at here (files, geography, scripts) are unset, as it writes them.
"""

from lapwing.app.zeek.writer import FAMILIES, ZeekLogs, uid

__all__ = ["FAMILIES", "ZeekLogs", "uid"]
