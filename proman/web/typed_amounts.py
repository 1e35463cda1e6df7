"""Amounts typed in rows: a field for each document, named by the document's id."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proman.base.errors import Refused
from proman.base.money import parse_amount


@dataclass
class TypedAmounts:
    """Amounts typed for documents, by the id in the name of their field (`deposit-12`)."""

    prefix: str
    values: dict[int, int] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, str], prefix: str, currency: str) -> "TypedAmounts":
        """What was typed; what is no amount is an error of its field."""
        typed = cls(prefix)
        for name, text in data.items():
            match = re.fullmatch(rf"{prefix}-(\d{{1,15}})", name)
            if match is None or not text.strip():
                continue
            key = int(match[1])
            typed.texts[key] = text
            try:
                typed.values[key] = parse_amount(text, currency).minor
            except Refused as refusal:
                typed.errors[key] = refusal.message
        return typed

    def refuse(self, refusal: Refused) -> bool:
        """Put a refusal beside its field; says whether it belongs to one of these."""
        match = re.fullmatch(r"[a-z]+-(\d+)", refusal.field or "")
        if match is None or int(match[1]) not in self.texts:
            return False
        self.errors[int(match[1])] = refusal.message
        return True
