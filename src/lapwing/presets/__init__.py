"""Ready-made rules beside Lapwing's own: `classic` is the counting detector of web firewalls, number for number.

For comparison and for those who have to keep known behaviour; its weaknesses are known and tested.
"""

from lapwing.presets import classic

__all__ = ["classic"]
