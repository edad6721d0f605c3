"""`make bench`: every measurement after the other, each interleaved with what it is compared to. Takes about five minutes.

`make bench ARGS=webhooks` makes one of them; `make bench ARGS="chaos 20000"` kills servers while webhooks are sent,
`make bench ARGS="upgrades 1000"` kills workers while so many installs are upgraded.
"""

from __future__ import annotations

import sys

from bench import analytics, chaos, data, gateway, marketplace, upgrades, webhooks

PARTS = {
    "analytics": ("Analytics at 1,000,000 events", analytics.main),
    "data": ("The data layer against bare psycopg", data.main),
    "gateway": ("The gateway against a bare server", gateway.main),
    "marketplace": ("The marketplace's search", marketplace.main),
    "webhooks": ("Webhooks against a bare loop of the same client", webhooks.main),
}


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["chaos"]:
        chaos.main(*arguments[1:])
        return 0
    if arguments[:1] == ["upgrades"]:
        upgrades.main(*arguments[1:])
        return 0
    if unknown := [name for name in arguments if name not in PARTS]:
        print(
            f"There is no measurement {unknown[0]}; there are {', '.join(PARTS)} chaos and upgrades.", file=sys.stderr
        )
        return 2
    for name in arguments or PARTS:
        title, measure = PARTS[name]
        print(f"{title}\n", flush=True)
        measure()
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
