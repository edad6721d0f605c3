"""`make bench`: every measurement after the other, each interleaved with what it is compared to. Takes about five minutes.

`make bench ARGS=webhooks` makes one of them; `make bench ARGS="chaos 20000"` kills servers while webhooks are sent.
"""

from __future__ import annotations

import sys

from bench import chaos, data, gateway, marketplace, webhooks

PARTS = {
    "data": ("The data layer against bare psycopg", data.main),
    "gateway": ("The gateway against a bare server", gateway.main),
    "marketplace": ("The marketplace's search", marketplace.main),
    "webhooks": ("Webhooks against a bare loop of the same client", webhooks.main),
}


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["chaos"]:
        chaos.main(*arguments[1:])
        return 0
    if unknown := [name for name in arguments if name not in PARTS]:
        print(f"There is no measurement {unknown[0]}; there are {', '.join(PARTS)} and chaos.", file=sys.stderr)
        return 2
    for name in arguments or PARTS:
        title, measure = PARTS[name]
        print(f"{title}\n", flush=True)
        measure()
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
