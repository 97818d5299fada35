"""Lapwing's events compared, row by row, with logs another program wrote of the same traces."""
