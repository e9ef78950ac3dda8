"""The rules for source addresses: allowed prefixes, parts of an artifact, and patterns."""

import pytest

from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources import address_allow, address_parse, parts_below
from apps.visualizations.sources.addresses import pattern_split


@pytest.mark.parametrize(
    ("uri", "prefixes", "is_allowed"),
    [
        ("/data/x", ["/data"], True),
        ("/data", ["/data/"], True),
        ("/database/x", ["/data"], False),
        ("s3://b/team/x", ["s3://b/team"], True),
        ("s3://b/teams/x", ["s3://b/team"], False),
        ("s3://b.evil/team/x", ["s3://b/team"], False),
        ("gs://b/team/x", ["s3://b/team"], False),
        ("s3://b/x", [], False),
        ("s3://b/x", ["gs://c", "s3://b"], True),
    ],
)
def test_prefixes_match_whole_segments(uri, prefixes, is_allowed):
    if is_allowed:
        address_allow(address_parse(uri), prefixes)
        return
    with pytest.raises(SourceError, match="VIZPORTAL_SOURCE_ALLOW") as caught:
        address_allow(address_parse(uri), prefixes)
    assert caught.value.code == "source_refused"


@pytest.mark.parametrize(
    ("uri", "artifact", "parts"),
    [
        ("s3://b/run/data", "s3://b/run/data", ()),
        ("s3://b/run/data?x=1", "s3://b/run/data?x=1", ()),
        ("s3://b/run/data/a/b.csv", "s3://b/run/data", ("a", "b.csv")),
        ("s3://b/run/data/*.csv", "s3://b/run/data/", ("*.csv",)),
        ("abfss://b/run/data/part-[0-9].csv", "abfss://b/run/data", ("part-[0-9].csv",)),
        ("/data/run/x.csv", "file:///data/run", ("x.csv",)),
        # Not in the artifact: the artifact itself, its siblings and parents, and other stores.
        ("s3://b/run/data/", "s3://b/run/data", None),
        ("s3://b/run/database/x", "s3://b/run/data", None),
        ("s3://b/run", "s3://b/run/data", None),
        ("s3://b/run/data/../other", "s3://b/run/data", None),
        ("s3://b.evil/run/data/x", "s3://b/run/data", None),
        ("gs://b/run/data/x", "s3://b/run/data", None),
        ("https://host/data/x", "https://host/data", None),
        ("s3://b/run/data/x", "s3://b/run/data?endpoint=other", None),
        ("ftp://b/run/data/x", "ftp://b/run/data", None),
        ("s3://b/run/data/x", "no address", None),
        ("s3://b/run/data/x", "", None),
        ("", "", None),
    ],
)
def test_parts_below_matches_whole_segments(uri, artifact, parts):
    assert parts_below(uri, artifact) == parts


@pytest.mark.parametrize("scheme", ["s3", "gs", "minio", "abfs", "abfss", "az"])
@pytest.mark.parametrize("pattern", ["*.csv", "part-?.csv", "part-[01].csv"])
def test_patterns_are_recognized_in_every_store(scheme, pattern):
    address = address_parse(f"{scheme}://bucket/a/{pattern}")
    folder, found = pattern_split(address)
    assert (folder.scheme, folder.parts, found) == (scheme, ("a",), (pattern,))
    plain = address_parse(f"{scheme}://bucket/a/b.csv")
    assert pattern_split(plain) == (plain, ())
