"""The part of inboxes that needs no records: a card as a line of the list."""

from __future__ import annotations

from datetime import date

from app.workspace.cards import Card
from app.workspace.cells import Cell, Link
from app.workspace.inboxes import entry_of

NAME = ("Name", False, Cell("text", "Ada"))
DUE = ("Due", True, Cell("date", date(2026, 3, 14)))
PAID = ("Paid", True, Cell("date", date(2026, 3, 14)))


def test_the_first_moment_stands_by_itself_and_further_ones_stay_facts() -> None:
    entry = entry_of(Card("1", "Boat", 1, (NAME, DUE, PAID)))
    assert entry.when == ("Due", Cell("date", date(2026, 3, 14)))
    assert entry.card.facts == (NAME, PAID)
    assert entry_of(Card("1", "Boat", 1, (NAME,))).when is None


def test_nothing_in_a_line_leads_elsewhere() -> None:
    facts = (
        ("Topic", False, Cell("ref", Link("Billing", "topics", "2"))),
        ("Mail", False, Cell("email", "a@b.example")),
        ("Crew", False, Cell("refs", items=(Link("A", "crews", "3"), Link("B", "crews", None)))),
        ("State", False, Cell("status", "New", tone="blue")),
    )
    shown = [cell for _, _, cell in entry_of(Card("1", "Boat", 1, facts)).card.facts]
    assert shown == [Cell("text", "Billing"), Cell("text", "a@b.example"), Cell("text", "A, B"), facts[3][2]]
