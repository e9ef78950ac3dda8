"""Show pictures and texts as cards."""

import base64
import json

import pytest

from packages.vizkit.tests.examples import all_examples
from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel
MAKE = """
import base64, io, json, os, numpy as np, polars as pl
from PIL import Image
def png(side, colour):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()
"""


@pytest.fixture
def cards(draw):
    def cards(source, **given):
        outcome, page = draw("grid", source, **given)
        assert outcome.state == "succeeded", outcome.traceback
        return json.loads(page.partition('<script type="application/json">')[2].partition("</script>")[0])

    return cards


def test_pictures_of_a_folder_are_scaled_down_and_labelled_by_folder(cards, tmp_path):
    compute("base", f"""{MAKE}
os.makedirs("pics/cats")
noise = np.random.default_rng(1).integers(0, 255, (600, 900, 3)).astype("uint8")
Image.fromarray(noise).save("pics/cats/<i>.jpg", exif=Image.Exif())
Image.fromarray(noise).save("pics/b.bmp")
Image.new("RGB", (9, 9)).save("pics/c.gif"); Image.new("RGB", (9, 9)).save("pics/d.webp")
open("pics/e.svg", "w").write("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
open("pics/f.txt", "w").write("words <b>")
open("pics/g.png", "wb").write(png(9, "red")[:40])
answer = None
""", tmp_path)  # fmt: skip
    found = cards(tmp_path / "pics")
    by_name = {card["caption"]: card for card in found["cards"]}
    assert found["total"] == 7
    photo = by_name["<i>.jpg"]
    assert (photo["label"], photo["size"]) == ("cats", "900 x 600")
    assert len(photo["src"]) < 40_000
    kinds = {name: card.get("src", "").partition(";")[0] for name, card in by_name.items()}
    assert kinds == {
        "<i>.jpg": "data:image/jpeg", "b.bmp": "data:image/jpeg", "c.gif": "data:image/gif",
        "d.webp": "data:image/webp", "e.svg": "data:image/svg+xml", "f.txt": "", "g.png": "",
    }  # fmt: skip
    assert by_name["f.txt"]["text"] == "words <b>"
    assert by_name["g.png"]["missing"]


def test_pictures_of_a_table_are_bytes_base64_or_file_names(cards, tmp_path):
    compute("base", f"""{MAKE}
os.makedirs("data")
open("data/one.png", "wb").write(png(8, "red")); open("secret.png", "wb").write(png(8, "red"))
rows = [dict(file_name="one.png", label=1, text="<b>"), dict(file_name="../secret.png", label=2, text=None)]
pl.DataFrame(rows).write_csv("data/metadata.csv")
pl.DataFrame([dict(image=dict(bytes=png(8, "red"), path=None), label="x")]).write_parquet("hf.parquet")
pl.DataFrame([dict(img=base64.b64encode(png(8, "red")).decode(), target="y")]).write_ndjson("b64.jsonl")
answer = base64.b64encode(png(8, "red")).decode()
""", tmp_path)  # fmt: skip
    first, second = cards(tmp_path / "data")["cards"]
    assert (first["label"], first["caption"], first["facts"]) == ("1", "one.png", [["text", "<b>"]])
    assert first["src"].startswith("data:image/png")
    assert "src" not in second
    for name, label in (("hf.parquet", "x"), ("b64.jsonl", "y")):
        (card,) = cards(tmp_path / name)["cards"]
        assert (card["label"], card["src"]) == (label, first["src"])
        assert base64.b64decode(card["src"].partition(",")[2])[:4] == b"\x89PNG"


def test_cards_may_have_only_texts_and_labels(cards, tmp_path):
    (tmp_path / "a.csv").write_text("id,review,label,score\n1,A fine film,good,0.9\n2,Dull,bad,0.10\n")
    first = cards(tmp_path / "a.csv")["cards"][0]
    assert first == {"text": "A fine film", "label": "good", "facts": [["id", "1"], ["score", "0.9"]]}
    only = cards(tmp_path / "a.csv", text_columns=["score"], label_column="id")["cards"][1]
    assert only == {"text": "0.10", "label": "2"}


def test_examples_over_the_limits_are_counted_but_not_shown(cards, tmp_path):
    (tmp_path / "a.csv").write_text("text\n" + ("x" * 3999 + "\n") * 1000)
    found = cards(tmp_path / "a.csv", max_examples=1000, max_megabytes=1)
    assert 200 < len(found["cards"]) < 260
    assert found["total"] == 1000
    assert len(cards(tmp_path / "a.csv", max_examples=7)["cards"]) == 7


@pytest.mark.parametrize(
    ("name", "content", "given", "words"),
    [
        ("a.bin", b"\x00\x01", {}, "There are no pictures"),
        ("a.csv", b"a,b\n", {}, "The table has no rows."),
        (
            "a.csv",
            b"a,b\n1,2\n",
            {"image_column": "c"},
            'Column "c" is not in the file. Columns found: a (number, such as 1), b (number, such as 2).',
        ),
    ],
)
def test_unusable_source_is_explained(draw, tmp_path, name, content, given, words):
    (tmp_path / name).write_bytes(content)
    outcome, _ = draw("grid", tmp_path / name, **given)
    assert words in outcome.message


def test_damaged_table_is_reported(draw, tmp_path):
    source, given = all_examples()["grid"](tmp_path)
    content = bytearray(source.read_bytes())
    # Damage the header of the first page, after the file's magic bytes. The schema at the end stays intact.
    content[4:12] = b"\xff" * 8
    source.write_bytes(content)
    outcome, _ = draw("grid", source, **given)
    assert (outcome.state, outcome.message) == (
        "failed",
        f"{source.name} is damaged, so it cannot be read as a table to its end.",
    )


@pytest.mark.browser
def test_cards_can_be_filtered_and_paged(draw, opened, tmp_path):
    lines = "".join(f"text {n} <b>,{'even' if n % 2 == 0 else 'odd'}\n" for n in range(70))
    (tmp_path / "a.csv").write_text(f"text,label\n{lines}")
    found = opened(draw("grid", tmp_path / "a.csv")[1])
    page = found.page
    assert page.locator("li").count() == 60
    page.get_by_role("button", name="Next").click()
    assert page.locator("li").count() == 10
    page.get_by_label("Label").select_option("odd")
    assert page.locator("li").count() == 35
    page.get_by_label("Search the examples").fill("text 6")
    assert page.locator("li .vk-gallery-text").all_inner_texts() == [f"text {n} <b>" for n in (61, 63, 65, 67, 69)]
    assert (found.faults, found.axe()) == ([], [])
