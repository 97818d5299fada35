"""`python -m lapwing` is the program `lapwing`."""

from lapwing.app.cli import main

if __name__ == "__main__":
    main()
