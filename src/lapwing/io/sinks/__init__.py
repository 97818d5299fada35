"""Where flow records go over the network."""

from lapwing.io.sinks.ipfix import IpfixEncoder, IpfixExporter

__all__ = ["IpfixEncoder", "IpfixExporter"]
