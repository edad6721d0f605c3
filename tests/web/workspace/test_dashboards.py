"""Dashboards of modules: what each card shows, of which records, to whom; a card that fails; where figures lead."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.modules.manifest import load_manifest
from app.runtime.data import reads, scoped
from app.tenancy.models import Agency, Site
from app.workspace import dashboards
from app.workspace.periods import label_of, last_periods
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person
from tests.web.workspace.dashboards import SALES

SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def sales(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, SALES)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def home(browser: Browser, module: Installed) -> Page:
    return browser.get(f"{base(module)}/home")


def figures(page: Page) -> dict[str, str]:
    return {
        card.h2.get_text(strip=True): card.select_one(".stat-value").get_text(" ", strip=True)
        for card in page.html.select(".stat")
    }


def labels(page: Page) -> list[str]:
    return page.texts("[id^=card-].card h2")


def bars(page: Page, number: int) -> list[str]:
    return page.texts(f"#card-{number} .bar-list li")


def cells(page: Page, number: int) -> dict[str, str]:
    """The table of a chart."""
    rows = page.html.select(f"#card-{number} .ch-data tbody tr")
    return {row.th.get_text(strip=True): row.td.get_text(strip=True) for row in rows}


def text_of(page: Page, number: int) -> str:
    return page.one(f"#card-{number}").get_text(" ", strip=True)


def test_figures_are_formatted_by_what_they_are_of(ada: Browser, sales: Installed) -> None:
    sales.add("deals", name="A", amount=10000, chance="50", takes=5400, due="2026-11-03")
    sales.add("deals", name="B", amount=20001, chance="10.5", takes=60, due="2026-03-10", status="won")
    page = home(ada, sales)
    assert figures(page) == {
        "Open deals": "1",
        "Amount in all": "€300.01",
        "Expected": "€35.50",
        "Chance on average": "30.2%",
        "Takes in all": "1:31",
        "Paid": "€0.00",
        "Last due": "3 Nov 2026",
        "Notes": "0",
    }
    assert page.texts("h1") == ["Sales"]
    assert page_faults(page.text, ada.app) == []


def test_a_dashboard_of_nothing_shows_zeros_and_sentences(ada: Browser, sales: Installed) -> None:
    page = home(ada, sales)
    assert figures(page)["Open deals"] == "0"
    assert figures(page)["Expected"] == "–"  # there is no average of nothing
    assert figures(page)["Paid"] == "€0.00"
    assert text_of(page, 8) == "Closed Show list Nothing in the last 12 weeks."
    assert text_of(page, 10).endswith("Nothing to count yet.")
    assert text_of(page, 15) == "Largest Show list No deals here yet."
    assert text_of(page, 16) == "Deals Show list No deals here yet."
    assert text_of(page, 17).endswith("Nothing to count yet.")
    assert page_faults(page.text, ada.app) == []


def test_amounts_of_several_currencies_are_never_added_up(ada: Browser, sales: Installed) -> None:
    for paid, coin in ((500, "USD"), (700, None), (300, "eur ")):  # of one that names none the site's own
        sales.add("deals", name="A", paid=paid, **({"coin": coin} if coin else {}))
    page = home(ada, sales)
    assert figures(page)["Paid"] == "€10.00 $5.00"
    assert "several currencies" in text_of(page, 13)


def test_amounts_of_one_other_currency_are_shown_in_it(ada: Browser, sales: Installed) -> None:
    sales.add("deals", name="A", paid=500, coin="USD")
    page = home(ada, sales)
    assert figures(page)["Paid"] == "$5.00"
    assert bars(page, 13)[0] == "Open $5.00"


def test_a_line_counts_weeks_of_the_site_and_fills_gaps_with_zero(world, agency: Agency, ada: Browser) -> None:
    site = world.site(agency, name="Tokyo", time_zone="Asia/Tokyo", currency="JPY", locale="ja")
    sales = put_on_site(agency, site, SALES)
    here = ZoneInfo("Asia/Tokyo")
    starts = last_periods("week", datetime.now(here).date())
    monday = datetime.combine(starts[-2], datetime.min.time(), here)
    sales.add("deals", name="First minute", closed=(monday + timedelta(minutes=1)).isoformat())
    sales.add("deals", name="Minute before", closed=(monday - timedelta(minutes=1)).isoformat())
    sales.add("deals", name="Too long ago", closed=(monday - timedelta(weeks=30)).isoformat())
    found = cells(home(ada, sales), 8)
    assert list(found) == [label_of("week", start) for start in starts]
    assert list(found.values()) == ["0"] * 9 + ["1", "1", "0"]


def test_a_line_of_averages_has_gaps_and_bars_by_month_zeros(ada: Browser, site: Site, sales: Installed) -> None:
    today = datetime.now(ZoneInfo(site.time_zone)).date()
    first, *_, last = last_periods("month", today)
    for amount, due in ((100, first), (300, first), (5000, last)):
        sales.add("deals", name="A", amount=amount, due=due.isoformat())
    page = home(ada, sales)
    assert list(cells(page, 9).values()) == ["€2.00", *["–"] * 10, "€50.00"]
    assert list(cells(page, 14).values()) == ["2", *["0"] * 10, "1"]
    assert len(page.html.select("#card-9 .ch-dot")) == 2


def test_bars_are_named_as_people_know_the_groups(ada: Browser, ada_person: Person, sales: Installed) -> None:
    talk = sales.add("stages", name=SCRIPT)
    sales.add("deals", name="A", amount=100, stage=talk["id"], owner=str(ada_person.id))
    sales.add("deals", name="B", amount=300, status="won", owner=str(ada_person.id))
    page = home(ada, sales)
    assert bars(page, 10) == ["Open €1.00", "Signed €3.00", "Lost €0.00"]
    assert bars(page, 11) == [f"{SCRIPT} 1", "None 1"]
    assert bars(page, 12) == ["Ada Bright 2"]
    assert page_faults(page.text, ada.app) == []


def test_of_many_groups_the_largest_are_shown(ada: Browser, sales: Installed) -> None:
    for number in range(14):
        stage = sales.add("stages", name=f"Stage {number:02d}", position=number)
        for _ in range(2 if number > 10 else 1):
            sales.add("deals", name="A", stage=stage["id"])
    page = home(ada, sales)
    assert set(bars(page, 11)[:3]) == {"Stage 11 2", "Stage 12 2", "Stage 13 2"}
    assert len(bars(page, 11)) == 12
    assert "The largest 12; there are more." in text_of(page, 11)


def test_lists_and_tables_show_the_first_records_and_lead_to_them(ada: Browser, sales: Installed) -> None:
    stage = sales.add("stages", name="Talk")
    made = [
        sales.add("deals", name=name, amount=amount, stage=stage["id"])
        for name, amount in (("A", 100), ("B", 300), ("C", 200))
    ]
    page = home(ada, sales)
    assert page.texts("#card-15 li") == ["B €3.00", "C €2.00"]
    assert page.texts("#card-16 thead th") == ["Name", "Stage", "Amount"]
    assert page.texts("#card-16 tbody tr") == ["A Talk €1.00", "B Talk €3.00", "C Talk €2.00"]
    assert page.html.select("#card-15 li a")[0]["href"] == f"{base(sales)}/deals/{made[1]['id']}?in=deals"
    assert ada.get(page.html.select("#card-16 tbody th a")[0]["href"]).status == 200


def test_a_funnel_counts_each_step_in_order_with_its_share_of_the_first(ada: Browser, sales: Installed) -> None:
    late, early = sales.add("stages", name="Late", position=2), sales.add("stages", name="Early", position=1)
    for status, stage in (
        ("open", early),
        ("open", early),
        ("won", early),
        ("won", late),
        ("open", None),
        ("open", early),
    ):
        sales.add("deals", name="A", status=status, **({"stage": stage["id"]} if stage else {}))
    page = home(ada, sales)
    assert bars(page, 17) == ["Open 4 100%", "Signed 2 50%", "Lost 0 0%"]
    assert bars(page, 18) == ["Early 4 100%", "Late 1 25%"]
    assert "1 in no step" in text_of(page, 18)


def test_each_figure_leads_to_its_list_narrowed_where_filters_can_say_it(ada: Browser, sales: Installed) -> None:
    sales.add("deals", name="Going")
    sales.add("deals", name="Done", status="won")
    page = home(ada, sales)
    [link] = [a["href"] for a in page.html.select(".stat h2 a") if a.text == "Open deals"]
    assert link == f"{base(sales)}/deals?f.status=open"
    assert ada.get(link).texts("#records tbody .row-link") == ["Going"]
    signed = page.html.select("#card-10 .bar-list a")[1]["href"]
    assert ada.get(signed).texts("#records tbody .row-link") == ["Done"]


@pytest.mark.parametrize(
    ("where", "query"),
    [
        ("{status: {in: [open, won]}}", "deals?f.status=open&f.status=won"),
        ("{status: {ne: won}}", "deals?f.status=open&f.status=lost"),
        ("{status: {nin: [open]}}", "deals?f.status=won&f.status=lost"),
        ("{status: won}", "signed"),  # a list holds exactly this
        ("{hot: true, status: open}", "deals?f.hot=true&f.status=open"),
        ("{hot: {ne: true}}", "deals"),  # includes those that say nothing, which no filter can
        ("{owner: {is: null}}", "deals?f.owner=none"),
        ("{stage: {is: not_null}}", "deals"),
        ("{due: {gte: 2026-01-01, lt: 2026-02-01}}", "deals?f.due.from=2026-01-01&f.due.to=2026-01-31"),
        ("{due: {gt: 2026-01-01}}", "deals?f.due.from=2026-01-02"),
        ("{due: 2026-01-01}", "deals?f.due.from=2026-01-01&f.due.to=2026-01-01"),
        ("{all: [{status: {ne: won}}, {status: {ne: lost}}]}", "deals"),
        ("{any: [{status: won}, {hot: true}]}", "deals"),
        ("{amount: {gte: 100}, status: open}", "deals"),
        ("{closed: {gte: 2026-01-01T00:00:00Z}}", "deals"),  # days of a list begin where its viewer is
    ],
)
def test_a_list_is_narrowed_by_what_its_filters_can_say(
    ada: Browser, agency: Agency, site: Site, where: str, query: str
) -> None:
    sales = put_on_site(agency, site, SALES.replace("of: notes}]", f"of: deals, where: {where}}}]"))
    [link] = ada.get(f"{base(sales)}/few").html.select(".stat h2 a")
    assert link["href"] == f"{base(sales)}/{query}"
    assert ada.get(link["href"]).status == 200


# -- who sees what


def test_cards_of_tables_a_role_may_not_read_are_left_out(
    mel: Browser, mel_person: Person, ada: Browser, sales: Installed
) -> None:
    sales.give_role(mel_person, "caller")
    page = home(mel, sales)
    assert "Notes" not in figures(page)
    assert (labels(page).count("Deals by stage"), labels(home(ada, sales)).count("Deals by stage")) == (1, 2)
    assert page.texts(".segments a") == ["Overview", "Signed", "Deals"]
    assert mel.get(f"{base(sales)}/few").status == 404
    stage = sales.add("stages", name="Secret stage")
    sales.add("deals", name="A", stage=stage["id"])
    page = home(mel, sales)
    assert "Secret stage" not in page.text  # the name of a record they may not read
    assert bars(page, 11) == [f"Stage {stage['id'][-6:]} 1"]


def test_a_role_with_none_of_the_tables_has_no_such_dashboard(
    mel: Browser, mel_person: Person, sales: Installed
) -> None:
    sales.give_role(mel_person, "stager")
    assert home(mel, sales).status == 404
    assert mel.get(base(sales)).where == f"{base(sales)}/stages"


def test_a_role_that_sees_own_records_counts_only_those(mel: Browser, mel_person: Person, sales: Installed) -> None:
    sales.give_role(mel_person, "seller")
    sales.add("deals", name="Others'", amount=100)
    sales.add("deals", name="Mine", amount=300, owner=str(mel_person.id))
    page = home(mel, sales)
    assert (figures(page)["Amount in all"], bars(page, 10)[0]) == ("€3.00", "Open €3.00")
    assert page.texts("#card-15 li") == ["Mine €3.00"]


def test_the_records_of_other_sites_are_not_counted(ada: Browser, world, agency: Agency, sales: Installed) -> None:
    put_on_site(agency, world.site(agency), SALES).add("deals", name="Elsewhere")
    assert figures(home(ada, sales))["Open deals"] == "0"


def test_another_agency_and_a_plain_viewer(olga: Browser, vic: Browser, sales: Installed) -> None:
    assert home(olga, sales).status == 404
    assert home(vic, sales).status == 200


# -- when a card fails


def test_a_card_that_takes_too_long_says_so_and_the_others_stay(
    ada: Browser, sales: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales.add("deals", name="A")
    through = reads.list_statement

    def slow(model, access, site_id, query):
        text, values = through(model, access, site_id, query)
        return (f"SELECT d.* FROM pg_sleep(5), LATERAL ({text}) d", values) if query.limit == 2 else (text, values)

    monkeypatch.setattr(reads, "list_statement", slow)
    monkeypatch.setattr(dashboards, "LEAST_MS", 150)
    monkeypatch.setattr(dashboards, "MOST_MS", 150)
    page = home(ada, sales)
    assert (page.status, page.texts(".dash-failed")) == (
        200, ["This took too long to work out. Its list still shows the records."],
    )  # fmt: skip
    assert "too long" in text_of(page, 15)
    assert figures(page)["Open deals"] == "1"
    assert bars(page, 17)[0] == "Open 1 100%"
    assert page_faults(page.text, ada.app) == []


def test_a_sum_that_is_too_large_fails_alone(ada: Browser, agency: Agency, site: Site) -> None:
    board = SALES.replace("number: sum(takes)", "number: sum(takes * 9000000000000000000)")
    sales = put_on_site(agency, site, board)
    sales.add("deals", name="A", takes=100)
    page = home(ada, sales)
    assert page.texts(".dash-failed") == ["The figure is too large to be shown."]
    assert figures_of_rest(page)["Open deals"] == "1"


def figures_of_rest(page: Page) -> dict[str, str]:
    return {
        card.h2.get_text(strip=True): value.get_text(" ", strip=True)
        for card in page.html.select(".stat")
        if (value := card.select_one(".stat-value"))
    }


# -- what it costs


def test_all_cards_cost_the_same_for_any_number_of_records_in_two_round_trips(
    ada: Browser, ada_person: Person, sales: Installed, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[int] = []
    through = scoped.exchange_apart

    def counted(connection, before, groups):
        trips.append(len(groups))
        return through(connection, before, groups)

    monkeypatch.setattr(scoped, "exchange_apart", counted)
    cost = []
    for more in (1, 5):
        for number in range(more):
            stage = sales.add("stages", name=f"S {number}")
            sales.add(
                "deals", name="A", amount=1, paid=2, stage=stage["id"], owner=str(ada_person.id), due="2026-11-03"
            )
        trips.clear()
        with statements.of_modules() as sent:
            home(ada, sales)
        cost.append((len(sent), tuple(trips)))
    assert (
        cost[0] == cost[1] == (19 + 3, (19, 1))
    )  # a statement a card, the currencies and the steps of two, the titles of one


# -- expressions


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("count", "2"), ("count(amount)", "2"), ("sum(amount)", "€4.00"), ("avg(amount)", "€2.00"), ("min(amount)", "€1.00"),
        ("max(amount * 2)", "€6.00"), ("sum(expected)", "€2.00"), ("avg(amount * chance / 100)", "€1.00"),
        ("sum(weight)", "3.75"), ("avg(weight * 2)", "3.75"), ("sum(amount) ", "€4.00"), ("avg(takes)", "0:45"),
        ("max(closed)", "–"), ("min(due)", "1 Nov 2026"), ("sum(amount / amount)", "2"), ("avg(round(amount / 3))", "€0.67"),
        ("sum(coalesce(paid, amount))", "€4.00"), ("avg(chance + 1)", "51%"), ("count(hot)", "0"), ("sum(-amount)", "-€4.00"),
        ("sum(case when amount > 150 then amount else 0 end)", "€3.00"), ("sum(length(name))", "2"),
        ("max(created_at - created_at)", "0:00"),
    ],
)  # fmt: skip
def test_what_the_checks_accept_is_computed(
    ada: Browser, agency: Agency, site: Site, expression: str, shown: str
) -> None:
    board = SALES.replace("{number: count, of: notes}]", f'{{number: "{expression}", of: deals, label: It}}]')
    load_manifest(board)
    sales = put_on_site(agency, site, board)
    sales.add("deals", name="A", amount=100, chance="50", weight="1.25", takes=1800, due=date(2026, 11, 1).isoformat())
    sales.add("deals", name="B", amount=300, chance="50", weight=str(Decimal("2.5")), takes=3600, due="2026-12-01")
    assert figures(ada.get(f"{base(sales)}/few")) == {"It": shown}
