"""Test the fuzzer itself: a seed always gives the same files, faults are found, and each type passes a few cases."""

import random
from dataclasses import replace

import pytest
from vizkit.types import registry

from tests.fuzz import finding
from tests.fuzz.changes import change

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
FILES = {
    "a.csv": "a,b\n1,2\n3,4\n",
    "a.json": '{"a": [1, 2, {"b": null}]}',
    "a.md": "# Title\n\nText.\n",
    "a.parquet": "PAR1 and more",
    "a.json.empty": "",
}


@pytest.mark.parametrize("name", FILES)
def test_same_seed_gives_same_files_and_other_seeds_do_not(tmp_path, name):
    made = []
    for seed in (*range(50), *range(50)):
        path = tmp_path / name.removesuffix(".empty")
        path.write_text(FILES[name])
        change(random.Random(seed), path)
        made.append(path.read_bytes())
    assert made[:50] == made[50:]
    assert len(set(made)) > 3


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print(source)", ""),
        ("raise ValueError('The file is empty.')", ""),
        ("raise ValueError(\"'str' object has no attribute 'x'\")", "ValueError in <type>:1: 'str'"),
        ("1 / 0", "ZeroDivisionError in <type>:1: division by zero"),
        ("import json\njson.loads('')", "JSONDecodeError in <type>:2: Expecting value"),
        ("import os\nos._exit(3)", "the process ended: 3"),
        ("class Panic(BaseException): pass\nraise Panic", "Panic in <type>:2: "),
    ],
)
def test_unexplained_error_is_found(tmp_path, monkeypatch, code, said):
    kind = registry.get("table")
    monkeypatch.setattr(finding.registry, "get", lambda _key: replace(kind, code=code))
    (tmp_path / "a.csv").write_text("a\n1\n")
    case = finding.Case("table", 0, tmp_path / "a.csv", {})
    found = [words for _, words in finding.findings([case, case])]
    assert len(found) == (2 if said else 0)
    assert all(words.startswith(said) for words in found), found


def test_each_type_passes_a_few_cases(tmp_path):
    cases = finding.cases_of(tmp_path, (), "test", range(2))
    assert [(case.type_key, case.number, said) for case, said in finding.findings(cases)] == []
