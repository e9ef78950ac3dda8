"""Folders that programs leave behind and rare column types are read as one table. Ignored files are named."""

import json

import pytest

from packages.vizkit.tests.readings import read_all, read_each

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FOLDERS = {
    # name: (files, the columns' values, a part of the notes; "" if there are none)
    "spark": ({"part-0.csv": b"a,b\n1,x\n", "part-1.csv": b"a,b\n2,y\n", "_SUCCESS": b"", ".part-0.csv.crc": b"\0"},
              {"a": [1, 2], "b": ["x", "y"]}, ""),
    "nameless": ({"part-0": b"1,x\n", "part-1": b"2,y\n"}, {"column_1": [1, 2], "column_2": ["x", "y"]}, ""),
    "years": ({"a.csv": b"land,2019,2020\nfr,1,2\n", "b.csv": b"land,2020,2021\nde,3,4\n"},
              {"land": ["fr", "de"], "2019": [1, None], "2020": [2, 3], "2021": [None, 4]}, ""),
    "picture": ({"data.csv": b"a\n1\n", "plot.png": PNG}, {"a": [1]}, "Left out: plot.png is a PNG image"),
    "readme": ({"data.csv": b"a\n1\n", "README.md": b"# Data\nWords, and more of them\nas, prose\n"}, {"a": [1]},
               "shares no column with the others and is left out: README.md"),
    "iceberg": ({"data/p.csv": b"a\n" + b"1\n" * 9, "metadata/v1.json": b'{"format": 2}'}, {"a": [1] * 9},
                "left out: v1.json"),
    "damaged": ({"a.csv": b"a\n1\n", "b.parquet": b"PAR1 no more"}, {"a": [1]}, "b.parquet begins as a Parquet file"),
    "delta": ({"a.csv": b"a\n1\n", "b.csv": b"a\n2\n", "_delta_log/0.json": b'{"add":{"path":"a.csv"}}\n',
               "_delta_log/1.json": b'{"remove":{"path":"a.csv"}}\n{"add":{"path":"b.csv"}}\n'}, {"a": [2]}, ""),
    "desktop": ({"a.csv": b"a\n1\n", "Thumbs.db": b"\xd0\xcf\x11\xe0", ".DS_Store": b"\0"}, {"a": [1]}, ""),
    "schema": ({"a.csv": b"a\n1\n", "schema.json": b'{"type": "object"}'}, {"a": [1]}, ""),
    "mixed": ({"a.csv": b"a,s\n1,0.5\n", "b.jsonl": b'{"a": 2, "s": 0.25}\n'}, {"a": [1, 2], "s": [0.5, 0.25]}, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    root = tmp_path_factory.mktemp("folders")
    for name, (files, *_) in FOLDERS.items():
        for path, content in files.items():
            (root / name / path).parent.mkdir(parents=True, exist_ok=True)
            (root / name / path).write_bytes(content)
    return read_each(root, "columns_of", FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_files_of_one_table_are_read_and_others_are_named(read, name):
    _, columns, said = FOLDERS[name]
    assert read[name].get("columns") == columns, read[name]
    notes = " ".join(read[name]["notes"])
    assert said in notes if said else not notes


def test_numbers_in_folder_names_are_numbers_with_parquet_too(tmp_path):
    found = read_all(tmp_path, """
for year, month in ((2023, "01"), (2024, "02")):
    folder = pathlib.Path(f"data/year={year}/month={month}")
    folder.mkdir(parents=True)
    pl.DataFrame({"a": [year - 2000]}).write_parquet(folder / "p.parquet")
answer = columns_of("data")["columns"]
""")  # fmt: skip
    assert found == {"a": [23, 24], "year": [2023, 2024], "month": ["01", "02"]}


def test_rare_column_types_do_not_break_other_columns(tmp_path):
    found = read_all(tmp_path, """
import decimal
import pyarrow as pa
arrays = {
    "json": pa.array(['{"k":1}', None], pa.json_()),
    "interval": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
    "union": pa.UnionArray.from_dense(pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()),
                                      [pa.array([7]), pa.array(["x"])]),
    "repeated": pa.RunEndEncodedArray.from_arrays([2], ["a"]),
    "wide": pa.array([decimal.Decimal("10.00"), decimal.Decimal("9.00")], pa.decimal256(50, 2)),
}
answer = {}
for ending, new in (("arrow", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
    for name, array in arrays.items():
        table = pa.table({"id": [1, 2], name: array})
        with pa.OSFile(f"{name}.{ending}", "wb") as file, new(file, table.schema) as writer:
            writer.write_table(table)
        path = f"{name}.{ending}"
        answer[path] = [columns_of(path)["columns"], summary_of(path)[name], len(columns_of(path)["notes"])]
""")  # fmt: skip
    expected = {
        "json": (['{"k":1}', None], ["text", 1, 1, '{"k":1}', '{"k":1}'], 0),
        "interval": (["[1, 2, 3]", None], ["text", 1, 1, "[1, 2, 3]", "[1, 2, 3]"], 1),
        "union": (["7", "x"], ["text", 0, 2, "7", "x"], 1),
        "repeated": (["a", "a"], ["text", 0, 1, "a", "a"], 1),
        # Compare by value: as text, 9 would be the largest.
        "wide": (["10.00", "9.00"], ["number", 0, 2, "9.00", "10.00"], 0),
    }
    for name, (values, summary, notes) in expected.items():
        for ending in ("arrow", "stream"):
            assert found[f"{name}.{ending}"] == [{"id": [1, 2], name: values}, summary, notes], (name, ending)


def test_archive_may_contain_desktop_metadata_files(tmp_path):
    found = read_all(tmp_path, """
import io, tarfile, zipfile
with zipfile.ZipFile("a.zip", "w") as archive:
    for name in ("data/", "data/a.csv", "data/.DS_Store", "__MACOSX/data/._a.csv"):
        archive.writestr(name, "" if name.endswith("/") else "a\\n1\\n")
with tarfile.open("a.tar.gz", "w:gz") as archive:
    entry = tarfile.TarInfo("a.csv")
    entry.size = 4
    archive.addfile(entry, io.BytesIO(b"a\\n1\\n"))
answer = [or_error(columns_of, "a.zip"), or_error(columns_of, "a.tar.gz")]
""")  # fmt: skip
    assert found[0] == {"columns": {"a": [1]}, "notes": []}
    assert "is a tar archive" in found[1]["error"]


def test_missing_column_error_lists_the_columns(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"id": 1, "scores": [0.5, 0.25]}]))
    found = read_all(tmp_path, """answer = or_error(area_of, "a.json")""")
    assert found["error"].endswith("Columns found: id (number, such as 1), scores (nested, such as [0.5, 0.25]).")
