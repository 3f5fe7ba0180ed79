"""Words: how text is cut and folded for searching, the same for the index, the query and the marks.

    cut("Grüße, 京都!")  ==  ["grusse", "京", "都"]

- A word is a run of letters and digits. Case and diacritics do not matter:
  `ß` is `ss`, `É` is `e`, `ﬁ` is `fi`, `٣` is `3`.
- Scripts that are written without spaces have no words that a table could cut:
  each sign of Chinese, Japanese, Thai and their like is a word of its own, and
  so is each emoji. A run of them in a query means: these, one behind the other.
- Nothing but such words leaves this module, so whatever somebody types, no
  sign that means something to SQLite's query language is ever in it.

Pure. What is cut how depends on the Unicode tables of the Python that runs
(`RULES` names both), so an index that others have made is made anew.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .errors import BadRequest

RULES = f"1, Unicode {unicodedata.unidata_version}"

Mark = tuple[int, int]

_ASCII_WORD = re.compile("[0-9a-z]+")
_WORD = re.compile("[^ \t]+")
_BESIDE, _BETWEEN = "\t", " "  # between two words that were written together, and that were not
_ZERO_WIDTH_SPACE = "\u200b"  # how Thai and Khmer may show where a word ends
_KEPT = 20_000  # signs of which the folded form is kept: more than any one person's text has

_UNSPACED = (  # the first of each stretch and the one behind its last, in order
    *(0x0E00, 0x0F00),  # Thai, Lao
    *(0x1000, 0x10A0),  # Myanmar
    *(0x1780, 0x1800),  # Khmer
    *(0x1950, 0x1A00),  # Tai Le, New Tai Lue, Khmer
    *(0x1A20, 0x1AB0),  # Tai Tham
    *(0x2E80, 0x2FE0),  # radicals
    *(0x3005, 0x3130),  # kana, Bopomofo
    *(0x31A0, 0x3200),
    *(0x3400, 0x4DC0),  # Chinese characters
    *(0x4E00, 0xA4D0),  # Chinese characters, Yi
    *(0xA9E0, 0xAA00),  # Myanmar
    *(0xAA60, 0xAAE0),  # Myanmar, Tai Viet
    *(0xF900, 0xFB00),
    *(0x16FE0, 0x1B300),  # Tangut, Khitan, kana, Nüshu
    *(0x20000, 0x40000),
)


@dataclass(frozen=True)
class Query:
    """What somebody looks for: all of `phrases`, each of words that stand one behind the other.

    `open_ended`: the very last word may be only the beginning of one.
    """

    phrases: tuple[tuple[str, ...], ...]
    open_ended: bool = True


def parse_query(text: str, most: int) -> Query:
    """What `text` asks for; BadRequest for more than `most` words. Between "quotes" stands one phrase.

    >>> parse_query('Tea "good morning" 京都 hel', most=9).phrases
    (('tea',), ('good', 'morning'), ('京', '都'), ('hel',))
    """
    phrases: dict[tuple[str, ...], None] = {}
    parts = text.split('"')
    open_ended = True
    for n, part in enumerate(parts):
        quoted = n % 2 == 1
        for run in [part] if quoted else _fold(part).split(_BETWEEN):
            if words := tuple(cut(run)):
                phrases.pop(words, None)  # said twice is meant once; what is typed last comes last
                phrases[words] = None
                open_ended = not quoted or n == len(parts) - 1
    if sum(map(len, phrases)) > most:
        raise BadRequest(f"search for at most {most} words at once")
    return Query(tuple(phrases), open_ended)


def cut(text: str) -> list[str]:
    """The words of `text`, folded, in their order."""
    return _ASCII_WORD.findall(text.lower()) if text.isascii() else _fold(text).split()


def find(query: Query, content: str) -> list[Mark]:
    """Where the words of `query` are in `content`, in order, apart from each other; [] if one is missing.

    A mark is the first position and the one behind the last, in code points of `content`.
    """
    words, places = _places(content)
    found: list[Mark] = []
    for phrase in query.phrases:
        begins = query.open_ended and phrase is query.phrases[-1]
        at = list(_occurrences(phrase, begins, words))
        if not at:
            return []
        found += [(places[n][0], places[n + len(phrase) - 1][1]) for n in at]
    return _apart(found)


def _occurrences(phrase: Sequence[str], begins: bool, words: Sequence[str]) -> Iterator[int]:
    """Where in `words` the phrase is; if it `begins`, its last word need only be the beginning of one."""
    *firsts, last = phrase
    before = len(firsts)
    for n in range(before, len(words)):
        if (words[n].startswith(last) if begins else words[n] == last) and firsts == words[n - before : n]:
            yield n - before


def _apart(marks: list[Mark]) -> list[Mark]:
    """In order, with those that overlap made one."""
    apart: list[Mark] = []
    for start, end in sorted(marks):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _places(content: str) -> tuple[list[str], list[Mark]]:
    """The words of `content`, and where each is."""
    if content.isascii():
        found = list(_ASCII_WORD.finditer(content.lower()))
        return [word[0] for word in found], [word.span() for word in found]
    folded = [_FOLDED[ord(sign)] for sign in content]
    origin = [n for n, text in enumerate(folded) for _ in text]
    words, places = [], []
    for word in _WORD.finditer("".join(folded)):
        start, end = origin[word.start()], origin[word.end() - 1] + 1
        while end < len(folded) and not folded[end]:  # the accents that belong to it
            end += 1
        words.append(word[0])
        places.append((start, end))
    return words, places


def _fold(text: str) -> str:
    """The words of `text`, folded, with `_BESIDE` and `_BETWEEN` around them."""
    return text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """The folded form of each sign, by its code point: filled as signs come up."""

    def __missing__(self, code: int) -> str:
        folded = "".join(map(_sign, _caseless(chr(code))))
        if len(self) < _KEPT:
            self[code] = folded
        return folded


_FOLDED = _Folded()


def _caseless(sign: str) -> str:
    """Decomposed, without accents, in lower case. `upper` first: it makes one of `i` and the Turkish `ı`."""
    return _bare(_bare(sign).upper().casefold())


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _sign(sign: str) -> str:
    """One sign of a decomposed text: part of a word, a word, nothing, or what stands between words."""
    category, code = unicodedata.category(sign), ord(sign)
    if (category == "Cf" and sign != _ZERO_WIDTH_SPACE) or category == "Me" or _is_variation(code):
        return ""
    if category == "So" or (category[0] in "LMN" and bisect(_UNSPACED, code) % 2):
        return f"{_BESIDE}{sign}{_BESIDE}"
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    return sign if category[0] in "LMN" else _BETWEEN  # M: the vowel signs of Indian scripts


def _is_variation(code: int) -> bool:
    """Of another sign: its shape, or an emoji's colour of skin."""
    return (
        0xFE00 <= code <= 0xFE0F
        or 0xE0100 <= code <= 0xE01EF
        or 0x180B <= code <= 0x180F
        or 0x1F3FB <= code <= 0x1F3FF
        or code == 0x034F
    )
