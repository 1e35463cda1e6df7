"""What a manager sends: a file, what its columns hold, and the answers to questions."""

from typing import Any

from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired

from proman.base.errors import Refused
from proman.takeover.answers import answered, check
from proman.takeover.headings import LABELS
from proman.takeover.mapping import Mapping
from proman.takeover.plan import Question
from proman.takeover.sheets import Sheet
from proman.takeover.texts import DELIMITERS, ENCODINGS
from proman.web.forms import ChoiceField, DayField, Form, as_choices

WORDS = {
    "dmy": "Day first: 31/10/2026",
    "mdy": "Month first: 10/31/2026",
    "point": "A point: 1,234.50",
    "comma": "A comma: 1.234,50",
    "positive_owed": "Above nil is owed by the tenant, below nil is credit",
    "negative_owed": "Below nil is owed by the tenant, above nil is credit",
    "weekly": "Every week",
    "fortnightly": "Every two weeks",
    "four_weekly": "Every four weeks",
    "monthly": "Every month",
    "quarterly": "Every quarter",
    "half_yearly": "Every half-year",
    "yearly": "Every year",
    "calendar": "Calendar months, quarters or years",
    "anniversary": "From each lease’s own first day (anniversary)",
    "property": "The property of the rows below",
    "ignore": "Not to be taken over",
    "current": "Let, the lease runs",
    "holdover": "Let, past the agreed last day (holding over)",
    "vacant": "Vacant",
    "future": "A lease that begins later",
    "ended": "A lease that has ended",
}
NAMES = {
    "cut_over": "Cut-over date",
    "date_order": "Order of dates",
    "decimal": "Decimal sign",
    "balance_sign": "Sign of balances",
    "property": "Property",
    "frequency": "How often rent is paid",
    "periods": "Periods",
    "due": "Due day",
    "group_rows": "Rows with one cell",
    "sheet": "Sheet",
}
MANY = 10


class UploadForm(Form):
    """The rent roll to be taken over."""

    file = FileField("Rent roll", [FileRequired("Choose a file: CSV, TSV or XLSX.")])


class ReadingForm(Form):
    """How the file is read, where what was found out is wrong."""

    encoding = ChoiceField("Characters", choices=[(each, each) for each in ENCODINGS])
    delimiter = ChoiceField("Columns are parted by", choices=[(each, each) for each in DELIMITERS])
    header_row = StringField("Row of the headings", [InputRequired("Give a row’s number.")])

    def for_kind(self, kind: str) -> "ReadingForm":
        """The same form; a workbook has neither encoding nor delimiter."""
        if kind != "text":
            del self.encoding, self.delimiter
        return self

    def told(self) -> Mapping:
        """A mapping that says only how to read. Raises Refused."""
        text = (self.header_row.data or "").strip()
        if not text.isdecimal() or len(text) > 5 or not 1 <= int(text) <= 10_000:
            raise Refused("The row of the headings is a number, such as 3.", "header_row")
        if "encoding" not in self:
            return Mapping(header_row=int(text))
        return Mapping(
            encoding=self.encoding.data, delimiter=self.delimiter.data, header_row=int(text)
        )


def columns_of(form: "MultiDict[str, str] | ImmutableMultiDict[str, str]", sheet: Sheet) -> Any:
    """What each column holds, as chosen; what was not sent stays as it is. Raises Refused."""
    found: dict[str, str] = {}
    for index, heading in enumerate(sheet.header):
        target = form.get(f"column-{index}")
        if target is not None:
            found[heading] = check("columns", target)
    return found


def _words_of(question: Question, choice: str) -> str:
    if question.key.startswith("columns."):
        return LABELS[choice]
    return WORDS.get(choice, choice)


def _label(question: Question) -> str:
    """A short name of what is asked; the question itself stands below it."""
    kind, _, name = question.key.partition(".")
    return f"{'Column' if kind == 'columns' else 'Status'} “{name}”" if name else NAMES[kind]


def _field(question: Question) -> Any:
    """The field that a question is answered in; proposals stand in it and are confirmed."""
    needed = [InputRequired("This needs an answer.")]
    told: dict[str, Any] = {"description": question.question}
    if question.key == "cut_over":
        return DayField(_label(question), needed, **told)
    if question.is_free:
        only = question.choices[0] if len(question.choices) == 1 else None
        return StringField(_label(question), needed, default=only, **told)
    choices = [(choice, _words_of(question, choice)) for choice in question.choices]
    if len(choices) > MANY:
        return ChoiceField(_label(question), needed, choices=[("", "Choose…"), *choices], **told)
    return RadioField(_label(question), needed, choices=as_choices(choices), coerce=str, **told)


def questions_form(questions: tuple[Question, ...]) -> Form:
    """A form with a field for each open question, in their order."""
    fields = {f"q{n}": _field(question) for n, question in enumerate(questions)}
    kind = type("QuestionsForm", (Form,), fields)
    form: Form = kind()
    for n, question in enumerate(questions):
        if question.key == "cut_over" and not form.is_submitted() and question.choices:
            form[f"q{n}"].process_formdata([question.choices[0]])
    return form


def answers_of(form: Form, questions: tuple[Question, ...], mapping: Mapping) -> Mapping:
    """The mapping with every answer; a refusal is told beside its field and raised."""
    for n, question in enumerate(questions):
        data = form[f"q{n}"].data
        try:
            mapping = answered(mapping, question.key, str(data or ""))
        except Refused as refusal:
            form.refuse(Refused(refusal.message, f"q{n}"))
            raise
    return mapping
