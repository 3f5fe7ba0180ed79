"""What the page says of who can be reached, and what may stand in the way."""

from __future__ import annotations

import pytest
from quiet_program import QuietProgram, ago, person
from selenium.webdriver.common.keys import Keys

FASTER = "const real = setInterval; globalThis.setInterval = (work, wait) => real(work, wait / 50);"


@pytest.fixture
def program(lan, tmp_path):
    with QuietProgram(lan.hosts[0], tmp_path) as program:
        yield program


@pytest.fixture
def chromium(lan, start_chromium):
    return start_chromium(lan.hosts[0])


def test_announced_is_not_said_to_be_reachable(program, chromium):
    page = chromium.open(program)
    for said, fields in {
        "reachable now": {"reachability": "reachable"},
        "announced": {"reachability": "announced"},
        "announced, but not answering (refused)": {"reachability": "silent", "trouble": "refused"},
        "announced, but not answering (timed out)": {"reachability": "silent", "trouble": "timed-out"},
        "seen 2 minutes ago": {"reachability": "away", "online": False, "seen": ago(130)},
        "seen 3 hours ago": {"reachability": "away", "online": False, "seen": ago(3 * 3600 + 60)},
        "away": {"reachability": "away", "online": False},
    }.items():
        program.see(person(**fields))
        page.wait(lambda: page.texts(".person .presence") == [said], f"not {said}: {page.texts('.presence')}")  # noqa: B023


def test_the_words_for_a_time_go_on_without_a_request(program, chromium):
    page = chromium.open(program)
    page.one(".doors")
    page.before_anything(FASTER)
    page.driver.refresh()
    seen = ago(43)
    program.see(person(reachability="away", online=False, seen=seen))
    page.wait_text(".presence time", "seen just now")
    requests = page.run("return performance.getEntriesByType('resource').length")
    page.wait_text(".presence time", "seen 1 minute ago", timeout=5)
    assert page.run("return performance.getEntriesByType('resource').length") == requests
    assert page.one(".presence time").get_attribute("datetime") == seen
    assert not page.run(
        "return document.querySelector('.presence').closest('[aria-live], [role=status], [role=log]')"
    )


def test_the_doctor_says_what_it_finds_the_worst_first_and_what_to_do(program, chromium):
    program.findings = [
        {"code": "a", "level": "good", "values": {}, "text": "Others answer.", "advice": None},
        {"code": "b", "level": "notice", "values": {}, "text": "One is silent.", "advice": "Wait."},
        {"code": "c", "level": "problem", "values": {}, "text": "No network.", "advice": "Plug it in."},
    ]
    program.visible = ["Your name: Ada.", "Your rooms: none."]
    page = chromium.open(program)
    page.click(".ask-doctor")
    page.wait_text(".doctor [role=status]", "1 problem, 1 thing to know")
    assert [text.split() for text in page.texts(".finding")] == [
        ["Problem", "No", "network.", "Plug", "it", "in."],
        ["To", "know", "One", "is", "silent.", "Wait."],
        ["Good", "Others", "answer."],
    ]
    assert len(page.all(".finding .level .icon")) == 3, "no colour alone"
    assert page.texts(".visible li") == program.visible
    page.click(".doctor .copy button")
    page.wait_text(".doctor .copy", "Copied")
    program.findings = program.findings[:1]
    page.click(".check")
    page.wait_text(".doctor [role=status]", "Nothing stands in the way")
    assert program.examined == 2
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")
    page.click(".add-someone")
    page.one(".their-code textarea").send_keys(Keys.CONTROL + "v")
    assert page.one(".their-code textarea").get_attribute("value") == "report 1"


def test_while_the_doctor_looks_it_says_so_and_is_asked_once(program, chromium):
    page = chromium.open(program)
    page.click(".ask-doctor")
    page.wait_text(".check", "Check again")
    with program.thinking():
        page.click(".check")
        page.wait_text(".check", "Checking")
        assert page.one(".check").get_attribute("aria-disabled") == "true"
        page.click(".check")
    page.wait_text(".check", "Check again")
    assert program.examined == 2
