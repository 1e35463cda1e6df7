"""The refusals of the trade, told in sentences that a person can act on."""


class Refused(Exception):
    """What was asked cannot be done; `message` says why and, where it helps, what to do.

    `field` names the input that the message belongs to, or is None for the request as a whole.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NotThere(Exception):
    """Nothing of that kind exists for the one who asks (an outsider learns no more than that)."""

    def __init__(self, message: str = "There is nothing here.") -> None:
        super().__init__(message)
        self.message = message
