"""Synthetic traffic: conversations as scripts, scripts laid out in time, packets written as frames."""
