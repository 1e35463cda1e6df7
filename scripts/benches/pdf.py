"""An invoice as PDF, from the document to the file, as a multiple of the bare compile (1.5)."""

import argparse
import time
from functools import partial
from statistics import median
from typing import Any

from proman.billing.letter import invoices_pdf
from proman.web import pdf
from tests.billing.documents import make_document, make_line, make_logo

BUDGET = 1.5


def measure(arguments: list[str]) -> None:
    """Turn about: one invoice made whole, then its very data compiled again with another number.

    The bare compile gets what ProMan hands to typst; the rest of ProMan's time is words, amounts,
    the payment code and the logo. The first of each kind is not counted.
    """
    parser = argparse.ArgumentParser(prog="scripts/bench pdf", description=__doc__)
    parser.add_argument("--invoices", type=int, default=100)
    wanted = parser.parse_args(arguments)
    compiled: list[Any] = []
    bare_compile = pdf._compile

    def kept(template: str, inputs: dict[str, str], moment: Any, *, archival: bool) -> bytes:
        compiled[:] = [template, inputs, moment]
        return bare_compile(template, inputs, moment, archival=archival)

    pdf._compile = kept
    whole, bare = [], []
    for number in range(wanted.invoices + 1):
        whole.append(_seconds(partial(_whole, number)))
        template, inputs, moment = compiled
        other = {"data": inputs["data"].replace("2027-", "2028-")}
        again = partial(bare_compile, template, other, moment, archival=True)
        bare.append(_seconds(again))
    pdf._compile = bare_compile
    took, least = median(whole[1:]) * 1000, median(bare[1:]) * 1000
    verdict = "" if took / least <= BUDGET else f"  above {BUDGET}"
    print(f"{took:.1f} ms, the bare compile {least:.1f} ms: {took / least:.2f} ×{verdict}")


def _whole(number: int) -> bytes:
    lines = (make_line(), make_line(5000, 19000, 950, description="Parking space"))
    return invoices_pdf([make_document(*lines, number=f"2027-{number:05d}", logo=make_logo())])


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
