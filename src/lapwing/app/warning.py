"""Says loudly that the plain loops serve, because the speed is not what was promised."""

from lapwing.app.guard import complain
from lapwing.app.installation import SLOWDOWN, hot_modules


def warn_if_plain() -> None:
    """One line on standard error when a compiled module is missing."""
    missing = [name for name, compiled in hot_modules().items() if not compiled]
    if missing:
        complain(
            f"SLOW: {', '.join(missing)} not compiled, so plain Python serves, about {SLOWDOWN} times slower; "
            "install a C compiler and build again (`lapwing doctor` says more)"
        )
