"""The page speaks each of its languages wholly, from the left or from the right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from friends import befriend

from cryptochat_lib import ceremony, comparer, delivery, outbox, sender

API = (Path(__file__).resolve().parents[2] / "docs" / "API.md").read_text("utf-8")
LANGUAGES = ("en", "ar")
# Every word, as "a.b.c: kind" and what it says; a function is tried with something for each of its places.
SHAPE = """
    const { words } = await import(`/words/${given}.js`);
    const parts = {
        length: 2, map: () => ["x"], slice: () => ["x"], replaceAll: () => "12",
        [Symbol.toPrimitive]: () => "3", [Symbol.iterator]: function* () { yield "x"; },
    };
    const sample = () => new Proxy(() => {}, { apply: sample, get: (_, key) => parts[key] ?? sample() });
    const kinds = {}, said = {};
    const walk = (value, path) => {
        if (path === "add.refused") return; // of some codes only
        if (/^(reasons|doctor.findings|problems.codes)$/.test(path)) return (kinds[path] = "table");
        kinds[path] = value === null ? "null" : typeof value;
        if (Array.isArray(value)) kinds[path] = `list of ${value.length}`;
        if (typeof value === "function") said[path] = String(value(sample(), sample(), sample()));
        else if (typeof value === "string") said[path] = value;
        else for (const [key, one] of Object.entries(value ?? {})) walk(one, path ? `${path}.${key}` : key);
    };
    walk(words, "");
    const tables = { reasons: words.reasons, findings: words.doctor.findings, codes: words.problems.codes };
    for (const [name, table] of Object.entries(tables)) tables[name] = Object.keys(table);
    return { kinds, said, ...tables };"""
# What stays in its own letters in every language: names of the field, of keys and of formats.
FOREIGN = re.compile(
    r"CryptoChat|Ctrl|Enter|Shift|QR|SHA-\d+|UUID|Wi-Fi|PNG|SVG|IPv\d|UDP|TCP|TLS|mDNS|host:port|cryptochat:|Tab|Esc|Space|"
    r"Python|--interface lo|\bK\b|\bZ\b|x+"
)


@pytest.fixture
def page(lan, start_node, start_chromium):
    ada = start_node(lan.hosts[0], "Ada")
    bob = start_node(lan.hosts[1], "Bob")
    befriend(ada, bob)
    bob.send("where they met", "Guten Tag")
    page = start_chromium(lan.hosts[0]).open(ada)
    page.wait_text(".card .content", "Guten Tag")
    return page


def codes(start, end):
    part = API[API.index(start) : API.index(end)]
    rows = [line.split("|") for line in part.splitlines() if line.startswith("|")]
    return [code for row in rows for cell in row[1:3] for code in re.findall(r"`([a-z0-9-]+)`", cell)]


def test_every_language_has_every_word_and_arabic_those_of_the_program_too(page):
    found = {language: page.run(SHAPE, language) for language in LANGUAGES}
    first, *others = found.values()
    for other in others:
        differing = {
            k for k in first["kinds"] | other["kinds"] if first["kinds"].get(k) != other["kinds"].get(k)
        }
        assert differing == {"locale", "drawing.summary"}
    for language in found.values():
        wrong = [
            path
            for path, text in language["said"].items()
            if not text or re.search("undefined|NaN|object", text)
        ]
        assert not wrong

    arabic = found["ar"]
    left = {path: FOREIGN.sub("", text) for path, text in arabic["said"].items()}
    latin = {path for path, text in left.items() if re.search("[a-z]{2,}", text, re.IGNORECASE)}
    assert latin <= {"language", "locale", "direction"}, "nothing is left in English"
    reasons = [
        value
        for module in (ceremony, comparer, delivery, sender, outbox)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and " " in value
    ]
    reasons += list(delivery._REFUSED.values())
    assert len(reasons) > 15
    assert set(reasons) <= set(arabic["reasons"])
    told = [code for code in codes("## 3. Errors", "Inside of the program") if code not in ("both",)]
    peers_only = {"not-a-member", "rejected", "unverified"}
    assert set(told) - peers_only <= set(arabic["codes"])
    assert set(codes("**FINDING**", "**QUESTION**")) - {"all-is-well"} <= set(arabic["findings"])


def test_the_language_is_chosen_and_then_everything_goes_from_right_to_left(page):
    def left(selector):
        return page.run("return document.querySelector(given).getBoundingClientRect().left", selector)

    assert left(".rooms") < left(".conversation") < left(".people")
    page.one(".composer textarea").send_keys("what was being typed")
    page.click(".edit-name")
    page.click(".identity-panel option[value=ar]")
    page.wait_text(".rooms h2", "غرفك")
    assert page.run("return [document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    page.one(".card")
    assert left(".rooms") > left(".conversation") > left(".people")
    assert page.run("return document.querySelector('.composer textarea').value") == "what was being typed"
    page.wait_text(".readers", "شخص واحد: واحد مُتحقَّق منه")
    assert page.run("return getComputedStyle(document.querySelector('.card .content')).direction") == "ltr", (
        "what somebody has written keeps its own direction"
    )
    page.click(".composer .draw")
    page.one(".sheet .ink:not(.under)").click()
    page.click(".send-drawing")
    page.wait_text(".card.own figcaption", "رسم: خطّ واحد، لون واحد")
    for width in (360, 390, 1280, 3440):
        page.resize(width, 844)
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), width
    page.resize(1280, 800)
    page.click(".edit-name")
    page.click(".identity-panel option[value=en]")
    page.wait_text(".rooms h2", "Your rooms")
