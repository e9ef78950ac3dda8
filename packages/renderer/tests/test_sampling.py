"""A sample has the first rows of each table in a source. It is made in the sandbox."""

import pytest

pytestmark = pytest.mark.kernel


def lines(outcome):
    return [line for line in outcome.log.splitlines() if line]


def test_text_sample_has_the_header_and_first_rows(run, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("n,t\n" + "".join(f"{number},x\n" for number in range(5000)))
    outcome = run("print(len(open(source).readlines()), open(source).readline().strip())", source=path, sample_rows=10)
    assert lines(outcome) == ["11 n,t"]
    assert len(path.read_text().splitlines()) == 5001


def test_json_lines_are_cut_but_documents_are_not(run, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n' * 50)
    (tmp_path / "one.json").write_text("{\n" + ",\n".join(f'"k{n}": {n}' for n in range(50)) + "\n}")
    (tmp_path / "page.html").write_text("<p>\n" * 50)
    code = (
        "import pathlib\n"
        "for path in sorted(pathlib.Path(source).iterdir()): print(path.name, len(path.read_text().splitlines()))"
    )
    for name in ("rows.jsonl", "one.json", "page.html"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "in" / name)
    outcome = run(code, source=tmp_path / "in", sample_rows=10)
    assert lines(outcome) == ["one.json 52", "page.html 50", "rows.jsonl 11"]


def test_source_pattern_still_works_with_a_sample(run, tmp_path):
    for split in ("train", "eval"):
        (tmp_path / "d" / split).mkdir(parents=True)
        (tmp_path / "d" / split / "a.csv").write_text("n\n" + "1\n" * 50)
    code = "import glob\nfor path in sorted(glob.glob(source)): print(path.split('/')[-2], len(open(path).readlines()))"
    outcome = run(code, source=tmp_path / "d" / "*" / "a.csv", sample_rows=5)
    assert lines(outcome) == ["eval 6", "train 6"]


def test_columnar_files_are_cut_to_the_first_rows(run, tmp_path, interpreter):
    import subprocess

    program = (
        "import sys, polars as pl; frame = pl.DataFrame({'n': range(5000)});"
        "frame.write_parquet(sys.argv[1] + '/a.parquet'); frame.write_ipc(sys.argv[1] + '/a.arrow')"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    subprocess.run([str(interpreter), "-c", program, str(folder)], check=True)
    code = (
        "import polars as pl\n"
        "print(pl.read_parquet(source + '/a.parquet').height, pl.read_ipc(source + '/a.arrow')['n'].to_list()[-1])"
    )
    outcome = run(code, source=folder, sample_rows=7)
    assert lines(outcome) == ["7 6"], outcome.message


def test_sample_without_source_succeeds(run):
    assert run("print(repr(source))", sample_rows=5).state == "succeeded"
