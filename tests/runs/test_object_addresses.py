"""Parse object addresses, both as an artifact's URI and as a source that a user enters."""

import pytest

from apps.runs.exceptions import EndpointError
from apps.runs.gateway.objects.address import AddressError, parse_address
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import address_parse, pattern_split

DOTS = 'it holds "." or ".." as a segment'
CONTROL = "it holds a control character"
BACKSLASH = "it holds a backslash"
HOST = "its host or bucket is not a plain name"
NO_ADDRESS = "it is neither scheme://host/key nor an absolute path"
NOT_UTF8 = "it is not UTF-8"
ENCODED = "it is encoded more than three times"
LONG = "it is longer than 2048 characters"
STARS = '"**" is not allowed, name the folder'
WEB = "a web address may hold neither a pattern nor a query"

# The text; the artifact's scheme, host, key (and query); the canonical source.
SAME = [
    ("s3://b", ("s3", "b", ""), "s3://b/"),
    ("s3://b/", ("s3", "b", ""), "s3://b/"),
    ("s3://b/x", ("s3", "b", "x"), "s3://b/x"),
    ("S3://bucket/a/b.csv", ("s3", "bucket", "a/b.csv"), "s3://bucket/a/b.csv"),
    ("minio://mlpipeline/v2/artifacts/tips/r1", ("minio", "mlpipeline", "v2/artifacts/tips/r1"),
     "minio://mlpipeline/v2/artifacts/tips/r1"),
    ("minio://b/x/$(rm -rf).csv", ("minio", "b", "x/$(rm -rf).csv"), "minio://b/x/$(rm -rf).csv"),
    ('gs://b/it\'s "quoted".csv', ("gs", "b", 'it\'s "quoted".csv'), 'gs://b/it\'s "quoted".csv'),
    ("gs://b/caf\u00e9#1.csv", ("gs", "b", "caf\u00e9#1.csv"), "gs://b/caf\u00e9#1.csv"),
    ("s3://b/a..b/...", ("s3", "b", "a..b/..."), "s3://b/a..b/..."),
    ("s3://" + "B" * 255 + "/x", ("s3", "B" * 255, "x"), "s3://" + "B" * 255 + "/x"),
    ("s3://b/" + "x" * 2041, ("s3", "b", "x" * 2041), "s3://b/" + "x" * 2041),
    ("https://b:65535/x", ("https", "b:65535", "x"), "https://b:65535/x"),
    ("s3://b.evil/team/x", ("s3", "b.evil", "team/x"), "s3://b.evil/team/x"),
    ("abfs://container/x", ("abfs", "container", "x"), "abfs://container/x"),
    ("az://container/x", ("az", "container", "x"), "az://container/x"),
    ("https://Files.Example.com:8443/a%20b.csv", ("https", "files.example.com:8443", "a%20b.csv"),
     "https://files.example.com:8443/a%20b.csv"),
    ("file:///data/x.csv", ("file", "", "data/x.csv"), "file:///data/x.csv"),
    ("file://localhost/data", ("file", "", "data"), "file:///data"),
]  # fmt: skip

# Sources that people write by hand are decoded and normalized. An artifact's key stays as it is in the store.
TIDIED = [
    ("s3://bucket/a//b.csv", ("s3", "bucket", "a//b.csv"), "s3://bucket/a/b.csv"),
    ("minio://b/folder/", ("minio", "b", "folder/"), "minio://b/folder"),
    ("s3://bucket/a%20b.csv", ("s3", "bucket", "a%20b.csv"), "s3://bucket/a b.csv"),
    ("s3://b/%252541", ("s3", "b", "%252541"), "s3://b/A"),
    ("/data//x.csv", ("", "", "data//x.csv"), "file:///data/x.csv"),
    (" s3://b/x ", ("", "", " s3://b/x "), "s3://b/x"),
    ("s3%3a//b/x", ("", "", "s3%3a//b/x"), "s3://b/x"),
]

# A source can be a pattern: a folder and the rest.
PATTERNS = [
    ("gs://bucket/stats/Split-*/FeatureStats.pb", ("gs", "bucket", "stats/Split-*/FeatureStats.pb"),
     ("gs://bucket/stats", "Split-*", "FeatureStats.pb")),
    ("file:///data/*.csv", ("file", "", "data/*.csv"), ("file:///data", "*.csv")),
    ("s3://b/x[1].csv", ("s3", "b", "x[1].csv"), ("s3://b/", "x[1].csv")),
    ("s3://b/f/a?b", ("s3", "b", "f/a", "b"), ("s3://b/f", "a?b")),
    ("s3://b/x?region=eu-central-1&disableSSL=true", ("s3", "b", "x", "region=eu-central-1&disableSSL=true"),
     ("s3://b/", "x?region=eu-central-1&disableSSL=true")),
]  # fmt: skip

# Addresses that are valid in a run but that a user may not enter.
ARTIFACTS_ONLY = [
    ("", ("", "", ""), NO_ADDRESS),
    ("data.csv", ("", "", "data.csv"), NO_ADDRESS),
    ("relative/path", ("", "", "relative/path"), NO_ADDRESS),
    ("s3:x", ("", "", "s3:x"), NO_ADDRESS),
    ("file:/etc/passwd", ("", "", "file:/etc/passwd"), NO_ADDRESS),
    ("s" * 20 + "://b/x", ("s" * 20, "b", "x"), "s" * 20 + ":// is not read here"),
    ("s" * 21 + "://b/x", ("", "", "s" * 21 + "://b/x"), NO_ADDRESS),
    ("1s3://b/x", ("", "", "1s3://b/x"), NO_ADDRESS),
    ("minio://", ("minio", "", ""), HOST),
    ("s3:///x", ("s3", "", "x"), HOST),
    ("https://", ("https", "", ""), HOST),
    ("s3://b?region=eu-central-1", ("s3", "b", "", "region=eu-central-1"), HOST),
    ("s3://b/**/x", ("s3", "b", "**/x"), STARS),
    ("https://b/*.csv", ("https", "b", "*.csv"), WEB),
    ("https://b/x?token=1", ("https", "b", "x", "token=1"), WEB),
    ("https://b/x?part=a/../b", ("https", "b", "x", "part=a/../b"), DOTS),
    ("https://b/x.html#top", ("https", "b", "x.html"), WEB),
    ("volume://claim/x", ("volume", "claim", "x"), "volume:// is not read here"),
    ("oci://x/y", ("oci", "x", "y"), "oci:// is not read here"),
    ("ftp://x/", ("ftp", "x", ""), "ftp:// is not read here"),
    ("gopher://b/x", ("gopher", "b", "x"), "gopher:// is not read here"),
    ("javascript://b/x", ("javascript", "b", "x"), "javascript:// is not read here"),
    ("http://b/x", ("http", "b", "x"), "http:// is not read here"),
    ("http://169.254.169.254/latest", ("http", "169.254.169.254", "latest"), "http:// is not read here"),
    ("http://2852039166/", ("http", "2852039166", ""), "http:// is not read here"),
    ("http://0xa9fea9fe/", ("http", "0xa9fea9fe", ""), "http:// is not read here"),
    ("http://0251.0376.0251.0376/", ("http", "0251.0376.0251.0376", ""), "http:// is not read here"),
]

REFUSED = [
    *[(text, DOTS) for text in (
        "s3://b/../secret", "minio://b/predictions.csv/../model", "s3://b/a/./b", "s3://b/..", "s3://b/.", "/a/../b",
        "s3://b/%2e%2e/secret", "s3://b/..%2fsecret", "s3://b/%252e%252e/secret", "s3://b/%25252e%25252e/secret",
        "file:///artifacts/../secret", "file:///artifacts/%2e%2e/secret", "file:///artifacts/..%252f../secret",
        "s3://b/..#x", "s3://b/..%3fx", "https://b/a/..%23x",
    )],
    *[(text, CONTROL) for text in (
        "s3://b/x\0y", "s3://b/x%00y", "s3://b/x%2500y", "s3://b/x\r\ny", "s3://b/x%0d%0ay", "s3://b/x\x7f", "s3://b/x\x1f",
        "file:///artifacts/x\x00.txt", "file:///artifacts/a\r\nb", "https://b/x?a=\n", "\ts3://b/x",
    )],
    *[(text, BACKSLASH) for text in ("s3://b/a\\..\\b", "s3://b/a%5cb", "file:///artifacts/..\\secret")],
    *[(text, HOST) for text in (
        "s3://user@mlpipeline/x", "s3://user:pw@b/x", "s3://user%40b/x", "https://user:pw@b/x",
        "https://user@169.254.169.254/", "abfs://container@account.dfs.core.windows.net/x", "abfs://$web/x",
        "s3://b:80/x", "s3://b:/x", "https://b:/x", "https://b:0/x", "https://b:x/x", "https://b:99999/x",
        "https://b:65536/x", "s3://" + "B" * 256 + "/x",
        "https://b:443:80/x", "https://[broken/x", "https://[::1]/x", "http://[", "http://[::ffff:169.254.169.254]/",
        "s3://-b/x", "s3://b b/x", "s3://\u0431/x", "file://host/x", "minio://../x",
    )],
    *[(text, NOT_UTF8) for text in ("s3://b/%ff", "s3://b/%c0%ae%c0%ae/x", "s3://b/\ud800")],
    ("s3://b/%25252525252e/secret", ENCODED),
    ("s3://b/%25252541", ENCODED),
    ("s3://b/" + "x" * 3000, LONG),
    ("s3://b/" + "x" * 2042, LONG),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts", "source"), SAME + TIDIED + PATTERNS + ARTIFACTS_ONLY)
def test_artifact_uri_is_parsed(text, parts, source):
    address = parse_address(text)
    assert (address.scheme, address.host, address.key, address.query) == (*parts, "")[:4]
    if address.scheme:
        assert parse_address(address.uri) == address


@pytest.mark.parametrize(("text", "parts", "source"), SAME + TIDIED)
def test_source_has_one_canonical_form(text, parts, source):
    address = address_parse(text)
    assert str(address) == source
    assert address_parse(source) == address
    assert pattern_split(address) == (address, ())


@pytest.mark.parametrize(("text", "parts", "source"), PATTERNS)
def test_pattern_is_split_from_its_folder(text, parts, source):
    base, pattern = pattern_split(address_parse(text))
    assert (str(base), *pattern) == source


@pytest.mark.parametrize(("text", "reason"), [*REFUSED, *[(text, reason) for text, _, reason in ARTIFACTS_ONLY]])
def test_refused_source_error_names_the_reason(text, reason):
    with pytest.raises(SourceError) as caught:
        address_parse(text)
    assert caught.value.code == "source_refused"
    assert str(caught.value).startswith(f"This source is refused: {reason}")


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_artifact_uris_follow_the_same_rules(text, reason):
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.reason == reason
    assert str(caught.value) == f"{text[:200]!r} is not an address this portal reads."
    assert isinstance(caught.value, EndpointError)


@pytest.mark.parametrize(
    ("text", "above", "is_below"),
    [
        ("s3://b/one/x", "s3://b/one", True),
        ("s3://b/one", "s3://b/one/", True),
        ("s3://b/one/x", "s3://b", True),
        ("s3://b/ones/x", "s3://b/one", False),
        ("s3://b", "s3://b/one", False),
        ("s3://bb/one/x", "s3://b/", False),
        ("minio://b/one/x", "s3://b/", False),
        ("file:///artifactsandmore/x", "file:///artifacts", False),
        ("https://b:444/x", "https://b/", False),
    ],
)
def test_is_below_compares_complete_path_segments(text, above, is_below):
    assert parse_address(text).is_below(parse_address(above)) is is_below


def test_listed_paths_must_stay_below_their_folder():
    folder = parse_address("s3://b/folder/")
    assert str(folder.below("deep/a?b#1.csv")) == "s3://b/folder/deep/a?b#1.csv"
    assert str(parse_address("s3://b").below("x")) == "s3://b/x"
    for path in ("../x", "a/../../x", "%2e%2e/x", "a\\b", "a\nb"):
        with pytest.raises(AddressError):
            folder.below(path)
