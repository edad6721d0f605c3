"""Identifiers: made in order by one process, and told apart by many."""

from __future__ import annotations

from uuid import RFC_4122

from app.lib.ids import uuid7


def test_uuids_of_one_process_are_in_the_order_they_were_made() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_two_of_one_moment_share_no_random_bits() -> None:
    tails = {uuid7().int & ((1 << 62) - 1) for _ in range(2_000)}
    assert len(tails) == 2_000
