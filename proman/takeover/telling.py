"""Tells a person or a program what an import found: lines for a terminal, JSON for the rest."""

import json
from typing import Any

from proman.base.money import decimal_string
from proman.takeover.plan import Fault, Outcome, Question
from proman.takeover.sheets import Sheet


def how_read(sheet: Sheet) -> str:
    """How the file was read, in one line."""
    how = f"{sheet.encoding}, {sheet.delimiter}" if sheet.kind == "text" else f"sheet {sheet.sheet}"
    return f"Read ({how}): headings in row {sheet.header_row}, {len(sheet.rows)} rows."


def place(fault: Fault) -> str:
    """“row 4, Rent: ”, or nothing for what concerns the whole file."""
    parts = ([f"row {fault.row}"] if fault.row else []) + ([fault.column] if fault.column else [])
    return f"{', '.join(parts)}: " if parts else ""


def told_question(question: Question) -> list[str]:
    """A question and its choices, for a terminal."""
    lines = [f"Question: {question.key}: {question.question}"]
    return lines + ([f"    choices: {', '.join(question.choices)}"] if question.choices else [])


def told_plan(outcome: Outcome) -> list[str]:
    """What would be made, by kind, and the sums to compare with the file."""
    if outcome.plan is None:
        return []
    plan = outcome.plan
    kinds = [f"  {n:>6} {kind.replace('_', ' ')}" for kind, n in plan.counts().items()]
    sums = ((kind, decimal_string(n, plan.currency)) for kind, n in plan.sums().items())
    return kinds + [f"  {kind}: {amount} {plan.currency}" for kind, amount in sums]


def told_json(outcome: Outcome, **more: Any) -> str:
    """The outcome as one JSON object: created, faults, questions, notes, and the sums."""

    def told(fault: Fault) -> dict[str, Any]:
        return {"row": fault.row, "column": fault.column, "message": fault.message}

    values: dict[str, Any] = {
        "created": {},
        "faults": [told(fault) for fault in outcome.faults],
        "questions": [
            {"key": each.key, "question": each.question, "choices": list(each.choices)}
            for each in outcome.questions
        ],
        "notes": [told(note) for note in outcome.notes],
    }
    if outcome.plan is not None:
        currency = outcome.plan.currency
        sums = {kind: decimal_string(n, currency) for kind, n in outcome.plan.sums().items()}
        values |= {"currency": currency, "sums": sums}
    return json.dumps(values | more, ensure_ascii=False)
