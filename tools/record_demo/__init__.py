"""Records the demo capture: real daemons, real clients, network namespaces of its own.

See README.md beside this file. The package is a tool: it needs root and Debian packages,
and ships in no wheel.
"""
