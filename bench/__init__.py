"""Measures Lapwing beside the limit, a minimal C tracker and other programs. Start with `make bench`."""
