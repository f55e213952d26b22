"""The one exception that reaches people as a line, not a traceback."""


class Problem(Exception):
    """Something the user can mend. Its text names the thing and the way out, in one line."""
