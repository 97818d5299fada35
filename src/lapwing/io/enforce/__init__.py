"""Decisions carried out elsewhere: a file that a proxy includes, a set of the packet filter, a webhook."""

from lapwing.io.enforce.deny_file import DenyFile, DenyShape
from lapwing.io.enforce.nftables import NftSet
from lapwing.io.enforce.webhook import Webhook

__all__ = ["DenyFile", "DenyShape", "NftSet", "Webhook"]
