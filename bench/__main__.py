"""`make bench`: every measurement after the other, each interleaved with what it is compared to. Takes about five minutes."""

from __future__ import annotations

import sys

from bench import data, gateway, marketplace

if __name__ == "__main__":
    print("The data layer against bare psycopg\n")
    data.main()
    print("\nThe gateway against a bare server\n")
    gateway.main()
    print("\nThe marketplace's search\n")
    marketplace.main()
    sys.exit(0)
