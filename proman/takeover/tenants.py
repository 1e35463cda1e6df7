"""Plans the tenants of rows: only an e-mail makes two of them the same person."""

from proman.takeover.cells import Reader
from proman.takeover.people import is_company, split_people
from proman.takeover.plan import PlannedTenant
from proman.takeover.words import languages, plain


class People:
    """Tenants as they are met; `of_row` gives the keys of those who sign a row's lease."""

    def __init__(self, reader: Reader, language: str) -> None:
        self.reader = reader
        self.planned: list[PlannedTenant] = []
        self._by_email: dict[str, PlannedTenant] = {}
        spoken = [each for each in languages() if each.code in (language, "en")]
        words = {"und", "and", "et"} | {word for each in spoken for word in each.conjunctions}
        self._conjunctions = tuple(sorted(words))

    def names(self) -> tuple[str, ...]:
        """The names in the row's cells, in their order."""
        reader = self.reader
        whole = reader.text("tenant")
        last, first = reader.text("last_name"), reader.text("first_name")
        if not whole and (last or first):
            whole = f"{first} {last}".strip()
        elif whole and first and not reader.heading("last_name"):
            whole = f"{first} {whole}"
        second = reader.text("second_tenant")
        cells = (whole, "" if plain(second) in ("", "na", "none") else second)
        return tuple(name for cell in cells for name in split_people(cell, self._conjunctions))

    def of_row(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Plan the named tenants; the e-mail and the phone are the first one's."""
        reader = self.reader
        emails = reader.emails()
        if len(emails) > 1 and len(emails) != len(names):
            reader.fault(
                "email",
                f"{len(emails)} e-mail addresses stand beside {len(names)} tenant"
                f"{'s' if len(names) != 1 else ''}; which belongs to whom is not told.",
            )
            emails = ()
        keys: list[int] = []
        for position, name in enumerate(names):
            email = emails[position] if position < len(emails) else None
            key = self._one(name, email, reader.text("phone") if position == 0 else "")
            if key in keys:
                reader.fault("tenant", f"{name} is named twice.")
                continue
            keys.append(key)
        return tuple(keys)

    def _one(self, name: str, email: str | None, phone: str) -> int:
        known = self._by_email.get(email) if email else None
        if known is not None:
            if plain(known.name) != plain(name):
                self.reader.fault(
                    "email",
                    f"{email} is the address of {known.name} in row {known.row} already; "
                    "an e-mail address identifies one person.",
                )
            return known.key
        there = self.reader.setting.existing.tenants.get(email or "")
        if there and plain(there) != plain(name):
            self.reader.note("email", f"{email} belongs to {there}, who becomes the tenant.")
        kind = "company" if is_company(name) else "person"
        row = self.reader.row.number
        tenant = PlannedTenant(len(self.planned), row, name, kind, email, phone)
        self.planned.append(tenant)
        if email:
            self._by_email[email] = tenant
        return tenant.key
