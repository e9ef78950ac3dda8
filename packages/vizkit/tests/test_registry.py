import dataclasses

import pytest
from vizkit.types import registry

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "{key}"
# title = "Mine"
# description = "A type of my own."
# patterns = ["*.Mine"]
# ///
print("mine")
"""


def test_predefined_types_have_no_problems():
    assert registry.problems() == []
    assert {"roc_curve", "table", "confusion_matrix", "custom"} <= set(registry.types())


def test_keys_ignore_case():
    assert registry.get("ROC_CURVE") is registry.get("roc_curve")


def test_unknown_type_error_lists_the_known_types():
    with pytest.raises(registry.UnknownTypeError, match=r"'\.\./x'.*table"):
        registry.get("../x")


def test_file_adds_a_type_and_a_changed_file_is_reloaded(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(HEADER.format(key="mine"))
    mine = registry.get("mine", [tmp_path])
    assert mine.code == 'print("mine")\n'
    assert mine.fits("", "a.mine") > mine.fits("system.Dataset", "a.csv") == 0
    path.write_text(HEADER.format(key="mine") + "# more\n")
    assert registry.get("mine", [tmp_path]).version != mine.version


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# /// script\nprint(1)", "PEP 723"),
        (HEADER.format(key="Not a key"), "key"),
        (HEADER.format(key="mine").replace('title = "Mine"', "title = "), "TOML"),
        (HEADER.format(key="mine").replace('title = "Mine"', 'titel = "Mine"'), "title"),
        (HEADER.format(key="custom"), "cannot be replaced"),
    ],
)
def test_invalid_type_file_is_explained_and_skipped(tmp_path, text, words):
    (tmp_path / "mine.py").write_text(text)
    assert any(words in problem for problem in registry.problems([tmp_path]))
    assert "mine" not in registry.types([tmp_path])
    assert registry.get("table", [tmp_path]).path.parent == registry.PREDEFINED_DIR


def test_types_that_match_the_artifact_come_first():
    assert registry.suggest("system.Dataset", "data.csv")[0].key == "table"
    assert registry.suggest("system.Dataset", "data")[0].key == "table"
    about_scores = {"calibration", "confusion_matrix", "precision_recall", "roc_curve"}
    assert registry.suggest("system.Dataset", "predictions")[0].key in about_scores
    assert registry.suggest("system.HTML", "report")[0].key == "html"
    assert registry.suggest("system.Markdown", "text")[0].key == "markdown"
    assert registry.suggest("system.Artifact", "run.ipynb")[0].key == "notebook"


def test_type_in_a_folder_overrides_the_predefined_one(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "table.py").write_text("print(source)")
    assert registry.get("table", [first, second]).path == first / "table.py"
    assert list(registry.types([first])) == list(registry.types())
    assert any("already taken" in problem for problem in registry.problems([first, second]))
    assert registry.problems([first]) == []


def test_custom_type_cannot_be_overridden(tmp_path):
    (tmp_path / "own.py").write_text(HEADER.format(key="custom"))
    assert registry.get("custom", [tmp_path]).path.parent == registry.PREDEFINED_DIR


@pytest.mark.parametrize(
    "content",
    ["a = " + "[" * 5000, "a = " + "9" * 5000, "tool = 1", "\n# /// a\n#" * 20_000, "[tool]\n# vizportal = 1"],
    ids=lambda text: text[:8],
)
def test_hostile_header_is_reported_as_a_problem(content, tmp_path):
    (tmp_path / "bad.py").write_text(f"# /// script\n# {content}\n# ///\n1\n")
    assert [text.partition(":")[0] for text in registry.problems([tmp_path])] == ["bad.py"]


def test_added_types_override_no_file_and_rank_after_matching_files():
    table = registry.get("table")
    added = dataclasses.replace(
        table,
        key="mine",
        path=None,
        artifact_types=("system.Dataset", "ExampleStatistics"),
        patterns=("*.csv", "*.xyz"),
    )
    other = dataclasses.replace(table, title="Another", path=None)
    assert registry.get("table", more=(other,)).title == table.title
    order = registry.suggest("system.Dataset", "a.csv", tfx_type="ExampleStatistics", more=(added,))
    assert (order[0].key, "mine" in [each.key for each in order[:3]]) == ("tfdv", True)
    assert registry.suggest("", "a.xyz", more=(added,))[0].key == "mine"
