import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pytest

from proman.base.errors import Refused
from proman.takeover.export import csv_chunks, export_to, header_of, value_text, zip_chunks
from proman.takeover.export_kinds import KINDS
from tests import factories
from tests.conftest import Cast

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {
    "properties": "id name type street postal_code city country region",
    "units": "id property_id label bedrooms bathrooms area market_rent",
    "tenants": "id name email phone",
    "leases": "id unit_id tenant_ids status first_day last_day ended_on cut_over frequency periods"
    " timing due_rule lead_days proration holding_over",
    "rents": "id lease_id from amount change tax_rate gross recorded_at",
    "charges": "id lease_id kind description amount from to tax_rate gross recurrence",
    "invoices": "id number kind series year sequence lease_id refers_to issue_date due_date net tax"
    " total open currency",
    "invoice_lines": "id invoice_id charge_id kind period_start period_end net tax_rate tax"
    " explanation",
    "payments": "id lease_id payment_group received_on method reference amount reversed_on",
    "allocations": "payment_id invoice_id amount effective_on",
    "deposits": "lease_id event on amount",
    "postings": "entry_id event effective_on recorded_at account lease_id property_id invoice_id"
    " debit credit",
}


def rows(kind: str, organization_ids: Iterable[int]) -> list[dict[str, str]]:
    chosen = next(each for each in KINDS if each.name == kind)
    text = b"".join(csv_chunks(chosen, organization_ids)).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_promised_columns_come_first_and_are_documented(kind: object) -> None:
    header = header_of(kind)  # type: ignore[arg-type]
    promised = PROMISED.get(kind.name, "").split()  # type: ignore[attr-defined]
    assert header[: len(promised)] == promised
    documented = (ROOT / "docs" / "export.md").read_text("utf-8")
    line = next(
        each
        for each in documented.splitlines()
        if each.startswith(f"| `{kind.name}.csv` |")  # type: ignore[attr-defined]
    )
    assert line.removesuffix(" |").endswith(" ".join(header))


def test_every_promised_kind_is_there() -> None:
    assert set(PROMISED) | {"organization"} <= {kind.name for kind in KINDS}


def test_the_form_of_values() -> None:
    assert value_text(48_387, "amount", "EUR") == "483.87"
    assert value_text(-500, "amount", "EUR") == "-5.00"
    assert value_text(500, "amount", "JPY") == "500"
    assert value_text(19_000, "rate", "EUR") == "19"
    assert value_text(8_875, "rate", "EUR") == "8.875"
    assert value_text(15, "tenths", "EUR") == "1.5"
    assert value_text(6_820, "hundredths", "EUR") == "68.2"
    assert value_text(True, "", "EUR") == "true"
    assert value_text(None, "amount", "EUR") == ""
    assert value_text(date(2026, 10, 31), "", "EUR") == "2026-10-31"
    assert value_text(datetime(2026, 10, 31, 12), "", "EUR") == "2026-10-31T12:00:00Z"


def test_what_is_exported_is_exact(home: Cast) -> None:
    tenants = [factories.make_tenant(name='Ann "A", Lee'), factories.make_tenant(name="=1+1")]
    lease = factories.make_lease(tenant_ids=tenants, rent=123_456, charges=[{"amount": 5}])
    here = [home.organization]
    exported = rows("leases", here)[0]
    assert exported["id"] == str(lease)
    assert exported["tenant_ids"] == " ".join(map(str, tenants))
    assert exported["first_day"] == "2026-01-01"
    assert (exported["last_day"], exported["due_rule"]) == ("", "day:1")
    assert [each["name"] for each in rows("tenants", here)] == ['Ann "A", Lee', "=1+1"]
    assert rows("rents", here)[0]["amount"] == "1234.56"
    assert rows("rents", here)[0]["currency"] == "EUR"
    assert rows("charges", here)[0]["amount"] == "0.05"
    assert rows("charges", here)[0]["to"] == ""


def test_each_organization_has_its_own_rows(home: Cast) -> None:
    factories.make_lease()
    assert rows("leases", [home.other_organization]) == []
    both = [home.organization, home.other_organization]
    assert {row["organization_id"] for row in rows("leases", both)} == {str(home.organization)}
    names = [row["name"] for row in rows("organization", both)]
    assert names == ["Harbour Homes", "Charlie's Courts"]


def test_a_file_takes_its_name_only_when_it_is_whole(home: Cast, tmp_path: Path) -> None:
    counts, missing = export_to(tmp_path / "deep" / "out", [home.organization])
    assert counts["organization"] == 1
    assert missing == []
    names = sorted(path.name for path in (tmp_path / "deep" / "out").iterdir())
    assert names == sorted(f"{kind.name}.csv" for kind in KINDS)
    export_to(tmp_path / "deep" / "out", [home.organization])
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be written"):
        export_to(tmp_path / "file" / "below", [home.organization])


def test_the_archive_holds_the_same(home: Cast) -> None:
    factories.make_lease()
    data = b"".join(zip_chunks(home.organization))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        text = archive.read("leases.csv").decode()
    assert list(csv.DictReader(io.StringIO(text))) == rows("leases", [home.organization])


def test_documents_come_along_and_one_that_is_lost_is_told(home: Cast, tmp_path: Path) -> None:
    lease = factories.make_lease()
    first = factories.make_document(lease, "Lease.txt", b"signed by both")
    lost = factories.make_document(lease, "Lost.txt", b"gone", sha256="0" * 64)
    told = [f"documents/{lost} Lost.txt"]
    counts, missing = export_to(tmp_path / "out", [home.organization])
    assert (counts["documents"], missing) == (2, told)
    assert (tmp_path / "out/documents" / f"{first} Lease.txt").read_bytes() == b"signed by both"
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_chunks(home.organization)))) as archive:
        assert archive.read(f"documents/{first} Lease.txt") == b"signed by both"
        assert archive.read("documents/missing.txt").decode().splitlines() == told
    assert list(zip_chunks(home.other_organization))
    assert rows("documents", [home.other_organization]) == []
