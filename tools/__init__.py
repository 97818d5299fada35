"""What keeps the repository in order. Each module runs as `python -m tools.NAME`; none of it is shipped."""
