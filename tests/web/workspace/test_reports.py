"""Reports of modules: groups with subtotals, totals, charts, what they lead to, the file; to whom, and what they cost."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from app.tenancy.models import Agency, Site
from app.workspace import report_reads
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

SALES = """
manifest: 1
slug: sales
name: Sales
summary: Deals and what they bring.
version: 1.0.0
type: app
tables:
  stages:
    label: {one: Stage, many: Stages}
    title: name
    fields:
      name: {type: text, required: true}
  deals:
    label: {one: Deal, many: Deals}
    title: name
    fields:
      name:     {type: text, required: true, search: true}
      status:   {type: enum, options: [open, won, lost], default: open, required: true, labels: {won: Signed}}
      stage:    {type: ref, to: stages, on_delete: set_null}
      amount:   {type: money}
      paid:     {type: money, currency: coin}
      coin:     {type: text}
      chance:   {type: percent}
      takes:    {type: duration}
      city:     {type: text}
      hot:      {type: boolean}
      owner:    {type: user}
      due:      {type: date}
      closed:   {type: datetime}
views:
  months:
    type: report
    table: deals
    label: By month
    group: [due/month]
    metrics: [sum(amount), avg(amount), count]
    chart: line
    filters: [status, due]
  stages_of:
    type: report
    table: deals
    label: By stage
    group: [status, stage]
    metrics: [count, sum(amount), avg(amount * chance / 100)]
    chart: bar
    filters: [owner, status]
  deep:     {type: report, table: deals, group: [status, city, owner], metrics: [sum(amount)]}
  coins:    {type: report, table: deals, group: [status], metrics: [sum(paid), count], chart: bar}
  by_coin:  {type: report, table: deals, group: [coin], metrics: [sum(paid)]}
  cities:
    type: report
    table: deals
    group: [city]
    metrics: [count, max(due), sum(takes)]
    chart: line
    where: {status: {ne: lost}}
  weeks:    {type: report, table: deals, group: [closed/week, hot], metrics: [count], chart: bar}
  deals:    {type: list, table: deals, columns: [name, status], filters: [status], search: true}
menu: [months, stages_of, deep, coins, by_coin, cities, weeks, deals, stages]
roles:
  seller: {label: Seller, tables: {deals: [read], stages: [read]}, rows: {deals: own}}
  caller: {label: Caller, tables: {deals: [read]}}
  stager: {label: Stager, tables: {stages: [read]}}
"""


@pytest.fixture
def sales(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, SALES)


def at(module: Installed, name: str) -> str:
    return f"/installs/{module.public_id}/records/{name}"


def table(page: Page) -> list[list[str]]:
    """The lines of the report, the total last, each its label and figures."""
    rows = page.html.select("#report tbody tr, #report tfoot tr")
    return [[" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")] for row in rows]


def links(page: Page) -> dict[str, str]:
    return {link.get_text(strip=True): str(link["href"]) for link in page.html.select("#report .row-link")}


def file(person: Browser, module: Installed, name: str, query: str = "") -> list[list[str]]:
    answer = person.get(f"{at(module, name)}/export.csv{query}")
    assert answer.status == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_a_report_by_month_has_a_line_for_each_in_the_order_of_time_and_a_total(ada: Browser, sales: Installed) -> None:
    for amount, due in ((1000, "2026-11-03"), (3000, "2026-11-20"), (8000, "2026-01-09"), (None, None)):
        sales.add("deals", name="A", **({"amount": amount, "due": due} if due else {}))
    page = ada.get(at(sales, "months"))
    assert page.texts("#report thead th") == ["Due (month)", "Amount in all", "Amount on average", "Deals"]
    assert table(page) == [
        ["Jan 2026", "€80.00", "€80.00", "1"],
        ["Nov 2026", "€40.00", "€20.00", "2"],
        ["None", "€0.00", "–", "1"],
        ["Total", "€120.00", "€40.00", "4"],  # the average of deals, not of months
    ]
    assert page.texts(".result-bar p") == ["4 deals"]
    assert page_faults(page.text, ada.app) == []
    assert len(page.html.select("#picture .ch-data tbody tr")) == 11  # also the months without
    assert page.html.select("#picture .ch-data tbody td")[1].get_text() == "€0.00"


def test_groups_of_two_levels_have_subtotals_and_names_people_know(ada: Browser, sales: Installed) -> None:
    late, early = sales.add("stages", name="Offer"), sales.add("stages", name="<b>Talk</b>")
    sales.add("deals", name="A", amount=1000, chance="50", stage=late["id"])
    sales.add("deals", name="B", amount=2000, chance="10", stage=early["id"])
    sales.add("deals", name="C", amount=3000, chance="20", stage=early["id"])
    sales.add("deals", name="D", amount=5000, chance="100", status="won")
    page = ada.get(at(sales, "stages_of"))
    assert page.texts("#report thead th") == [
        "Status · Stage",
        "Deals",
        "Amount in all",
        "Average of amount × chance / 100",
    ]
    assert table(page) == [
        ["Open", "3", "€60.00", "€4.33"],
        ["<b>Talk</b>", "2", "€50.00", "€4.00"],
        ["Offer", "1", "€10.00", "€5.00"],
        ["Signed", "1", "€50.00", "€50.00"],
        ["None", "1", "€50.00", "€50.00"],
        ["Total", "4", "€110.00", "€15.75"],
    ]
    assert page.texts("#picture .bar-list li") == ["Open 3", "Signed 1"]
    assert page_faults(page.text, ada.app) == []


def test_three_levels_and_what_is_left_out_of_each_is_said(ada: Browser, ada_person: Person, sales: Installed) -> None:
    for number in range(8):
        for _ in range(2 if number == 7 else 1):
            sales.add("deals", name="A", amount=100, city=f"City {number}", owner=str(ada_person.id))
    found = table(ada.get(at(sales, "deep")))
    assert found[:4] == [["Open", "€9.00"], ["City 7", "€2.00"], ["Ada Bright", "€2.00"], ["City 0", "€1.00"]]
    assert found[-2:] == [["and 2 more"], ["Total", "€9.00"]]


def test_of_many_groups_the_largest_are_shown_and_the_total_is_of_all(
    ada: Browser, sales: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(report_reads.MOST, 1, (3,))
    for number in range(5):
        sales.add("deals", name="A", city=f"City {number}", takes=60 * number)
    sales.add("deals", name="A", city="City 4")
    page = ada.get(at(sales, "cities"))
    assert [row[:2] for row in table(page)] == [["City 4", "2"], ["City 0", "1"], ["City 1", "1"], ["Total", "6"]]
    assert "3 of 5 groups are shown, the largest; the total is of all of them." in page.text
    assert table(ada.get(at(sales, "cities") + "?sort=-m3"))[0] == ["City 4", "2", "–", "0:04"]
    assert "3 of 5 groups are shown, the smallest" in ada.get(at(sales, "cities") + "?sort=m3").text


def test_the_last_months_are_shown_of_too_many(ada: Browser, sales: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(report_reads.MOST, 1, (2,))
    for month in (1, 3, 9):
        sales.add("deals", name="A", due=f"2026-{month:02}-01")
    page = ada.get(at(sales, "months"))
    assert [row[0] for row in table(page)] == ["Mar 2026", "Sep 2026", "Total"]
    assert "2 of 3 groups are shown, the latest" in page.text


def test_amounts_of_several_currencies_stand_below_each_other(ada: Browser, sales: Installed) -> None:
    for paid, coin, status in ((500, "USD", "open"), (700, None, "open"), (300, "eur ", "won"), (0, "USD", "won")):
        sales.add("deals", name="A", paid=paid, status=status, **({"coin": coin} if coin else {}))
    page = ada.get(at(sales, "coins"))
    assert table(page) == [["Open", "€7.00 $5.00", "2"], ["Signed", "€3.00", "2"], ["Total", "€10.00 $5.00", "4"]]
    assert "several currencies" in page.one("#picture").get_text()
    assert page.texts("#picture .segments a") == ["Paid in all", "Deals"]
    other = ada.get(at(sales, "coins") + "?metric=m2")
    assert other.texts("#picture .bar-list li") == ["Open 2", "Signed 2"]
    assert sorted(table(ada.get(at(sales, "by_coin")))) == [
        ["None", "€7.00"], ["Total", "€10.00 $5.00"], ["USD", "$5.00"], ["eur", "€3.00"],
    ]  # fmt: skip
    assert file(ada, sales, "coins") == [
        ["Status", "Paid in all (EUR)", "Paid in all (USD)", "Deals"],
        ["Open", "7.00", "5.00", "2"],
        ["Signed", "3.00", "", "2"],
        ["Total", "10.00", "5.00", "4"],
    ]


def test_amounts_that_there_is_no_room_for_are_not_left_out_without_a_word(
    ada: Browser, sales: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for coin in ("USD", "EUR", "SEK"):
        sales.add("deals", name="A", paid=500, coin=coin, status="open")
    monkeypatch.setattr(report_reads, "MOST_AMOUNTS", 3)
    assert ada.get(at(sales, "coins")).texts("tfoot td") == ["€5.00 SEK 5.00 $5.00", "3"]
    monkeypatch.setattr(report_reads, "MOST_AMOUNTS", 2)
    page = ada.get(at(sales, "coins"))
    assert "There are amounts in too many currencies" in page.one("#results").get_text()
    assert ada.get(at(sales, "coins") + "?f.status=won").status == 200


def test_a_column_sorts_and_the_address_keeps_it_through_filters(ada: Browser, sales: Installed) -> None:
    for name, amount, status in (("A", 100, "won"), ("B", 900, "lost"), ("C", 500, "open")):
        sales.add("deals", name=name, amount=amount, status=status)
    where = at(sales, "stages_of")
    assert [row[0] for row in table(ada.get(where))][::2] == ["Open", "Signed", "Lost", "Total"]
    page = ada.get(where + "?sort=-m2&metric=m2&f.status=won&f.status=lost")
    assert [row[0] for row in table(page)][::2] == ["Lost", "Signed", "Total"]
    assert page.one("th[aria-sort=descending]").get_text(strip=True) == "Amount in all"
    assert page.one("#list-filters input[name=sort]")["value"] == "-m2"
    assert page.one("#picture .segments [aria-current]").get_text() == "Amount in all"
    assert page.texts(".chip") == ["Status: Signed remove this filter", "Status: Lost remove this filter"]
    assert [row[0] for row in table(ada.get(where + "?sort=-group"))][::2] == ["Lost", "Signed", "Open", "Total"]
    assert page_faults(page.text, ada.app) == []


@pytest.mark.parametrize(
    "query",
    [
        "sort=nothing",
        "sort=-m99&metric=m99",
        "metric=",
        "f.status=no&f.due.from=never",
        "cursor=x&limit=7&in=a",
        "sort=%00",
    ],
)
def test_what_an_address_says_wrongly_is_ignored(ada: Browser, sales: Installed, query: str) -> None:
    sales.add("deals", name="A", amount=100)
    page = ada.get(f"{at(sales, 'stages_of')}?{query}")
    assert (page.status, [row[0] for row in table(page)]) == (200, ["Open", "None", "Total"])


# -- where lines lead


def test_a_line_leads_to_the_list_narrowed_to_it_and_by_the_filters_of_the_report(
    ada: Browser, ada_person: Person, sales: Installed
) -> None:
    stage = sales.add("stages", name="Talk")
    mine = {"owner": str(ada_person.id)}
    sales.add("deals", name="This", stage=stage["id"], **mine)
    sales.add("deals", name="Other stage", **mine)
    sales.add("deals", name="Nobody's", stage=stage["id"])
    found = links(ada.get(f"{at(sales, 'stages_of')}?f.owner=me"))
    assert found["Talk"] == f"{at(sales, 'deals')}?f.status=open&f.stage={stage['id']}&f.owner=me"
    assert ada.get(found["Talk"]).texts("#records tbody .row-link") == ["This"]
    assert ada.get(found["None"]).texts("#records tbody .row-link") == ["Other stage"]


def test_a_month_leads_to_its_days_as_far_as_the_report_goes(ada: Browser, sales: Installed) -> None:
    for due in ("2026-11-03", "2026-11-20", "2026-12-01"):
        sales.add("deals", name=due, due=due)
    found = links(ada.get(f"{at(sales, 'months')}?f.due.from=2026-11-10"))
    assert found["Nov 2026"] == f"{at(sales, 'deals')}?f.due.from=2026-11-10&f.due.to=2026-11-30"
    assert ada.get(found["Nov 2026"]).texts("#records tbody .row-link") == ["2026-11-20"]


def test_weeks_of_moments_lead_to_a_list_only_where_its_days_begin_alike(
    ada: Browser, world: Any, agency: Agency, sales: Installed
) -> None:
    alike = put_on_site(agency, world.site(agency, time_zone="UTC"), SALES)  # as the viewer's
    tokyo = put_on_site(agency, world.site(agency, time_zone="Asia/Tokyo"), SALES)
    for module in (alike, tokyo):
        module.add("deals", name="A", closed="2026-11-08T20:30:00Z", hot=True)
    page = ada.get(at(alike, "weeks"))
    assert table(page) == [["2 Nov 2026", "1"], ["Yes", "1"], ["Total", "1"]]
    assert links(page)["2 Nov 2026"] == f"{at(alike, 'deals')}?f.closed.from=2026-11-02&f.closed.to=2026-11-08"
    assert ada.get(links(page)["Yes"]).texts("#records tbody .row-link") == ["A"]
    page = ada.get(at(tokyo, "weeks"))
    assert (table(page)[0], links(page)) == (["9 Nov 2026", "1"], {})


def test_groups_no_filter_can_say_lead_nowhere(ada: Browser, sales: Installed) -> None:
    sales.add("deals", name="A", city="Lisbon")
    assert links(ada.get(at(sales, "cities"))) == {}
    assert links(ada.get(at(sales, "deep")))["Open"] == f"{at(sales, 'deals')}?f.status=open"


def test_the_last_day_there_is_can_be_grouped(ada: Browser, agency: Agency, site: Site) -> None:
    sales = put_on_site(agency, site, SALES.replace("group: [closed/week, hot]", "group: [due/year, hot]"))
    sales.add("deals", name="Never", due="9999-12-31")
    assert table(ada.get(at(sales, "weeks"))) == [["9999", "1"], ["None", "1"], ["Total", "1"]]


# -- the file


def test_the_file_holds_what_is_shown_and_no_formulas(ada: Browser, sales: Installed) -> None:
    stage = sales.add("stages", name="=1+1")
    sales.add("deals", name="A", amount=1050, stage=stage["id"], chance="50")
    sales.add("deals", name="B", amount=-200, status="won")
    assert file(ada, sales, "stages_of", "?f.status=open") == [
        ["Status", "Stage", "Deals", "Amount in all (EUR)", "Average of amount × chance / 100 (EUR)"],
        ["Open", "", "1", "10.50", "5.25"],
        ["Open", "'=1+1", "1", "10.50", "5.25"],
        ["Total", "", "1", "10.50", "5.25"],
    ]
    page = ada.get(f"{at(sales, 'stages_of')}?f.status=open&sort=m1")
    [link] = [a["href"] for a in page.html.select("a[download]")]
    assert ada.get(link).text.count("\n") == 4


def test_the_file_is_for_people_who_may_export(
    ada: Browser, vic: Browser, mel: Browser, mel_person: Person, olga: Browser, sales: Installed
) -> None:
    sales.add("deals", name="A")
    assert vic.get(f"{at(sales, 'months')}/export.csv").status == 403
    assert vic.get(at(sales, "months")).html.select("a[download]") == []
    assert olga.get(f"{at(sales, 'months')}/export.csv").status == 404
    sales.give_role(mel_person, "stager")
    assert mel.get(f"{at(sales, 'months')}/export.csv").status == 404


# -- who sees what


def test_a_role_that_sees_own_records_gets_figures_of_those(mel: Browser, mel_person: Person, sales: Installed) -> None:
    sales.give_role(mel_person, "seller")
    sales.add("deals", name="Others'", amount=100)
    sales.add("deals", name="Mine", amount=300, owner=str(mel_person.id))
    assert table(mel.get(at(sales, "stages_of")))[-1] == ["Total", "1", "€3.00", "–"]


def test_the_names_of_records_a_role_may_not_read_stay_hidden(
    mel: Browser, mel_person: Person, sales: Installed
) -> None:
    sales.give_role(mel_person, "caller")
    stage = sales.add("stages", name="Secret stage")
    sales.add("deals", name="A", stage=stage["id"])
    page = mel.get(at(sales, "stages_of"))
    assert "Secret stage" not in page.text
    assert table(page)[1][0] == f"Stage {stage['id'][-6:]}"


def test_another_agency_a_viewer_and_a_role_without_the_table(
    olga: Browser, vic: Browser, mel: Browser, mel_person: Person, sales: Installed
) -> None:
    sales.give_role(mel_person, "stager")
    assert (olga.get(at(sales, "months")).status, vic.get(at(sales, "months")).status) == (404, 200)
    assert mel.get(at(sales, "months")).status == 404


def test_a_report_of_another_site_counts_only_its_own(
    ada: Browser, world: Any, agency: Agency, sales: Installed
) -> None:
    put_on_site(agency, world.site(agency), SALES).add("deals", name="Elsewhere")
    page = ada.get(at(sales, "months"))
    assert "No figures yet" in page.text
    sales.add("deals", name="A")
    assert "Nothing matches" in ada.get(at(sales, "months") + "?f.status=won").text


# -- what it costs, and when it fails


def test_a_report_costs_the_same_for_any_number_of_records(
    ada: Browser, sales: Installed, statements: Statements
) -> None:
    cost = {}
    for more in (1, 30):
        for number in range(more):
            stage = sales.add("stages", name=f"S {number}")
            sales.add("deals", name="A", amount=1, paid=2, coin="USD", stage=stage["id"], city=f"C {number}")
        for name in ("months", "stages_of", "deep", "coins"):
            ada.get(at(sales, name))  # the filters' choices are read beside it
            with statements.of_modules() as sent:
                ada.get(at(sales, name))
            cost.setdefault(name, set()).add(len(sent))
    assert {name: len(found) for name, found in cost.items()} == dict.fromkeys(cost, 1), cost


def test_a_report_that_takes_too_long_or_is_too_large_says_so(
    ada: Browser, agency: Agency, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = put_on_site(agency, site, SALES.replace("sum(takes)", "sum(takes * 9000000000000000000)"))
    sales.add("deals", name="A", takes=100)
    page = ada.get(at(sales, "cities"))
    assert (page.status, page.texts(".callout-title")) == (200, ["A figure is too large to be shown"])
    assert ada.get(f"{at(sales, 'cities')}/export.csv").status == 503
    assert page_faults(page.text, ada.app) == []
