"""Puts it together: the settings tree, the pipeline of the programs, the command line. Nothing imports this room."""
