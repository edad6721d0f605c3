"""`python -m app.dev run`: what `make run` calls once everything is installed."""

from __future__ import annotations

import os
import sys

from app.dev.errors import DevError
from app.dev.run import run


def main(arguments: list[str]) -> int:
    if arguments != ["run"]:
        print("usage: python -m app.dev run", file=sys.stderr)
        return 2
    try:
        return run(os.environ)
    except DevError as error:
        print(f"Dramac: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before or after the supervisor listens
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
