"""Drawing, and what others see of it."""

from __future__ import annotations

import pytest
from friends import befriend
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from waiting import wait_until

INK = """
    const shown = document.querySelector(given);
    if (shown.width === 0) return 0;
    const away = new OffscreenCanvas(shown.width, shown.height);
    const copy = away.getContext("2d", { willReadFrequently: true });
    copy.drawImage(shown, 0, 0);
    const { data } = copy.getImageData(0, 0, shown.width, shown.height);
    let inked = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) inked += 1;
    return inked;"""
PICK_A_PICTURE = """
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 40 });
    canvas.getContext("2d").fillRect(0, 0, 64, 40);
    const blob = await new Promise((made) => canvas.toBlob(made));
    const picked = new DataTransfer();
    picked.items.add(new File([blob], "cat.png", { type: "image/png" }));
    const input = document.querySelector(".pen-tools input[type=file]");
    input.files = picked.files;
    input.dispatchEvent(new Event("change"));"""
SAVED = """
    window.saved = [];
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        const told = [blob.type];
        const size = ({ width, height }) => told.push(width, height);
        if (blob.type === "image/png") createImageBitmap(blob).then(size);
        else blob.text().then((text) => told.push(text));
        window.saved.push(told);
        return make(blob);
    };"""
SHEET = ".sheet .ink:not(.under)"


@pytest.fixture
def ada(lan, start_node):
    return start_node(lan.hosts[0], "Ada")


@pytest.fixture
def bob(lan, start_node):
    return start_node(lan.hosts[1], "Bob")


@pytest.fixture
def page(ada, lan, start_chromium):
    page = start_chromium(lan.hosts[0]).open(ada)
    page.join("tea")
    return page


def draw(page, *steps, start=(-100, -40)):
    """A line by mouse, from `start` (of the middle of the sheet) by these steps."""
    pen = ActionChains(page.driver, duration=50).move_to_element_with_offset(page.one(SHEET), *start)
    pen.click_and_hold()
    for step in steps:
        pen.move_by_offset(*step)
    pen.release().perform()


def test_what_one_draws_is_seen_replayed_and_drawn_on_by_another(lan, ada, bob, page, start_chromium):
    befriend(ada, bob, "tea")
    other = start_chromium(lan.hosts[1]).open(bob)
    other.wait_text(".rooms", "tea")
    other.click(".room")
    page.click(".composer .draw")
    draw(page, (80, 0), (40, 40))
    page.click(".pen-group button[aria-label='Thick']")
    draw(page, (0, 60), start=(0, 0))
    page.click(".pen-group button[aria-label^='Letters']")
    draw(page, start=(-60, 60))
    page.one(".pen-letters").send_keys("Tea <b>!" + Keys.ENTER)
    page.fill(".description", "a pot on a table")
    page.click(".send-drawing")
    page.wait_gone(".board")
    page.wait_text(".card.own figcaption", "a pot on a table")
    other.wait_text(".card figcaption", "a pot on a table")
    other.wait(lambda: other.run(INK, ".card .drawn canvas") > 100, "nothing is painted")
    (sent,) = bob.history("tea")
    strokes = sent["drawing"]["strokes"]
    assert [stroke.get("text") for stroke in strokes] == [None, None, "Tea <b>!"]
    assert strokes[1]["width"] == 3 * strokes[0]["width"]
    other.click(".replay")
    other.wait_text(".replay", "Replay")
    other.click(".take-up")
    draw(other, (50, 20), start=(20, -60))
    other.click(".send-drawing")
    page.wait_text(".card:not(.own) .drawn .note", "With strokes by Ada")
    back = ada.history("tea")[-1]["drawing"]
    assert [stroke.get("known") for stroke in back["strokes"]] == [True, True, True, None]
    assert [author["username"] for author in back["authors"]] == ["Ada"]


def test_the_last_drawings_of_a_room_are_a_flip_book(ada, page):
    for number in range(3):
        line = {"points": [100 * number, 50, 90, 90], "width": 9, "colour": "#123456", "time": [0, 1]}
        body = {"content": f"page {number}", "kind": "drawing", "drawing": {"strokes": [line]}}
        ada.post("/api/rooms/tea/message", body)
    ada.send("tea", "no drawing")
    page.click(".open-flip-book")
    page.click(".flip-book .play")
    page.wait_text(".flip-book .play", "Play")
    seen = []
    for _ in range(3):
        seen += page.texts(".flip-book .note")
        assert page.run(INK, ".flip-book canvas") > 100
        page.click(".flip-book .next")
    assert sorted(seen) == ["page 0", "page 1", "page 2"]


def test_a_stylus_presses_a_finger_does_not_and_what_they_drew_is_saved_as_a_picture(ada, page):
    page.click(".composer .draw")
    page.one(SHEET)
    at = page.run(
        "const { left, top } = document.querySelector(given).getBoundingClientRect(); return [left, top]",
        SHEET,
    )

    def stylus(kind, x, force):
        place = {"x": at[0] + x, "y": at[1] + 40 + x % 7, "force": force}
        pressed = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
        page.devtools("Input.dispatchMouseEvent", {"type": kind, **place, **pressed})

    def finger(kind, *places):
        points = [{"x": at[0] + x, "y": at[1] + y} for x, y in places]
        page.devtools("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    stylus("mousePressed", 30, 0.2)
    for x, force in ((60, 0.3), (90, 0.6), (120, 0.9)):
        stylus("mouseMoved", x, force)
    stylus("mouseReleased", 120, 0)
    finger("touchStart", (40, 90))
    finger("touchMove", (80, 130))
    finger("touchMove", (120, 90))
    finger("touchEnd")
    page.click(".send-drawing")
    page.wait_gone(".board")
    by_stylus, by_finger = ada.history("tea")[-1]["drawing"]["strokes"]
    pressure = by_stylus["pressure"]
    assert pressure == sorted(pressure)
    assert pressure[0] < 4
    assert pressure[-1] > 6
    assert "pressure" not in by_finger
    assert len(by_finger["points"]) >= 6

    page.run(SAVED)
    for button in page.all(".drawn .row button")[2:]:
        button.click()
    page.wait(lambda: page.run("return window.saved.map((one) => one.length)") == [3, 2], "both pictures")
    png, svg = page.run("return window.saved")
    assert png == ["image/png", 2048, 1280]
    assert svg[0] == "image/svg+xml"
    assert svg[1].count("<path") == 2


def test_one_draws_rubs_out_and_takes_back_by_keys_alone(ada, page):
    page.one(".composer .draw").send_keys(Keys.ENTER)
    page.wait(lambda: page.run("return document.activeElement.matches('.sheet .ink')"), "not on the sheet")

    def keys(*pressed):
        page.driver.switch_to.active_element.send_keys(*pressed)

    keys(" ", *[Keys.ARROW_RIGHT] * 5, Keys.ARROW_DOWN, " ")
    page.wait(lambda: page.run(INK, SHEET) > 20, "no line")
    keys(Keys.CONTROL + "z")
    page.wait(lambda: page.run(INK, SHEET) == 0, "still a line")
    keys(Keys.CONTROL + "y")
    page.wait(lambda: page.run(INK, SHEET) > 20, "no line again")
    page.click(".pen-group button[aria-label='Eraser']")
    page.click(".pen-group button[aria-label='Thick']")
    draw(page, (60, 10), start=(-10, 0))
    page.wait(lambda: page.run(INK, SHEET) == 0, "it was not rubbed out")
    page.driver.refresh()
    page.wait_text(".conversation-head h2", "tea")
    page.click(".composer .draw")
    page.click(".send-drawing")
    page.wait_text(".card.own figcaption", "A drawing: 1 stroke in 1 colour")
    strokes = ada.history("tea")[0]["drawing"]["strokes"]
    assert [stroke["colour"] == "paper" for stroke in strokes] == [False, True]


def test_a_picture_to_trace_is_shown_and_never_sent(ada, page):
    page.click(".composer .draw")
    page.one(".pen-tools input[type=file]")
    page.run(PICK_A_PICTURE)
    page.wait_text(".board .note", "stays here")
    assert page.run(INK, ".sheet .under") > 1000
    assert page.run(INK, SHEET) == 0
    draw(page, (30, 0))
    page.run("""
        window.bodies = [];
        const fetched = fetch;
        window.fetch = (path, options) => {
            if (options?.body) bodies.push(options.body);
            return fetched(path, options);
        };""")
    page.click(".send-drawing")
    wait_until(lambda: ada.history("tea"), 10, "nothing was sent")
    (body,) = page.run("return bodies.map((body) => [typeof body, Object.keys(JSON.parse(body))])")
    assert body == ["string", ["content", "kind", "drawing"]]
    (stroke,) = ada.history("tea")[0]["drawing"]["strokes"]
    assert set(stroke) == {"points", "width", "colour", "time"}


def test_strokes_travel_and_come_back_and_are_made_lighter_before_they_are_refused(page):
    result = page.run("""
        const s = await import("/drawing/strokes.js");
        const look = { width: 4, colour: "#123456", time: [0, 5], author: 0 };
        const stroke = { points: [[5, 6, 1], [4, 9, 9]], ...look };
        const back = s.decode(s.encode(stroke));
        const place = (at) => s.onSheet(at % 1024, 320 + 9 * Math.sin(at / 30));
        const wave = (count) => Array.from({ length: count }, (_, at) => [...place(at), null]);
        const many = Array.from({ length: 24 }, () => ({ ...stroke, points: wave(1000) }));
        const lighter = s.drawingOf(many, [{}]);
        const corner = (_, at) => [at % 2 ? 0 : 1024, (at * 7) % 640, null];
        const zigzag = { ...stroke, points: Array.from({ length: 30000 }, corner) };
        return [JSON.stringify(back.points) === JSON.stringify(stroke.points), s.encode(stroke).points,
            lighter !== null && s.fullness(lighter) <= 1, s.fullness({ strokes: many.map(s.encode) }) > 1,
            s.drawingOf([zigzag]), s.simplify([[0, 0], [5, 0], [9, 0]], 0.5).length];""")
    assert result == [True, [5, 6, -1, 3], True, True, None, 2]


def test_an_svg_has_no_more_in_it_than_was_drawn(page):
    found = page.run("""
        const { svgOf } = await import("/drawing/svg.js");
        const text = svgOf([
            { points: [[1, 2, null], [3, 4, null]], width: 4, colour: "#123456" },
            { points: [[5, 6, null]], width: 9, colour: 'red" onload="x', text: "</text><script>x</script>" },
        ], "<title> & more");
        const tags = [...text.matchAll(/<([a-z]+)/g)].map((match) => match[1]);
        return [tags, text.includes("onload"), text.includes("&lt;script&gt;")];""")
    assert found == [["svg", "title", "rect", "path", "text"], False, True]
