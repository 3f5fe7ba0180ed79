"""Which names look alike to a person: what a stranger could call itself to be taken for a friend.

After Unicode Technical Standard #39, section 4: two names are taken for one another
if their skeletons are the same. A skeleton is no name and is never shown. It keeps what
the eye keeps:

    1. compatibility forms (fullwidth, mathematical, circled letters) are undone (NFKD);
    2. what is not seen, or hardly, is dropped: zero-width characters, spaces,
       punctuation, accents, strokes, vowel points;
    3. what looks like a Latin letter or another letter becomes that letter, in
       its own case, then everything becomes small;
    4. I, l, 1, i and | are one, 0 and O are one, rn is m, vv is w.

`skeletons` gives three: of the name; of the name in small letters, since a capital may
look like one letter and its small form like another (Greek H and its small n); and of
the name without signs such as a tick or a star, which seem to say something about it.

The table is our own: of the letters that the standard's data file, confusables.txt, takes
for a Latin one, those of alphabets that computers have fonts for; and beside them the
other case of such a letter, small capitals, and letters with a stroke. It is far from
whole, and a mark is a warning: who has none is not therefore who they say.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# The letters on the left look like the one on the right.
_LOOKS: tuple[tuple[str, str], ...] = (
    ("\u0410\u0430\u0391\u03b1\u0251\u13aa\ua4ee\u1d00", "a"),
    ("\u0412\u0432\u042c\u044c\u0392\u03b2\u13f4\ua4d0\u0299", "b"),
    ("\u0421\u0441\u03f9\u03f2\u13df\ua4da\u1d04", "c"),
    ("\u0500\u0501\u13a0\ua4d3\u1d05\u0110\u0111\u00d0\u00f0\u0189\u0256", "d"),
    ("\u0415\u0435\u0404\u0454\u0395\u03b5\u13ac\ua4f0\u1d07\u04bd", "e"),
    ("\u03dc\u03dd\ua4dd\ua730\u0192", "f"),
    ("\u050c\u050d\u13c0\ua4d6\u0262\u0261\u01e4\u01e5", "g"),
    ("\u041d\u043d\u0397\u04ba\u04bb\u0570\u13bb\ua4e7\u029c\u0126\u0127", "h"),
    ("\u0406\u0456\u04c0\u04cf\u0399\u03b9\u0131\u0269\u026a\ua4f2\u13a5|1\u01c0\u2223", "l"),
    ("\u0408\u0458\u03f3\u037f\u13ab\ua4d9\u1d0a\u0237", "j"),
    ("\u041a\u043a\u039a\u03ba\u13e6\ua4d7\u1d0b\u0138", "k"),
    ("\u13de\ua4e1\u029f\u0141\u0142\u019a", "l"),
    ("\u041c\u043c\u039c\u13b7\ua4df\u1d0d", "m"),
    ("\u039d\u03b7\u0578\u057c\ua4e0\u0274\u014b", "n"),
    ("\u041e\u043e\u039f\u03bf\u03c3\u0585\u0555\ua4f3\u1d0f\u00d8\u00f80", "o"),
    ("\u0420\u0440\u03a1\u03c1\u13e2\ua4d1\u1d18\u03f7\u03f8\u00fe\u00de", "p"),
    ("\u051a\u051b", "q"),
    ("\u13a1\u13d2\ua4e3\u0280\u0433\u0413\u1d26", "r"),
    ("\u0405\u0455\u13da\ua4e2\ua731\u054f\u017f", "s"),
    ("\u0422\u0442\u03a4\u03c4\u13a2\ua4d4\u1d1b\u0166\u0167", "t"),
    ("\u054d\u057d\u03c5\ua4f4\u1d1c\u028b", "u"),
    ("\u03bd\u0474\u0475\u13d9\ua4e6\u1d20", "v"),
    ("\u051c\u051d\u13b3\ua4ea\u1d21\u03c9", "w"),
    ("\u0425\u0445\u03a7\u03c7\ua4eb\u00d7", "x"),
    ("\u0423\u0443\u04ae\u04af\u03a5\u03b3\u13a9\ua4ec\u028f\u0263", "y"),
    ("\u0396\u13c3\ua4dc\u1d22", "z"),
    ("\u00c6\u00e6", "ae"),
    ("\u0152\u0153", "oe"),
)
_LOOK = {ord(sign): letter for signs, letter in _LOOKS for sign in signs}
# A capital I looks like a small l. Small i joins them, or names in capitals could not be compared.
_FOLDED = str.maketrans({**{chr(sign): letter for sign, letter in _LOOK.items()}, "i": "l"})
_SEQUENCES = (("rn", "m"), ("vv", "w"))
_UNSEEN = re.compile(
    "[\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Categories of Unicode: controls and formats, separators, punctuation, modifiers, enclosing marks.
_DROPPED = ("C", "Z", "P", "Sk", "Lm", "Me")
# Marks of other classes are letters of their scripts: a vowel of Hindi or Thai, the dots of Japanese.
_ACCENTS = frozenset({1, *range(10, 36), *range(200, 256)})


@lru_cache(maxsize=4096)  # each list of people asks for everybody's again
def skeletons(name: str) -> frozenset[str]:
    """What a name looks like. Two names that share a skeleton are taken for one another.

    >>> skeletons("Ada") & skeletons("\\u0410d\\u200b\\u0430")
    frozenset({'ada'})
    >>> skeletons("Ada") & skeletons("Ida")
    frozenset()
    """
    bare = "".join(sign for sign in name if unicodedata.category(sign) != "So")
    return frozenset({_skeleton(name), _skeleton(name.lower()), _skeleton(bare)} - {""})


def _skeleton(name: str) -> str:
    seen = "".join(filter(_is_seen, unicodedata.normalize("NFKD", name.translate(_LOOK))))
    looked = seen.translate(_LOOK).casefold().translate(_FOLDED)
    for sequence, letter in _SEQUENCES:
        looked = looked.replace(sequence, letter)
    return looked


def _is_seen(sign: str) -> bool:
    if unicodedata.category(sign).startswith(_DROPPED) or unicodedata.combining(sign) in _ACCENTS:
        return False
    return not _UNSEEN.match(sign)
