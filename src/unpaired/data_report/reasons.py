"""Why a candidate is not kept, in words for people."""

from typing import NamedTuple


class Reason(NamedTuple):
    """measured: what value and limit are, with the unit; empty if there is nothing to measure."""

    title: str
    note: str
    measured: str = ""


REASONS = {
    "not_fetched": Reason("Not fetched", "The source did not give the file."),
    "few_bytes": Reason("Too few bytes", "Files as small are icons or error pages.", "bytes"),
    "many_bytes": Reason("Too many bytes", "More than clean.max_bytes.", "bytes"),
    "not_a_picture": Reason("Not a picture", "A page or something else under a picture's name."),
    "too_many_pixels": Reason("Too many pixels", "More than clean.max_pixels.", "pixels"),
    "broken": Reason("Broken", "Cut or damaged."),
    "animated": Reason("Animated", "Several frames."),
    "crashed": Reason("Crashed", "Decoding it took too much memory or time."),
    "too_small": Reason("Too small", "The shorter side is below clean.min_side.", "px"),
    "too_narrow": Reason("Too narrow", "Banners and strips.", "shorter / longer side"),
    "no_face": Reason("No face", "clean.crop is face, and none was found."),
    "blurred": Reason("Blurred", "Below clean.min_sharpness.", "sharpness"),
    "flat": Reason("Flat", "Hardly any detail: below clean.min_entropy.", "bits of entropy"),
    "dark": Reason("Dark", "Even its brightest parts are below clean.min_highlight.", "brightness"),
    "light": Reason("Light", "Even its darkest parts exceed clean.max_shadow.", "brightness"),
    "duplicate": Reason("Exact copies", "The same pixels as another picture, which is kept."),
    "near_duplicate": Reason("Near duplicates", "", "difference"),
    "in_two_domains": Reason("In two domains", "", "difference"),
    "overruled": Reason("Dropped by a person", "Named by a line of overrides.csv."),
}


def reason_of(name: str) -> Reason:
    return REASONS.get(name) or Reason(name.replace("_", " ").capitalize(), "")


def number(text: object) -> str:
    """A figure for people: whole, or to four digits; other text as it is."""
    try:
        value = float(str(text))
    except ValueError:
        return str(text)
    return f"{value:,.0f}" if value.is_integer() or abs(value) >= 1000 else f"{value:.4g}"
