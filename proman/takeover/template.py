"""The template: a file whose columns need no map, with an example row."""

import csv
import io

HEADER = (
    "property street postal_code city country region unit floor bedrooms bathrooms area market_rent"
    " tenant second_tenant email phone first_day last_day rent frequency periods timing due"
    " charge:parking charge:service charge:heating charge:utilities charge:other tax_rate"
    " deposit owed credit reference status"
).split()
_EXAMPLE = {
    "property": "Lindenhof 3",
    "street": "Lindenhof 3",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "unit": "WE 01",
    "floor": "ground floor left",
    "bedrooms": "2",
    "bathrooms": "1.5",
    "area": "68.22",
    "market_rent": "850.00",
    "tenant": "Hanna Vargas",
    "second_tenant": "Mateo Costa",
    "email": "hanna@example.com",
    "phone": "030 1234567",
    "first_day": "2020-05-15",
    "last_day": "",
    "rent": "809.08",
    "frequency": "monthly",
    "periods": "calendar",
    "timing": "advance",
    "due": "workday:3",
    "charge:parking": "60.00",
    "charge:service": "158.27",
    "charge:heating": "100.96",
    "tax_rate": "0",
    "deposit": "2427.24",
    "owed": "0.00",
    "credit": "0.00",
    "status": "current",
}


def template() -> str:
    """The header and one example row as CSV; dates are ISO, the decimal sign is a point."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerow(_EXAMPLE)
    return stream.getvalue()
