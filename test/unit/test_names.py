"""Names that a person takes for one another, and names that nobody does."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from cryptochat_lib.names import skeletons

ALIKE = {
    "case": ("Ada Lovelace", "ADA lovelace"),
    "spaces": ("Ada Lovelace", "  Ada\u00a0\u2003Lovelace "),
    "no space": ("Ada Lovelace", "AdaLovelace"),
    "punctuation": ("Ada", "-Ada_."),
    "zero width": ("Ada", "A\u200bd\u200ca\u2060\ufeff"),
    "soft hyphen, and a filler that has a width": ("Ada", "A\u00add\u3164a\u2800"),
    "variation selectors and tags": ("Ada", "Ada\ufe0f\U000e0041\U000e0100"),
    "combining marks": ("Ada", "A\u0301d\u0338a\u20dd"),
    "accents": ("Zoe", "Zo\u00eb"),
    "fullwidth": ("Ada", "\uff21\uff44\uff41"),
    "mathematical": ("Ada", "\U0001d400\U0001d5d7\U0001d68a"),
    "circled": ("Ada", "\u24b6\u24d3\u24d0"),
    "Cyrillic": ("Ada", "\u0410d\u0430"),
    "Cyrillic capitals": ("ANTON", "\u0410N\u0422\u041eN"),
    "a Cyrillic name in Latin letters": ("\u0420\u043e\u0441\u0430", "Poca"),
    "Greek": ("Nina", "\u039d\u03b9\u03b7\u03b1"),
    "Greek capitals": ("HENK", "\u0397\u0395\u039d\u039a"),
    "Greek in small letters": ("\u039d\u0399\u039a\u0397", "\u03bd\u03b9\u03ba\u03b7"),
    "Cherokee": ("SALLY", "\u13da\u13aa\u13de\u13deY"),
    "Lisu": ("BOB", "\ua4d0\ua4f3\ua4d0"),
    "small capitals": ("Bob", "\u0299\u1d0f\u0299"),
    "a stroke": ("Lodz", "\u0141\u00f8dz"),
    "I, l, 1 and |": ("Bill", "BI1|"),
    "O and 0": ("Bob", "B0b"),
    "rn and m": ("Emma", "Ernrna"),
    "vv and w": ("Wim", "VVim"),
}
APART = {
    "two people": ("Ada", "Bob"),
    "one letter more": ("Ann", "Anna"),
    "another vowel of Hindi": ("\u0930\u093e\u092e", "\u0930\u0940\u092e"),
    "another vowel of Thai": ("\u0e01\u0e34", "\u0e01\u0e38"),
    "other dots of Japanese": ("\u304b", "\u304c"),
    "two signs of Chinese": ("\u738b", "\u4e3b"),
    "two emoji": ("\U0001f600", "\U0001f4a9"),
    "two names of nothing": ("\u200b", "..."),
}


@pytest.mark.parametrize("how", ALIKE)
def test_a_name_that_is_made_to_be_mistaken_for_another_has_its_skeleton(how: str) -> None:
    one, other = ALIKE[how]
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize("how", APART)
def test_names_that_nobody_mistakes_have_none_in_common(how: str) -> None:
    one, other = APART[how]
    assert not skeletons(one) & skeletons(other)


def test_every_sign_has_the_skeleton_of_its_small_form() -> None:
    """Or a name in another case would be another name."""
    for number in range(sys.maxunicode + 1):
        sign = chr(number)
        if unicodedata.category(sign) == "Lu" and skeletons(sign):
            assert skeletons(sign) & skeletons(sign.lower()), f"U+{number:04X}"
