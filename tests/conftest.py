"""One Hypothesis profile for all tests: no test asserts a time, and a run of continuous integration repeats itself."""

import os

from hypothesis import settings

settings.register_profile("lapwing", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lapwing")
