"""The marketplace's search at 50,000 modules: milliseconds in the database, filters' counts and a page of results included.

    .venv/bin/python -m bench.marketplace [modules]

Names, tags and texts are drawn from a vocabulary in which few words are common and most are rare. Every question is asked as
the platform asks it: as its own role, for one agency, in a transaction that first binds the scope.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from itertools import accumulate
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from app.db.roles import APP, role_url
from app.lib.ids import uuid7
from app.modules.manifest import ALLOWED, Capability
from bench.data import SECRET, empty

MODULES, PUBLISHERS, ROUNDS = 50_000, 400, 60
GOAL_MS = 20
STEMS = (
    "book invoic calendar form contact lead stock order ship pay track report "
    "chart mail chat note task plan team menu room guest"
)
ENDS = ("er", "ing", "s", "ly", "flow", "desk", "kit", "hub", "lab", "wall", "ify", "base")
CATEGORIES = (
    "crm",
    "sales",
    "marketing",
    "analytics",
    "billing",
    "booking",
    "forms",
    "ecommerce",
    "seo",
    "support",
    "hospitality",
    "other",
)


class Library:
    """Words as languages have them: the one of rank n is used about 1/n as often as the first (Zipf)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        stems = STEMS.split()
        known = [stem + end for stem in stems for end in ENDS]
        letters = "abcdefghijklmnoprstuvwz"
        self.rare = ["".join(self.random.choices(letters, k=self.random.randint(5, 9))) for _ in range(20_000)]
        first = known + self.rare[:1500]
        self.random.shuffle(first)  # words that begin alike are not all among the commonest
        self.all = first + self.rare[1500:]
        self.common = self.all[:200]
        self.sums = list(accumulate(1 / (rank + 20) for rank in range(len(self.all))))

    def words(self, number: int) -> str:
        return " ".join(self.random.choices(self.all, cum_weights=self.sums, k=number))


def main(modules: int = MODULES) -> None:
    with empty() as (owner, urls):
        library = Library(7)
        began = time.perf_counter()
        agency = fill(owner, library, modules)
        owner.execute("SELECT marketplace_index(1)")
        owner.execute("VACUUM ANALYZE")
        print(f"{modules:,} modules listed in {time.perf_counter() - began:.0f} s\n")
        with psycopg.connect(role_url(urls["DATABASE_URL"], SECRET, APP), autocommit=True) as app:
            measure(app, agency, library)


def measure(app: psycopg.Connection, agency: UUID, library: Library) -> None:
    """Each kind of question many times, in turn with the others; then all of them together."""
    kinds = questions(library)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, ask in kinds.items():
            taken[name].append(one(app, agency, ask()))
    print(f"{'':44}{'median ms':>11}{'p95 ms':>9}{'found':>9}")
    for name, ask in kinds.items():
        found = total(app, agency, ask())
        print(f"{name:44}{statistics.median(taken[name]):11.1f}{p95(taken[name]):9.1f}{found:9,}")
    every = [value for values in taken.values() for value in values]
    print(f"{'all, the goal being ' + str(GOAL_MS) + ' ms at p95':44}{statistics.median(every):11.1f}{p95(every):9.1f}")


def questions(library: Library) -> dict[str, Callable[[], tuple[Any, ...]]]:
    """What people ask: (words, chosen, sort)."""
    pick = library.random.choice
    filters = {"category": ["crm", "booking"], "price": ["free"], "rating": ["3"]}
    return {
        "nothing, most popular first": lambda: ([], {}, "popular"),
        "nothing, newest first, tenth page": lambda: ([], {}, "newest", 216),
        "three filters, best rated first": lambda: ([], filters, "rating"),
        "seven filters, cheapest first": lambda: (
            [], {**filters, "type": ["app"], "capability": ["data"], "verified": ["true"], "beta": ["true"]}, "price",
        ),
        "a common word": lambda: ([pick(library.common)], {}, "relevance"),
        "a common word and a filter": lambda: ([pick(library.common)], {"price": ["free"]}, "relevance"),
        "a rare word": lambda: ([pick(library.rare)], {}, "relevance"),
        "two common words": lambda: ([pick(library.common), pick(library.common)], {}, "relevance"),
        "the beginning of a word": lambda: ([pick(library.rare)[:3]], {}, "relevance"),
        "the beginning of a common word": lambda: ([pick(library.common)[:4]], {}, "relevance"),
        "a mistyped word": lambda: ([typo(library)], {}, "relevance"),
    }  # fmt: skip


def typo(library: Library) -> str:
    word = library.random.choice(library.rare)
    at = library.random.randrange(1, len(word) - 1)
    return word[:at] + "qx"[at % 2] + word[at + 1 :]


def one(app: psycopg.Connection, agency: UUID, question: tuple[Any, ...]) -> float:
    """Milliseconds of one question, as its client sees them."""
    with app.transaction():
        app.execute("SELECT set_config('app.agency_id', %s, true)", [str(agency)])
        began = time.perf_counter()
        ask(app, question)
        return (time.perf_counter() - began) * 1000


def total(app: psycopg.Connection, agency: UUID, question: tuple[Any, ...]) -> int:
    with app.transaction():
        app.execute("SELECT set_config('app.agency_id', %s, true)", [str(agency)])
        return int(ask(app, question)["total"])


def ask(app: psycopg.Connection, question: tuple[Any, ...]) -> dict[str, Any]:
    words, chosen, sort, *skip = question
    values = [words, Jsonb(chosen), sort, 24, skip[0] if skip else 0]
    row = app.execute("SELECT marketplace_search(%s, %s, %s, %s, %s)", values).fetchone()
    found: dict[str, Any] = row[0] if row else {}
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def fill(owner: psycopg.Connection, library: Library, modules: int) -> UUID:
    """Publishers with their modules; a few are early access or one publisher's own. Returns one of the publishers."""
    agencies = [uuid7() for _ in range(PUBLISHERS)]
    with owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO agencies (id, slug, name) VALUES (%s, %s, %s)",
            [(agency, f"bench-{number}", library.words(2).title()) for number, agency in enumerate(agencies)],
        )
        cursor.execute(
            "INSERT INTO marketplace_publishers (agency_id, verified_at) SELECT id, now() FROM agencies WHERE random() < 0.3"
        )
        ids = [uuid4() for _ in range(modules)]
        versions = [uuid7() for _ in range(modules)]
        owners = [library.random.choice(agencies) for _ in range(modules)]
        with owner.transaction():
            _modules(cursor, library, ids, owners)
            _versions(cursor, library, ids, versions, owners)
            cursor.execute(
                "UPDATE module_source m SET latest_version_id = v.id FROM module_versions v WHERE v.module_id = m.id"
            )
            cursor.execute(
                "UPDATE marketplace_listings SET installs = (1000 / (1 + 1000 * random()))::integer, "
                "ratings = (random() * 50)::integer, rating = CASE WHEN random() < 0.5 THEN 0 ELSE 2.5 + 2.5 * random() END"
            )
    return agencies[0]


def _modules(cursor: psycopg.Cursor, library: Library, ids: list[UUID], owners: list[UUID]) -> None:
    pick = library.random.choice
    tiers = ("public",) * 18 + ("beta", "internal")
    with cursor.copy(
        "COPY module_source (id, agency_id, slug, short_id, name, summary, category, type, tier) FROM STDIN"
    ) as copy:
        for number, (module, agency) in enumerate(zip(ids, owners, strict=True)):
            copy.write_row(
                (
                    module, agency, f"bench-{number}", f"{number:08x}", library.words(2).title(), library.words(10),
                    pick(CATEGORIES), pick(tuple(ALLOWED)), pick(tiers),
                )
            )  # fmt: skip


def _versions(
    cursor: psycopg.Cursor, library: Library, ids: list[UUID], versions: list[UUID], owners: list[UUID]
) -> None:
    pick, sample = library.random.choice, library.random.sample
    sets = [sorted(sample([str(one) for one in Capability], library.random.randint(1, 6))) for _ in range(60)]
    plans: tuple[Any, ...] = (
        [],
        [],
        [{"amount": 1900, "currency": "EUR", "per": "month", "trial_days": 14}],
        [{"amount": 9900, "currency": "EUR", "per": "year"}],
    )
    with cursor.copy(
        "COPY module_versions (id, module_id, agency_id, version, major, minor, patch, status, manifest, listing, readme, "
        "capabilities, digest, size_bytes, published_at) FROM STDIN"
    ) as copy:
        copy.set_types(
            ["uuid", "uuid", "uuid", "text", "int4", "int4", "int4", "text", "jsonb", "jsonb", "text", "text[]", "text", "int4",
             "timestamptz"]
        )  # fmt: skip
        for module, version, agency in zip(ids, versions, owners, strict=True):
            copy.write_row(
                (
                    version, module, agency, "1.0.0", 1, 0, 0, "published", Jsonb({"pricing": pick(plans)}),
                    Jsonb({"tags": library.words(3).split()}), library.words(80), pick(sets), version.hex * 2, 1,
                    f"2026-{pick(range(1, 11)):02}-{pick(range(1, 28)):02}",
                )
            )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MODULES)
