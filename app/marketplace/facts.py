"""What is said of a module's behaviour: only what was measured, and only when there was enough of it to say something."""

from __future__ import annotations

from dataclasses import dataclass

from app.marketplace.models import Listing, Measures

ENOUGH = 20  # calls, runs or installs below which a share says nothing


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured figure. share: a part of 1, or None; text: when it is no share. base: what it was measured of."""

    label: str
    base: str
    share: float | None = None
    text: str = ""


def facts_of(listing: Listing | None, measures: Measures | None) -> list[Fact]:
    """The figures there is enough for, the most telling first."""
    found = []
    if listing is not None and listing.installs:
        found.append(Fact("Active installs", "", text=str(listing.installs)))
    if measures is None:
        return found
    calls, runs = measures.calls, measures.runs
    if calls + runs >= ENOUGH:
        share = (measures.call_errors + measures.run_errors) / (calls + runs)
        found.append(Fact("Error rate", f"of {calls + runs:,} calls and runs in 30 days", share=share))
    if calls >= ENOUGH and measures.call_p95_ms is not None:
        found.append(Fact("API answers within", "19 of 20 times", text=f"{measures.call_p95_ms:.0f} ms"))
    if runs >= ENOUGH and measures.run_p95_ms is not None:
        found.append(
            Fact("Functions run within", "19 of 20 times, time of the processor", text=f"{measures.run_p95_ms:.0f} ms")
        )
    if measures.upgrades:
        share = 1 - measures.upgrade_failures / measures.upgrades
        found.append(Fact("Upgrades that went well", f"of {measures.upgrades:,} in 30 days", share=share))
    if measures.tried >= ENOUGH:
        found.append(
            Fact("Removed within a week", f"of {measures.tried:,} installs", share=measures.left_soon / measures.tried)
        )
    return found
