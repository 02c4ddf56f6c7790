"""What goes wrong, with what to do about it."""


class SealyardError(Exception):
    """The log in can't be used, or a fact of a run can't be told. Never holds a secret."""
