"""The ways a query is asked anew, for more than the answers that one query has."""

from itertools import product

from unpaired.params import Variations


def variations(vary: Variations) -> list[tuple[str, str, int | None]]:
    """(colour, size, year), the plain query first; colours change fastest, so that whoever stops
    early has asked for all of them alike."""
    years: list[int | None] = [*vary.years] or [None]
    sizes: list[str] = [*vary.sizes] or [""]
    varied = product(years, sizes, vary.colours or [""])
    plain: tuple[str, str, int | None] = ("", "", None)
    return list(dict.fromkeys([plain, *((colour, size, year) for year, size, colour in varied)]))
