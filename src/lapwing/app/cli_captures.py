"""Options about captures and interfaces; see `cli`."""

from enum import StrEnum
from typing import Annotated

import typer


class RingSize(StrEnum):
    """Profiles of the ring, without loading what uses them."""

    DEFAULT = "default"
    HIGH_THROUGHPUT = "high-throughput"
    LOW_LATENCY = "low-latency"
    LOW_MEMORY = "low-memory"
    JUMBO = "jumbo"


class Copies(StrEnum):
    """Where packets are seen twice, without loading what leaves them out."""

    OFF = "off"
    LOOPBACK = "loopback"
    BRIDGE = "bridge"
    MIRROR = "mirror"

    @property
    def given(self) -> bool:
        """Whether copies are looked for."""
        return self is not Copies.OFF


class CaptureBy(StrEnum):
    """What reads an interface, without loading it."""

    AUTO = "auto"
    RING = "ring"
    LIBPCAP = "libpcap"


class Timestamps(StrEnum):
    """Where the times of live packets come from."""

    KERNEL = "kernel"
    HARDWARE = "hardware"


_WAYS = "(pcap, pcapng, also .gz, .zst), folders, globs, or - for standard input."
Files = Annotated[list[str] | None, typer.Argument(metavar="FILE", help=f"Captures {_WAYS}")]
FilesOrLogs = Annotated[
    list[str] | None, typer.Argument(metavar="FILE", help=f"Captures {_WAYS} Or logs, but not both at once.")
]
MoreFiles = Annotated[
    list[str] | None, typer.Option("-r", "--read", metavar="FILE", help="The same as FILE, as tcpdump spells it.")
]
Filter = Annotated[
    str | None,
    typer.Option("-f", "--filter", metavar="EXPRESSION", help="Read only packets that match, e.g. 'tcp port 22'."),
]
Count = Annotated[int | None, typer.Option("-c", "--count", min=1, metavar="N", help="Stop after N packets.")]
Interface = Annotated[
    str | None, typer.Option("-i", "--interface", metavar="IFACE", help="Watch this interface; any for all of them.")
]
WriteTo = Annotated[
    str | None, typer.Option("-w", "--write", metavar="FILE", help="Also write the packets to this capture.")
]
RotateSize = Annotated[
    str | None, typer.Option("--rotate-size", metavar="SIZE", help="Begin a new file at this size, e.g. 100MiB.")
]
RotateTime = Annotated[
    str | None, typer.Option("--rotate-time", metavar="TIME", help="Begin a new file after this time, e.g. 10m.")
]
KeepFiles = Annotated[
    int | None, typer.Option("--keep", min=1, metavar="N", help="Delete the oldest files beyond this many.")
]
Before = Annotated[
    str | None,
    typer.Option("--before", metavar="TIME", help="Write only around findings, from this long before each, e.g. 30s."),
]
After = Annotated[
    str | None, typer.Option("--after", metavar="TIME", help="With --before: how long to go on; 60s by default.")
]
Profile = Annotated[RingSize, typer.Option("--profile", help="Size of the ring between kernel and reader.")]
Snaplen = Annotated[
    int | None,
    typer.Option(
        "-s", "--snaplen", min=64, max=262_144, metavar="BYTES", help="Bytes of each packet to take; all by default."
    ),
]
Promiscuous = Annotated[
    bool, typer.Option("--promiscuous/--no-promiscuous", " /-p", help="Take packets addressed to others too.")
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", metavar="NAME", help="Network namespace of the interface.")
]
FanoutGroup = Annotated[
    int | None,
    typer.Option("--fanout", min=0, max=65_535, metavar="GROUP", help="Share the packets with others of this group."),
]
CaptureOption = Annotated[
    CaptureBy, typer.Option("--capture", help="What reads it: the ring of Linux, or libpcap (extra `pcap`).")
]
TimestampsOption = Annotated[
    Timestamps, typer.Option("--timestamps", help="Packet times of the kernel, or of network cards that have a clock.")
]
User = Annotated[
    str | None, typer.Option("-Z", "--user", metavar="USER", help="Become this user once the interface is open.")
]
DedupOption = Annotated[
    Copies, typer.Option("--dedup", help="Leave out packets that are there twice, as captured in such a place.")
]
NoNames = Annotated[bool, typer.Option("-n", help="Accepted as tcpdump does; addresses are never resolved.")]
