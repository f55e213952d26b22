import pytest

from unpaired.clean.judging import FREE
from unpaired.collect.licences import allowed, normal

BY_SA = "https://creativecommons.org/licenses/by-sa/3.0/de/"
SPELLINGS = {
    "CC-BY-NC-SA-2.0": ["by-nc-sa 2.0", "CC BY-NC-SA 2.0", "cc-by-sa-nc-2.0", "BY_NC_SA_2.0"],
    "CC-BY-SA-4.0": [
        "CC BY-SA 4.0",
        "Creative Commons Attribution-ShareAlike 4.0 International",
        "CC BY-SA 4.0-3.0-2.5-2.0-1.0",
        "cc by sa 4.0",
        "CreativeCommons Attribution Share-Alike 4.0",
    ],
    "CC-BY-SA-3.0": ["CC BY-SA 3.0 de", "CC-BY-SA-3.0-migrated", "CC BY-SA 3.0 or GFDL", BY_SA],
    "CC-BY-NC-ND-4.0": ["CC Attribution-NonCommercial-NoDerivatives 4.0", "by-nc-nd 4.0"],
    "CC-BY": ["by", "cc_attribute", "CC BY", "http://creativecommons.org/licenses/by/"],
    "CC-BY-SA": ["cc_sharealike", "cc_publicdomain|cc_attribute|cc_sharealike"],
    "CC-BY-NC": ["cc_noncommercial", "CC Non-Commercial"],
    "CC-BY-ND": ["cc_nonderived", "cc no-derivs"],
    "CC-SA-1.0": ["CC SA 1.0", "https://creativecommons.org/licenses/sa/1.0/"],
    "CC0-1.0": [
        "cc0",
        "CC0 1.0",
        "CC-Zero",
        "CC0 1.0 Universal Public Domain Dedication",
        "https://creativecommons.org/publicdomain/zero/1.0/deed.de",
    ],
    "PDM": [
        "pdm",
        "pdm 1.0",
        "Public domain",
        "PD",
        "PD-US",
        "cc_publicdomain",
        "Public Domain Mark 1.0",
        "https://creativecommons.org/publicdomain/mark/1.0/",
        "https://creativecommons.org/licenses/publicdomain/",
    ],
    "unknown": ["", "  ", "Unknown"],
    "GFDL": ["gfdl"],
    "Attribution": ["attribution"],
    "sampling+ 1.0": ["sampling+ 1.0"],
    "by Anna": ["by Anna"],
    "not in the public domain": ["not in the  public domain\n"],
}


@pytest.mark.parametrize(
    ("told", "spelling"), [(told, name) for name, all_ in SPELLINGS.items() for told in all_]
)
def test_a_licence_has_one_spelling(told, spelling):
    assert normal(told) == spelling
    assert normal(spelling) == spelling


def test_what_google_excludes_is_no_condition():
    rights = "(cc_publicdomain|cc_attribute|cc_sharealike).-(cc_noncommercial|cc_nonderived)"
    assert normal(rights) == "CC-BY-SA"


def test_the_address_knows_the_version_and_counts_more():
    assert normal("by-sa", BY_SA) == normal("", BY_SA) == normal("CC BY", BY_SA) == "CC-BY-SA-3.0"
    assert normal("Attribution", BY_SA) == "CC-BY-SA-3.0"
    assert normal("CC BY 2.0", "https://example.org/by-nc") == "CC-BY-2.0"
    sampling = "https://creativecommons.org/licenses/nc-sampling+/1.0/"
    assert normal("nc-sampling+", sampling) == "nc-sampling+"
    assert not allowed(normal("", sampling), "reusable")


@pytest.mark.parametrize(
    ("licence", "reusable", "commercial"),
    [
        ("CC0-1.0", True, True),
        ("PDM", True, True),
        ("CC-BY-4.0", True, True),
        ("CC-BY-SA", True, True),
        ("GFDL", True, True),
        ("CC-BY-NC-2.0", True, False),
        ("CC-BY-NC-SA-4.0", True, False),
        ("CC-BY-ND-2.0", False, False),
        ("CC-BY-NC-ND-4.0", False, False),
        ("unknown", False, False),
        ("", False, False),
        ("Creative Commons", False, False),
        ("All rights reserved", False, False),
        ("not CC BY", False, False),
        ("sampling+", False, False),
        ("by-sa 3.0", True, True),
    ],
)
def test_what_a_licence_is_enough_for(licence, reusable, commercial):
    assert allowed(licence, "any")
    assert allowed(licence, "reusable") is reusable
    assert allowed(licence, "commercial") is commercial


def test_cleaning_knows_the_freest_by_their_spelling():
    assert normal("cc0").lower().startswith(FREE) and normal("pd").lower().startswith(FREE)
    assert not any(name.lower().startswith(FREE) for name in SPELLINGS if name[:3] == "CC-")
