"""How text is cut, folded and marked; whatever the text and the query are."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cryptochat_lib import words
from cryptochat_lib.errors import BadRequest

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ALIKE = st.text("aAeé\u0301ßs 京都がか\u3099.'\"_-*\0ภา\U0001f375👍🏽1½", max_size=30)
TEXT = ANY_TEXT | ALIKE


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Hello, World_2!", ["hello", "world", "2"]),
        ("Grüße STRASSE Straße", ["grusse", "strasse", "strasse"]),
        ("Élan e\u0301lan ﬁn Ǆ ２", ["elan", "elan", "fin", "dz", "2"]),
        ("İstanbul ISPARTA ırmak", ["istanbul", "isparta", "irmak"]),
        ("Σίσυφος ΣΊΣΥΦΟΣ", ["σισυφοσ", "σισυφοσ"]),
        ("ёлка ЁЛКА", ["елка", "елка"]),
        ("東京都。お茶", ["東", "京", "都", "お", "茶"]),
        ("iPhone15を", ["iphone15", "を"]),
        ("ガ ｶﾞ カ\u3099", ["カ", "カ", "カ"]),
        ("ภาษา ที่", ["ภ", "า", "ษ", "า", "ท", "ี"]),
        ("हिन्दी", ["हिनदी"]),
        ("한국어", [unicodedata.normalize("NFD", "한국어")]),
        ("كِتَاب", ["كتاب"]),
        ("٣ ३", ["3", "3"]),
        ("tea\U0001f375 👍🏽👍", ["tea", "\U0001f375", "👍", "👍"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zero", "width"]),
        ("\0 ' \" * - ( ) ^ : NEAR", ["near"]),
        ("", []),
    ],
)
def test_text_is_cut_into_words(text: str, cut: list[str]) -> None:
    assert words.cut(text) == cut


@given(TEXT)
def test_words_are_signs_that_mean_nothing_to_anybody(text: str) -> None:
    for word in words.cut(text):
        assert word
        assert all(sign in "0123456789abcdefghijklmnopqrstuvwxyz" or not sign.isascii() for sign in word)
        assert not any(unicodedata.category(sign)[0] in "CZP" for sign in word)


@given(TEXT)
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    folded = " ".join(words.cut(text))
    assert words.cut(folded) == folded.split()


@given(TEXT)
@example("e\u0301")
def test_both_normal_forms_and_both_cases_are_the_same_words(text: str) -> None:
    assert words.cut(text) == words.cut(unicodedata.normalize("NFD", text))
    assert words.cut(text) == words.cut(unicodedata.normalize("NFC", text))
    if text.lower().casefold() == text.upper().casefold():
        assert words.cut(text) == words.cut(text.lower())


@given(TEXT)
def test_any_query_is_words_or_refused(text: str) -> None:
    try:
        query = words.parse_query(text, most=8)
    except BadRequest:
        assert len(words.cut(text)) > 8
    else:
        assert sum(map(len, query.phrases)) <= 8
        assert {word for phrase in query.phrases for word in phrase} == set(words.cut(text))


def test_too_many_words_are_refused() -> None:
    words.parse_query(" ".join(f"w{n}" for n in range(128)), most=128)
    words.parse_query("again " * 10_000, most=128)
    with pytest.raises(BadRequest):
        words.parse_query(" ".join(f"w{n}" for n in range(129)), most=128)
    with pytest.raises(BadRequest):
        words.parse_query("京" * 129, most=128)


@given(TEXT, TEXT)
@example("e", "xe\u0301 E\u0301")
@example("京都", "東京都、京 都")
@example("1", "½")
def test_marks_are_inside_of_the_text_apart_and_of_what_was_asked_for(asked: str, text: str) -> None:
    query = words.parse_query(asked, most=1000)
    end = 0
    said = words.cut(asked)
    for mark in words.find(query, text):
        assert end <= mark[0] < mark[1] <= len(text)
        end = mark[1]
        marked = words.cut(text[slice(*mark)])
        assert any(word in said or word.startswith(said[-1]) for word in marked)


@given(TEXT, st.data())
def test_whatever_stands_in_a_text_is_found_there(text: str, data: st.DataObject) -> None:
    cut = words.cut(text)
    if cut:
        first = data.draw(st.integers(0, len(cut) - 1))
        last = data.draw(st.integers(first, len(cut) - 1))
        assert words.find(words.parse_query(" ".join(cut[first : last + 1]), most=1000), text)
        assert words.find(words.Query((tuple(cut[first : last + 1]),), open_ended=False), text)


def marked(asked: str, text: str) -> list[str]:
    return [text[start:end] for start, end in words.find(words.parse_query(asked, most=99), text)]


def test_every_word_must_occur_and_the_last_may_be_a_beginning() -> None:
    text = "The Kettle is on, the tea is in the kettles"
    assert marked("KETTLE", text) == ["Kettle", "kettles"]
    assert marked("kettle tea", text) == ["Kettle", "tea"]
    assert marked("tea kett", text) == ["Kettle", "tea", "kettles"]
    assert marked("kett tea", text) == []
    assert marked("kettle coffee", text) == []
    assert marked('"the kettle"', text) == ["The Kettle"]
    assert marked('"the kettles" tea', text) == ["tea", "the kettles"]
    assert marked('"kettle the"', text) == []
    assert marked('"the kettle', text) == ["The Kettle", "the kettles"]


def test_what_overlaps_is_one_mark() -> None:
    assert marked('"a b" "b c"', "a b c") == ["a b c"]
    assert marked('"京都" "都で"', "東京都で") == ["京都で"]


def test_a_mark_has_the_whole_of_what_is_seen() -> None:
    assert marked("cafe", "Cafe\u0301!") == ["Cafe\u0301"]
    assert marked("👍", "👍🏽!") == ["👍🏽"]
    assert marked("strasse", "Die Straße") == ["Straße"]


def test_signs_that_nobody_could_all_remember_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_KEPT", 10)
    folded = words._Folded()
    assert [folded[code] for code in range(0x4E00, 0x4E20)] == [
        f"\t{chr(c)}\t" for c in range(0x4E00, 0x4E20)
    ]
    assert len(folded) == 10
