"""Owns `flask billing run` and `flask billing late-fees`."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import click

from proman.base.commands import CommandGroup
from proman.base.errors import NotThere, Refused
from proman.base.money import decimal_string
from proman.billing import actions, queries
from proman.billing.late_runs import late_changes
from proman.billing.rules import Plan
from proman.database.readiness import on_ready_database
from proman.database.retrying import until_it_stands
from proman.db import begin_write, db
from proman.identity.models import Organization
from proman.identity.queries import organizations
from proman.identity.session import acting_for, today_in
from proman.ledger.locking import require_open


class Home(NamedTuple):
    """An organization that is billed, and its own today."""

    id: int
    name: str
    currency: str
    today: date


@click.group("billing", cls=CommandGroup)
def group() -> None:
    """Invoices from leases."""


@group.command("run")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day of issue; default: today, where the organization is.",
)
@click.option("--preview", is_flag=True, help="Show what would be issued; issue nothing.")
@click.option("--organization", "wanted", help="Its name; default: all of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@on_ready_database
def run(as_of: datetime | None, preview: bool, wanted: str | None, as_json: bool) -> None:
    """Issue what is due; running it again issues nothing."""
    day = as_of.date() if as_of else None
    homes = _homes(wanted)
    if not preview:
        _check_day(homes, day)
    elif day is not None:
        queries.refuse_far_day(day, min(home.today for home in homes))
    done = [_preview(home, day or home.today) if preview else _run(home, day) for home in homes]
    click.echo(_as_json(done) if as_json else "\n".join(_as_text(done, preview)))


@group.command("late-fees")
@click.option("--preview", is_flag=True, help="Show what would be charged; charge nothing.")
@click.option("--organization", "wanted", help="Its name; default: all of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@on_ready_database
def late_fees(preview: bool, wanted: str | None, as_json: bool) -> None:
    """Charge late invoices; running it late or again charges the same."""
    changes = [
        change
        for home in _homes(wanted)
        for change in late_changes(home.id, home.currency, home.today, preview=preview)
    ]
    if as_json:
        click.echo(json.dumps({"changes": changes}, ensure_ascii=False))
        return
    for one in changes:
        click.echo("{number}  lease {lease_id}  {amount} {currency}  {why}".format_map(one))
    click.echo(f"{len(changes)} {'to be ' if preview else ''}changed.")


def _homes(wanted: str | None) -> list[Home]:
    found = [_home(each) for each in organizations() if wanted in (None, each.name)]
    db.session.rollback()
    if wanted is not None and not found:
        raise NotThere(f"There is no organization named {wanted}.")
    return found


def _home(organization: Organization) -> Home:
    today = today_in(organization.time_zone)
    return Home(organization.id, organization.name, organization.currency, today)


def _check_day(homes: list[Home], day: date | None) -> None:
    """Refuse before the first organization is billed, so that all are or none is."""
    ahead = [home for home in homes if day is not None and day > home.today]
    if ahead:
        names = ", ".join(home.name for home in ahead)
        others = "; --organization bills another" if len(ahead) < len(homes) else ""
        raise Refused(
            f"{day} is in the future for {names}, where it is {ahead[0].today}, and nothing was "
            f"issued: it can be previewed (--preview), not issued{others}."
        )
    for home in homes:
        with acting_for(home.id):
            require_open(day or home.today)
            db.session.rollback()


def _run(home: Home, day: date | None) -> dict[str, Any]:
    def bill() -> actions.RunResult:
        begin_write()
        done = actions.run_billing(day or home.today, today=home.today, actor=actor)
        db.session.commit()
        return done

    with acting_for(home.id) as actor:
        result = until_it_stands(bill)
    invoices = [
        _invoice(home, i.id, i.number, i.lease_id, i.issue_date, i.due_date, i.total)
        for i in result.issued
    ]
    return _result(home, invoices, result.skipped, result.ended)


def _preview(home: Home, day: date) -> dict[str, Any]:
    with acting_for(home.id):
        plans = queries.plans(day)
    planned = queries.in_order([invoice for each in plans for invoice in each.invoices])
    invoices = [
        _invoice(home, None, None, i.lease_id, i.issue_date, i.due_date, i.total) for i in planned
    ]
    skipped = [each for each in plans if each.skipped is not None]
    ended = [each.lease_id for each in plans if each.ends_on is not None]
    return _result(home, invoices, skipped, ended)


def _invoice(
    home: Home,
    invoice_id: int | None,
    number: str | None,
    lease_id: int,
    issue_date: date,
    due_date: date,
    total: int,
) -> dict[str, Any]:
    return {
        "id": invoice_id,
        "number": number,
        "lease_id": lease_id,
        "issue_date": issue_date.isoformat(),
        "due_date": due_date.isoformat(),
        "total": decimal_string(total, home.currency),
        "currency": home.currency,
    }


def _result(
    home: Home, invoices: list[dict[str, Any]], skipped: Sequence[Plan], ended: Sequence[int]
) -> dict[str, Any]:
    left_out = [{"lease_id": each.lease_id, "reason": each.skipped} for each in skipped]
    return {
        "organization": home.name,
        "invoices": invoices,
        "skipped": left_out,
        "ended": list(ended),
    }


def _as_json(done: list[dict[str, Any]]) -> str:
    invoices = [invoice for each in done for invoice in each["invoices"]]
    skipped = [lease for each in done for lease in each["skipped"]]
    ended = [lease for each in done for lease in each["ended"]]
    found = {"issued": len(invoices), "invoices": invoices, "skipped": skipped, "ended": ended}
    return json.dumps(found, ensure_ascii=False)


def _as_text(done: list[dict[str, Any]], preview: bool) -> Iterator[str]:
    if not done:
        yield "There is no organization yet; nothing was issued."
    for each in done:
        for invoice in each["invoices"]:
            name = invoice["number"] or "to issue"
            yield (
                f"{name}  lease {invoice['lease_id']}  due {invoice['due_date']}"
                f"  {invoice['total']} {invoice['currency']}"
            )
        for lease_id in each["ended"]:
            word = "would end" if preview else "ended"
            yield f"lease {lease_id} {word}: its unit's next one has begun; the rest is credited"
        verb = "would be issued" if preview else "issued"
        yield (
            f"{each['organization']}: {len(each['invoices'])} invoices {verb},"
            f" {len(each['skipped'])} leases with nothing due."
        )
