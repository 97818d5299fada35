"""`python -m lapwing` is the program `lapwing`."""


def main() -> None:
    """Entry point of the program; Ctrl-C while it is being loaded ends it as quietly as later."""
    try:
        from lapwing.app.cli import main as program

        program()
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # ExitCode.INTERRUPTED, which may not be there yet


if __name__ == "__main__":
    main()
