"""Fuzzing: a target is a module `fuzz_NAME` with `run(data)`, which must not raise whatever the bytes.

`python -m fuzz [NAME...] --seconds N` runs targets guided by coverage. A target may offer `SEEDS` to begin with.
What breaks a target is written to `build/fuzz/` and can be tried again with `python -m fuzz NAME --input FILE`.
"""
