"""Compare the statistics that we read and compute with the real TFDV's for the same files."""

import copy
import gzip
import math
import re

import pytest

from packages.vizkit.tests.examples_tfx import EXAMPLES, RECORDS, TIPS
from packages.vizkit.tests.independent import compute
from packages.vizkit.tests.statistics_code import DATA, FIGURES, FORMS, ODD, OURS, assert_same, payload

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("statistics")
    compute("base", TIPS + DATA, found)
    (found / "odd.csv").write_text(ODD)
    return found


@pytest.fixture(scope="module")
def told_by_tfdv(folder):
    """Returns TFDV's figures by file and feature, and writes its messages beside the files. It takes half a minute."""
    return compute("tfx", FIGURES + FORMS, folder)


@pytest.fixture
def real(told_by_tfdv):
    """Returns the figures of files that are small enough for TFDV to be exact."""
    return copy.deepcopy({path: figures for path, figures in told_by_tfdv.items() if "/" not in path})


def without_values(real):
    """Returns TFDV's figures with None instead of its zeros for features without numbers."""
    for data in real.values():
        for figures in data["features"].values():
            if figures.get("nan") and not figures["standard"]:
                figures.update(dict.fromkeys(("mean", "std_dev", "min", "median", "max"), math.nan))
    return real


def test_figures_computed_from_csv_match_tfdv(folder, real):
    ours = compute(
        "base", OURS + "answer = {path: told(compute_statistics(path)[0]) for path in glob.glob('*.csv')}", folder
    )
    assert len(ours) == 7
    assert sum(len(data["features"]) for data in real.values()) > 80
    for path, expected in without_values(real).items():
        assert list(ours[path]["features"]) == list(expected["features"]), path
        assert_same(ours[path], expected, path)


def test_figures_read_from_tfdvs_files_match_tfdv(folder, real):
    code = "answer = {path: told(read_statistics(path)[0]) for path in glob.glob('*.pb')}"
    ours = compute("base", OURS + code, folder)
    for path, expected in without_values(real).items():
        assert_same(ours[path.replace(".csv", ".pb")], expected, path)


def test_figures_of_large_data_are_within_tfdvs_tolerance(folder, told_by_tfdv):
    # TFDV estimates quantiles of this many values. Ours are exact, so the difference is at most TFDV's error.
    theirs = told_by_tfdv["large/large.csv"]["features"]["x"]
    ours = compute("base", OURS + "answer = told(compute_statistics('large/large.csv')[0])", folder)["features"]["x"]
    for name in ("count", "missing", "zeros"):
        assert ours[name] == theirs[name]
    for name in ("mean", "std_dev", "min", "max"):
        assert math.isclose(ours[name], theirs[name], rel_tol=1e-9)
    for one, other in zip(ours["standard"], theirs["standard"], strict=True):
        assert abs(one[2] - other[2]) <= 0.01 * 60000
    assert abs(ours["median"] - theirs["median"]) < 0.03


def test_parquet_has_the_same_figures_as_csv(folder, real):
    code = "import polars as pl; pl.read_csv('tips.csv').write_parquet('tips.parquet')\n"
    code += "answer = told(compute_statistics('tips.parquet')[0])['features']"
    ours = compute("base", OURS + code, folder)
    theirs = real["tips.csv"]["features"]
    for name in ("sex", "day", "size"):
        assert_same(ours[name], theirs[name], name)
    # Numbers of a CSV file are stored in 32 bits, those of a Parquet file in their own type.
    assert math.isclose(ours["tip"]["mean"], theirs["tip"]["mean"], rel_tol=1e-6)


def test_compressed_csv_has_the_same_figures(folder, real, tmp_path):
    (tmp_path / "tips.csv.gz").write_bytes(gzip.compress((folder / "tips.csv").read_bytes()))
    ours = compute("base", OURS + "answer = told(compute_statistics('tips.csv.gz')[0])", tmp_path)
    assert_same(ours, real["tips.csv"])


@pytest.mark.parametrize("kind", ["pb", "text", "records", "compressed", "shards"])
def test_every_format_that_tfdv_writes_is_read(folder, real, kind):
    code = "found = read_statistics('.'); assert len(found) == 1; answer = told(found[0])"
    ours = compute("base", OURS + code, folder / "forms" / kind)
    assert_same(ours, real["tips.csv"])


def test_groups_of_a_table_become_data_sets(draw, folder):
    _, page = draw("tfdv", folder / "tips.csv", split_by="sex", features=["tip", "day"])
    shown = payload(page)
    assert [(each["name"], each["examples"]) for each in shown["datasets"]] == [("Female", 87), ("Male", 157)]
    assert [each["name"] for each in shown["features"]] == ["tip", "day"]


def test_tfdv_reads_records_and_csv_in_the_sandbox(draw, folder, real, tmp_path):
    compute("tfx", TIPS + RECORDS, tmp_path)
    outcome, page = draw("tfdv_raw", tmp_path / "examples", show_schema=True)
    assert outcome.state == "succeeded", outcome.traceback
    shown = payload(page)
    assert [(each["name"], each["examples"]) for each in shown["datasets"]] == [("eval", 64), ("train", 180)]
    seats = next(each for each in shown["features"] if each["name"] == "seats")["sets"][1]
    assert (seats["fewest"], seats["most"], seats["values"]) == (1, 6, 458)
    assert 'class="stderr"' not in page
    outcome, page = draw("tfdv_raw", folder / "wine.csv")
    expected = real["wine.csv"]["features"]["alcohol"]
    alcohol = next(each for each in payload(page)["features"] if each["name"] == "alcohol")["sets"][0]
    assert_same(
        {name: alcohol[name] for name in ("mean", "std_dev", "standard", "quantiles")},
        {name: expected[name] for name in ("mean", "std_dev", "standard", "quantiles")},
    )


def damage_packed(content):
    """Changes a byte in the middle of the compressed data."""
    return content[:200] + bytes([content[200] ^ 255]) + content[201:]


def damage_record(content):
    """Changes a byte in the first record, so that its checksum is wrong."""
    plain = gzip.decompress(content)
    return gzip.compress(plain[:20] + bytes([plain[20] ^ 255]) + plain[21:])


@pytest.mark.parametrize("damage", [damage_packed, damage_record])
def test_damaged_records_are_reported_in_one_sentence(draw, tmp_path, damage):
    source, _ = EXAMPLES["tfdv_raw"](tmp_path)
    path = next(source.rglob("*.gz"))
    path.write_bytes(damage(path.read_bytes()))
    outcome, _ = draw("tfdv_raw", source)
    assert outcome.state == "failed"
    assert outcome.message.startswith("TFDV cannot read s3://b/data: "), outcome.message
    assert outcome.message.endswith(".")
    assert "b'" not in outcome.message
    assert "\n" not in outcome.message


def test_names_with_invalid_utf_8_are_shown(draw, tmp_path):
    source, _ = EXAMPLES["tf_anomalies"](tmp_path)
    path = next(source.rglob("*.pb"))
    content = path.read_bytes()
    assert content.count(b"\x05\x0a\x03tip") > 1
    path.write_bytes(content.replace(b"\x05\x0a\x03tip", b"\x05\x0a\x03t\xffp"))
    outcome, page = draw("tf_anomalies", source)
    assert outcome.state == "succeeded", outcome.message
    assert "t\ufffdp" in page


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 390)])
def test_hostile_data_is_escaped_and_accessible(draw, opened, folder, real, theme, width):
    path = folder / "hostile.csv"
    path.write_text('"</script><img src=x onerror=alert(1)>",😀 & co\n1,<b>x</b>\n2,"</td>"\n')
    _, page = draw("tfdv", path)
    path.unlink()
    found = opened(page, theme=theme, width=width)
    assert found.page.locator("img").count() == 0
    assert "</script><img src=x onerror=alert(1)>" in found.page.locator(".st-card h3").first.inner_text()
    _, page = draw("tfdv", folder / "odd.pb")
    found = opened(page, theme=theme, width=width)
    for name, value in (("Buckets of", "quantiles"), ("Scale", "log"), ("Show", "percent")):
        found.page.get_by_role("combobox", name=name).select_option(value)
    found.page.locator(".st-card summary").first.click()
    found.page.get_by_role("table").first.wait_for()
    assert (found.faults, found.axe()) == ([], [])
    found.page.get_by_role("combobox", name="As").select_option("table")
    assert found.page.get_by_role("row", name=re.compile("^ints as text")).inner_text().split()[3] == "4"
    assert found.axe() == []
    assert found.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
