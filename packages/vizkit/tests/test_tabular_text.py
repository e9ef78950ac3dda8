"""Delimited text and JSON are read as intended, and every assumption is reported."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest

from packages.vizkit.tests.readings import read_all, read_each

TEXTS = {
    # name: (content, the columns' values, a part of the notes; "" if there are none)
    "bom.csv": ("\ufeffid,name\n1,Ångström\n".encode(), {"id": [1], "name": ["Ångström"]}, ""),
    "utf16.csv": ("id,name\n1,Ångström\n".encode("utf-16"), {"id": [1], "name": ["Ångström"]}, "Read as UTF-16"),
    "utf16le.csv": ("id,name\n1,word\n".encode("utf-16-le"), {"id": [1], "name": ["word"]}, "Read as UTF-16"),
    "latin.csv": ("id,name\n1,naïve\n".encode("cp1252"), {"id": [1], "name": ["naïve"]}, "Read as Windows-1252"),
    "latin1.csv": (b"id,name\n1,\x81\xe9\n", {"id": [1], "name": ["\x81é"]}, "Read as Latin-1"),
    "cr.csv": (b"id,name\r1,a\r2,b\r", {"id": [1, 2], "name": ["a", "b"]}, ""),
    "crlf.csv": (b'id,name\r\n1,"a\r\nb"\r\n', {"id": [1], "name": ["a\r\nb"]}, ""),
    "sep.csv": (b"sep=;\nid;name\n1;a,b\n", {"id": [1], "name": ["a,b"]}, ""),
    "comment.csv": (b"# by job 12\nid,name\n1,a\n", {"id": [1], "name": ["a"]}, "1 line of comments"),
    "savetxt.csv": (b"# x,y\n1.5,2\n3,4\n", {"x": [1.5, 3.0], "y": [2, 4]}, ""),
    "spaced.csv": (b'id, name, n\n1, "a, b", 3\n', {"id": [1], "name": ["a, b"], "n": [3]}, "A space follows"),
    "quoted.csv": (b'"a; b; c","d"\nq,1\n', {"a; b; c": ["q"], "d": [1]}, ""),
    "newline.csv": (b'"price\n(EUR)",n\n1.5,2\n', {"price\n(EUR)": [1.5], "n": [2]}, ""),
    "tabs.txt": (b"a\tb\n1,5\tx\n", {"a": [1.5], "b": ["x"]}, "decimal comma"),
    "commas.tsv": (b"city, state, country\tn\na, b, c\t1\n", {"city, state, country": ["a, b, c"], "n": [1]}, ""),
    "wide_mark.csv": ("sep=€\na€b€c\n1€x, y€2\n3€z\n".encode(),
                      {"a": [1, 3], "b": ["x, y", "z"], "c": [2, None]}, "1 line has fewer"),
    "bars.csv": (b"a|b\n1|2\n", {"a": [1], "b": [2]}, ""),
    "comma.csv": (b"x;y\n1,5;2\n-2.000,5;3\n", {"x": [1.5, -2000.5], "y": [2, 3]}, "decimal comma"),
    "thousands.csv": (b'x,y\n"1,234.5",2\n"12",3\n', {"x": [1234.5, 12.0], "y": [2, 3]}, "thousands separators"),
    "short.csv": (b"a,b,c\n1,2\n3,4,5\n6\n",
                  {"a": [1, 3, 6], "b": [2, 4, None], "c": [None, 5, None]}, "2 lines have fewer"),
    "long.csv": (b"a,b\n1,2\n3,4,5\n6,7\n", {"a": [1, 3, 6], "b": [2, 4, 7]}, "1 line has more cells"),
    "twins.csv": (b"a,a,,b\n1,2,3,4\n", {"a": [1], "a (2)": [2], "column_3": [3], "b": [4]}, "the same name"),
    "blank.csv": (b"a,b\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}, ""),
    "nul.csv": (b"a,b\n1,x\x00y\n", {"a": [1], "b": ["x\x00y"]}, "1 NUL character"),
    "bare.csv": (b"setosa,5.1,3\nvirginica,6.3,2\n",
                 {"column_1": ["setosa", "virginica"], "column_2": [5.1, 6.3], "column_3": [3, 2]}, "holds values"),
    "pandas.csv": (b",0,1\n0,5,6\n1,7,8\n", {"column_1": [0, 1], "0": [5, 7], "1": [6, 8]}, "without a name"),
    "years.csv": (b"land,2019,2020\nfr,1,2\n", {"land": ["fr"], "2019": [1], "2020": [2]}, ""),
    "stray.csv": (b'a,b\n1,"open\n2,x\n', {"a": [1, 2], "b": ['"open', "x"]}, "never closed"),
    "inner.csv": (b'a,b\n"x"y,1\n"z,2\n3,4\n', None, "quotation marks are misplaced"),
    "ids.csv": (b"zip,id,u,wide\n00123,9007199254740993,18446744073709551615,170141183460469231731687303715884105727\n",
                {"zip": ["00123"], "id": [9007199254740993], "u": [18446744073709551615],
                 "wide": [170141183460469231731687303715884105727]}, ""),
    "words.csv": (b"n,word,nan\n1,NA,1\nNA,x,NaN\n", {"n": [1, None], "word": ["NA", "x"], "nan": [1.0, "nan"]}, ""),
    "truth.csv": (b"t,u\nTrue,true\nFALSE,\n", {"t": [True, False], "u": [True, None]}, ""),
    "infinite.csv": (b"x\ninf\n-inf\n1e400\n2\n", {"x": ["inf", "-inf", "inf", 2.0]}, ""),
    "pattern.csv": (b"*,^.*$\n1,2\n", {"*": [1], "^.*$": [2]}, ""),
    "spaces.txt": (b"1.0e+00 2.0e+00\n3.0e+00 4.0e+00\n",
                   {"column_1": [1.0, 3.0], "column_2": [2.0, 4.0]}, "holds values"),
    "french.csv": ("a;b\n1\u202f234,5;2\n12,0;3\n".encode(), {"a": [1234.5, 12.0], "b": [2, 3]}, "decimal comma"),
    "hard_space.csv": ("a;b\n1\xa0234,5;2\n".encode(), {"a": [1234.5], "b": [2]}, "decimal comma"),
    "swiss.csv": (b"a;b\n1'234.50;2\n", {"a": [1234.5], "b": [2]}, "thousands separators"),
    "indian.csv": (b'a\n"12,34,567.00"\n"1,234.00"\n', {"a": [1234567.0, 1234.0]}, "thousands separators"),
    "german.csv": (b"a;b\n1.234;2,5\n12.500;3,5\n", {"a": [1234, 12500], "b": [2.5, 3.5]}, "in a, b"),
    "millions.csv": (b"a;b\n1.234.567;x\n2.345;y\n", {"a": [1234567, 2345], "b": ["x", "y"]}, "decimal comma"),
    "money.csv": ('a,b,c\n"$1,234.50",5 %,(12.00)\n€7.00,3%,1\n'.encode(),
                  {"a": [1234.5, 7.0], "b": [5, 3], "c": [-12.0, 1.0]}, "Percent and currency signs are left out"),
    "minus.csv": ("a,b\n\u22125,(1)\n6,(2)\n".encode(), {"a": [-5, 6], "b": ["(1)", "(2)"]}, "left out in a:"),
    "phone.csv": (b"p,ip\n555 123 456,192.168.100.200\n555 987 654,192.168.100.201\n",
                  {"p": ["555 123 456", "555 987 654"], "ip": ["192.168.100.200", "192.168.100.201"]}, ""),
    "digits.csv": (f"id\n{10**40 + 1}\n1\n".encode(), {"id": [str(10**40 + 1), "1"]}, ""),
    "missing.csv": (b"a,b,c\n1,2,3\n#N/A,n/a,#DIV/0!\n   ,4,5\n",
                    {"a": [1, None, None], "b": [2, None, 4], "c": [3, None, 5]}, ""),
    "question.csv": (b"a,b\n1,2\n?,3\n3,4\n", {"a": ["1", "?", "3"], "b": [2, 3, 4]}, '1 value of 3 is not a number'),
    "lost.csv": (b"n,loss\n1,nan\n2,nan\n", {"n": [1, 2], "loss": ["nan", "nan"]}, ""),
    "septab.csv": (b"sep=\t\r\na\tb\r\n1\t2\r\n", {"a": [1], "b": [2]}, ""),
    "wide.csv": ("名前,値\n東京,1\n".encode("utf-16-le"), {"名前": ["東京"], "値": [1]}, "Read as UTF-16"),
    "ends.csv": (b"a,b\r\n1,2\n3,4\r5,6\n", {"a": [1, 3, 5], "b": [2, 4, 6]}, ""),
    "half.csv": ("a,b\n1,é".encode()[:-1], {"a": [1], "b": [None]}, "ends in the middle of a character"),
    "hash.csv": (b"#,name\n1,a\n2,b\n", {"#": [1, 2], "name": ["a", "b"]}, ""),
    "classes.csv": (b"target,0,1\na,0.5,0.5\nb,0.2,0.8\n",
                    {"target": ["a", "b"], "0": [0.5, 0.2], "1": [0.5, 0.8]}, ""),
    "table.txt": (b"epoch  loss\n1      0.5\n2      0.4\n", {"epoch": [1, 2], "loss": [0.5, 0.4]}, "by spaces"),
    "printed.txt": (b"   a  b\nx  1  2\ny  3  4\n", {"column_1": ["x", "y"], "a": [1, 3], "b": [2, 4]}, "by spaces"),
    "rows.txt": (b'"mpg" "cyl"\n"Mazda RX4" 21.5 6\n"Datsun 710" 22.8 4\n',
                 {"column_1": ["Mazda RX4", "Datsun 710"], "mpg": [21.5, 22.8], "cyl": [6, 4]}, "by spaces"),
    "rows.tsv": (b'"mpg"\t"cyl"\n"Mazda"\t21\t6\n', {"column_1": ["Mazda"], "mpg": [21], "cyl": [6]}, "without a name"),
    "dates.txt": (b"t\n2024-01-01 10:00:00\n", {"t": ["2024-01-01 10:00:00"]}, ""),
    "titles.csv": (b"Sales of 2024\n\nid,name,n\n1,a,2\n2,b,3\n",
                   {"id": [1, 2], "name": ["a", "b"], "n": [2, 3]}, "above the table are left out: Sales of 2024."),
    "excel.csv": (b"Sales;;\nid;name;n\n1;a;2,5\n", {"id": [1], "name": ["a"], "n": [2.5]}, "1 line above the table"),
    "nan.jsonl": (b'{"a": 1, "b": NaN}\n{"a": 2, "b": -Infinity}\n{"a": 3, "b": 1e400}\n',
                  {"a": [1, 2, 3], "b": ["nan", "-inf", "inf"]}, ""),
    "late.jsonl": (b'{"a": 1}\n{"b": "x"}\n', {"a": [1, None], "b": [None, "x"]}, ""),
    "mixed.jsonl": (b'{"a": 1}\n{"a": "x"}\n{"a": true}\n', {"a": ["1", "x", "true"]}, "several types"),
    "cut.jsonl": (b'{"a": 1}\n{"a": 2}\n{"a": 3', {"a": [1, 2]}, "cut off"),
    "commas.jsonl": (b'{"a": 1},\n{"a": 2},\n', {"a": [1, 2]}, ""),
    "returns.jsonl": (b'{"a": 1}\r{"a": 2}\r', {"a": [1, 2]}, ""),
    "behind.json": (b'{"a": 1}{"a": 2} {\n"a": 3\n}', {"a": [1, 2, 3]}, ""),
    "sequence.json": (b'\x1e{"a": 1}\n\x1e{"a": 2}\n', {"a": [1, 2]}, ""),
    "arrays.json": (b'[{"a": 1}, {"a": 2}]\n[{"a": 3}]\n', {"a": [1, 2, 3]}, ""),
    "log.jsonl": (b'{"a": 1}\n' * 10 + b'oops\n{"a": 2}\n', {"a": [1] * 10 + [2]}, "1 line is not JSON and"),
    "half.json": (b'[{"a": "\\ud83d\\ude00"}, {"a": "\\ud83d"}]', {"a": ["😀", "\\ud83d"]}, "Halves of characters"),
    "tab.json": (b'[{"a": "x\ty"}]', {"a": ["x\ty"]}, ""),
    "answer.json": (b'{"status": "ok", "data": [{"a": 1}, {"a": 2}], "meta": {"n": 2}}', {"a": [1, 2]},
                    'those of "data"; left out: status, meta.'),
    "deep.json": (b'{"data": {"rows": [{"a": 1}, {"a": 2}]}}', {"a": [1, 2]}, 'those of "rows"'),
    "header.json": (b'[["a", "b"], [1, "x"], [2, "y"]]', {"a": [1, 2], "b": ["x", "y"]}, "named by the first list"),
    "series.json": (b'{"0": 1.5, "1": 2}', {"value": [1.5, 2.0]}, ""),
    "named.json": (b'{"u": {"a": 1, "b": "x"}, "v": {"a": 2, "b": "y"}}',
                   {"index": ["u", "v"], "a": [1, 2], "b": ["x", "y"]}, "are read as rows"),
    "columns.json": (b'{"a": {"u": 1, "v": 2}, "b": {"u": "x", "v": "y"}, "c": {"u": 3, "v": 4}}',
                     {"index": ["u", "v"], "a": [1, 2], "b": ["x", "y"], "c": [3, 4]}, "are read as columns"),
    "twins.json": (b'{"columns": ["a", "a"], "data": [[1, 2], [3, 4]]}', {"a": [1, 3], "a (2)": [2, 4]}, "same name"),
    "numpy.txt": (b"[[17  6]\n [ 5 25]]\n", {"column_1": [17, 5], "column_2": [6, 25]}, ""),
    "wide.json": (b'[{"a": 9007199254740993}, {"a": 18446744073709551615}]',
                  {"a": [9007199254740993, 18446744073709551615]}, ""),
    "one.json": (b'{"a": 1, "b": "x"}', {"a": [1], "b": ["x"]}, ""),
    "wrapped.json": (b'{"count": 2, "items": [{"a": 1}, {"a": 2}]}', {"a": [1, 2]}, 'those of "items"'),
    "lists.json": (b'{"a": [1, 2], "b": [3]}', {"a": [1, 2], "b": [3, None]}, "different lengths"),
    "rows.json": (b'[[1, "x"], [2, "y"]]', {"column_1": [1, 2], "column_2": ["x", "y"]}, ""),
    "some.json": (b'[{"a": 1}, 7]', {"a": [1]}, "1 item of 2"),
}  # fmt: skip


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    for name, (content, *_) in TEXTS.items():
        (folder / name).write_bytes(content)
    return read_each(folder, "columns_of", TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_values_are_read_as_intended(read, name):
    _, columns, said = TEXTS[name]
    assert "error" not in read[name], read[name]
    assert columns is None or read[name]["columns"] == columns
    notes = " ".join(read[name]["notes"])
    assert any(part in notes for part in said.split("|")) if said else not notes


def test_explicit_settings_override_detection(tmp_path):
    (tmp_path / "a.csv").write_text("1;2,5\n3;4,5\n")
    found = read_all(tmp_path, """answer = [columns_of("a.csv", **how)["columns"] for how in (
        dict(has_header=True), dict(names=("a", "b")), dict(delimiter=","), dict(decimal="."),
        dict(delimiter="\\u00e9"), dict(delimiter="\\ud800"))]""")  # fmt: skip
    assert found == [
        {"1": [3], "2,5": [4.5]},
        {"a": [1, 3], "b": [2.5, 4.5]},
        {"column_1": ["1;2", "3;4"], "column_2": [5, 5]},
        {"column_1": [1, 3], "column_2": ["2,5", "4,5"]},
        *[{"1;2,5": ["3;4,5"]}] * 2,
    ]


# The reader cannot detect these: the same bytes are text in several encodings.
ENCODED = {
    "polish.csv": ("cp1250", "miasto;liczba\nŁódź;1,5\n", {"miasto": ["Łódź"], "liczba": [1.5]}),
    "japanese.csv": ("Shift-JIS", "都市,数\n東京,1\n表示|ソ,2\n", {"都市": ["東京", "表示|ソ"], "数": [1, 2]}),
    "chinese.csv": ("gb18030", '城市,数\n"北京,市",1\n', {"城市": ["北京,市"], "数": [1]}),
    "unmarked.csv": ("utf-16-be", "城市,数\n北京,1\n", {"城市": ["北京"], "数": [1]}),
    "escaped.csv": ("iso2022_jp", "都市,数\n東京,1\n", {"都市": ["東京"], "数": [1]}),
}


def test_encoding_can_be_given(tmp_path):
    for name, (encoding, text, _) in ENCODED.items():
        (tmp_path / name).write_bytes(text.encode(encoding))
    given = {name: encoding for name, (encoding, _, _) in ENCODED.items()}
    found = read_all(tmp_path, f"answer = {{n: columns_of(n, encoding=e) for n, e in {given!r}.items()}}")
    assert {name: each["columns"] for name, each in found.items()} == {
        name: columns for name, (_, _, columns) in ENCODED.items()
    }
    assert not [note for each in found.values() for note in each["notes"] if "Read as" in note]


def test_wrong_encoding_is_refused(tmp_path):
    (tmp_path / "polish.csv").write_bytes("miasto\nŁódź\n".encode("cp1250"))
    given = ["utf-8", "ascii", "shift_jis", "hex", "no such", "cp1251\x00"]
    found = read_all(
        tmp_path, f"answer = {{e: or_error(lambda: columns_of('polish.csv', encoding=e)) for e in {given!r}}}"
    )
    for encoding in ("utf-8", "ascii"):
        assert found[encoding]["error"] == (
            f"polish.csv cannot be read as {encoding}: byte 8 is not valid in that encoding. "
            "Leave the encoding empty to have it detected."
        )
    for encoding in ("hex", "no such", "cp1251\x00"):
        assert found[encoding]["error"].startswith(f"There is no encoding {encoding!r}. Use a name that Python knows")
    # The first byte is valid in Shift-JIS, and a later one is not.
    assert "is not valid in that encoding" in found["shift_jis"]["error"]


def test_odd_values_after_many_numbers_are_read_quickly(tmp_path):
    """A regular expression used to try every way to split the numbers above them, which took forever."""
    numbers = "".join(f"{number}\n" for number in range(10_000, 10_200))
    long = "9" * 41 + ",1\n"
    texts = {
        "word.csv": f"id\n{numbers}x1\n",
        "long.csv": f"id,n\n{long * 50}7x,2\n",
        "printed.txt": f"[[{'1.5 2.5 ' * 200_000}nan]]",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = read_each(tmp_path, "columns_of", texts)
    assert found["word.csv"]["columns"]["id"][-2:] == ["10199", "x1"]
    assert found["long.csv"]["columns"]["id"][-2:] == ["9" * 41, "7x"]
    assert found["printed.txt"]


def test_blank_line_beside_unbalanced_quotes_is_not_a_row(tmp_path):
    (tmp_path / "a.csv").write_text('a, b\n1, 2\n \n"x, 3\n4, 5\n')
    found = read_each(tmp_path, "columns_of", ["a.csv"])["a.csv"]
    assert found["columns"] == {"a": ["1", '"x', "4"], "b": [2, 3, 5]}


@pytest.mark.parametrize("orient", ["columns", "index", "records", "split", "values", "table"])
def test_pandas_json_is_read_in_every_orientation(tmp_path, orient):
    found, expected = read_all(tmp_path, f"""
frame = pd.DataFrame({{"a": [1, 2, 3], "b": ["x", None, "é"], "c": [0.5, 1.5, None]}})
frame.to_json("a.json", orient={orient!r})
answer = [columns_of("a.json")["columns"], frame.astype(object).where(frame.notna(), None).to_dict("list")]
""")  # fmt: skip
    assert list(found.values()) == list(expected.values())
    assert orient == "values" or list(found) == list(expected)


def packed(kind, content):
    if kind == "zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("a.csv", content)
        return held.getvalue()
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](content)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_compressed_files_are_recognized_without_extension(tmp_path, kind):
    (tmp_path / "data").write_bytes(packed(kind, b"a,b\n1,x\n"))
    assert read_each(tmp_path, "columns_of", ["data"])["data"]["columns"] == {"a": [1], "b": ["x"]}


def several():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "b\n2\n")
    return held.getvalue()


REFUSED = {
    "a.png": (b"\x89PNG\r\n\x1a\n\0\0", "a.png is a PNG image; it cannot be read as a table"),
    "a.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
    "a.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "a.pkl": (b"\x80\x04\x95\x10", "a Python pickle"),
    "a.html": (b"<!DOCTYPE html><html></html>", "The type HTML shows such files."),
    "a.ipynb": (
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4}).encode(),
        "The type Notebook shows such files.",
    ),
    "a.bin": (bytes(range(256)) * 4, "binary data of an unknown kind"),
    "cut.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 9000)[:60], "begins as gzip-packed data and is damaged"),
    "two.zip": (several(), "a ZIP archive with 2 files: a.csv, b.csv"),
    "twice.gz": (gzip.compress(gzip.compress(b"a\n1\n")), "packed twice"),
    "nothing.gz": (gzip.compress(b""), "The file is empty."),
    "cut.parquet": (b"PAR1 and no more", "begins as a Parquet file and is damaged or cut off"),
    "cut.arrow": (b"ARROW1\0\0 and no more", "begins as an Arrow file and is damaged"),
    "cut.orc": (b"ORC and no more", "begins as an ORC file and is damaged"),
    "cut.avro": (b"Obj\x01 and no more", "begins as an Avro file and is damaged"),
    "bad.jsonl": (b'{"a": 1}\nnonsense\n{"a": 2}\n', "Line 2 of bad.jsonl is not JSON"),
    "bad.json": (b'{"a": ', "begins as JSON but is not valid"),
    "deep.json": (b"[" * 100_000, "nested too deep"),
    "empty.csv": (b"", "The file is empty."),
    "head.csv": (b"a,b\n", "The file has no rows."),
}


def test_invalid_table_is_explained_without_library_messages(tmp_path):
    for name, (content, _) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
    found = read_each(tmp_path, "columns_of", REFUSED)
    for name, (_, words) in REFUSED.items():
        error = found[name].get("error", "")
        assert words in error, (name, found[name])
        assert not any(each in error for each in ("Error", "polars", "pyarrow", "Traceback", "/tmp")), error


def test_decompression_bomb_is_refused(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"a\n" + b"1\n" * 1_000_000))
    found = read_all(tmp_path, """
from vizkit.tabular import unpack
unpack.MAX_BYTES = 1024**2
answer = or_error(columns_of, "bomb.csv.gz")
""")  # fmt: skip
    assert "too much to read" in found["error"]


def test_hive_partition_keys_become_columns(tmp_path):
    for key, rows in {
        "year=2023/land=fr": "a\n1\n",
        "year=2024/land=d%20e": "a\n2\n",
        "year=2024/_delta_log": "junk",
    }.items():
        (tmp_path / "data" / key).mkdir(parents=True)
        (tmp_path / "data" / key / "part-0.csv").write_text(rows)
    found = read_each(tmp_path, "columns_of", ["data"])["data"]["columns"]
    assert found == {"a": [1, 2], "year": [2023, 2024], "land": ["fr", "d e"]}


def test_minimum_and_maximum_are_exact_values_of_the_column(tmp_path):
    (tmp_path / "a.csv").write_text(
        "zip,id,wide,price,comma\n00123,9007199254740993,99999999999999999999,1.10,x\n"
        "04999,9007199254740995,99999999999999999998,0.30000000000000001,x\n"
    )
    found = read_each(tmp_path, "summary_of", ["a.csv"])["a.csv"]
    assert {name: (each[0], *each[3:]) for name, each in found.items()} == {
        "zip": ("text", "00123", "04999"),
        "id": ("number", "9007199254740993", "9007199254740995"),
        "wide": ("number", "99999999999999999998", "99999999999999999999"),
        "price": ("number", "0.30000000000000001", "1.10"),
        "comma": ("text", "x", "x"),
    }
