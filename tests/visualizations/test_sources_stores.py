"""Sources from real servers of each store's protocol: an object, a folder, a pattern, and the cache."""

import json
import os

import pytest

from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources import Download, SourceCache, SourceSpec, source_stage, source_version
from tests.stores.servers import BUCKET, OBJECTS, STORES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=list(STORES))
def store(request):
    """One store's scheme and configuration."""
    os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"
    with STORES[request.param]() as config:
        yield request.param, config
    del os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"]


@pytest.fixture
def stage(store, settings, tmp_path):
    """Stages a URI of the store, typed in or of an artifact; returns the staged source and its folder."""
    scheme, config = store
    settings.VIZPORTAL_OBJECT_STORES = json.dumps([config])
    cache = SourceCache(tmp_path / "cache", 10_000)

    def run(key, *, is_artifact=False, artifact="", keeps=cache, max_bytes=10_000, allowed=None):
        artifact = artifact or (key if is_artifact else "")
        own = f"{scheme}://{BUCKET}/{artifact}" if artifact else ""
        directory = tmp_path / f"input-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        got = source_stage(
            SourceSpec(uri=f"{scheme}://{BUCKET}/{key}", artifact_uri=own),
            Download(directory=directory, max_bytes=max_bytes),
            gateway=lambda: pytest.fail("the endpoint was asked"),
            cache=keeps,
            allowed=[f"{scheme}://{BUCKET}/"] if allowed is None else allowed,
        )
        return got, directory

    return run


def files_in(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_artifact", [True, False])
def test_object_is_staged_and_comes_from_cache_next_time(stage, is_artifact):
    first, one = stage("data/one.csv", is_artifact=is_artifact)
    again, two = stage("data/one.csv", is_artifact=is_artifact)
    assert first.source == str(one / "one.csv")
    assert (first.size_bytes, first.files) == (8, 1)
    assert first.digest == again.digest
    assert files_in(one) == files_in(two) == {"one.csv": OBJECTS["data/one.csv"]}
    # All copies share one file on the disk.
    assert (one / "one.csv").stat().st_ino == (two / "one.csv").stat().st_ino
    assert (two / "one.csv").stat().st_mode & 0o222 == 0


def test_pattern_matches_across_folders(stage):
    got, directory = stage("stats/Split-*/FeatureStats.pb")
    assert files_in(directory) == {
        "Split-eval/FeatureStats.pb": b"eval",
        "Split-train/FeatureStats.pb": b"train",
    }
    assert got.source == str(directory / "*" / "*")


@pytest.mark.parametrize(
    ("key", "files"),
    [
        ("stats/Split-eval", {"FeatureStats.pb": b"eval", "other.txt": None}),
        ("stats/Split-eval/FeatureStats.pb", {"FeatureStats.pb": b"eval"}),
        (
            "stats/Split-*/FeatureStats.pb",
            {"Split-eval/FeatureStats.pb": b"eval", "Split-train/FeatureStats.pb": b"train"},
        ),
        ("stats/Split-eval/*.pb", {"FeatureStats.pb": b"eval"}),
    ],
)  # fmt: skip
def test_part_of_an_artifacts_folder_is_allowed(stage, key, files):
    _, directory = stage(key, artifact="stats", allowed=[])
    found = files_in(directory)
    assert found.keys() == files.keys()
    assert all(content in {None, found[name]} for name, content in files.items())


@pytest.mark.parametrize("key", ["statsx/a", "data/one.csv", "stats/../data/one.csv", "stats/%2e%2e/data/one.csv"])
def test_object_beside_the_artifacts_folder_is_refused(stage, key):
    with pytest.raises(SourceError) as error:
        stage(key, artifact="stats", allowed=[])
    assert error.value.code == "source_refused"


def test_folder_structure_is_kept(stage):
    got, directory = stage("stats", is_artifact=True)
    assert got.source == str(directory)
    assert sorted(files_in(directory)) == [
        "README",
        "Split-eval/FeatureStats.pb",
        "Split-eval/other.txt",
        "Split-train/FeatureStats.pb",
    ]
    _, partitioned = stage("many")
    assert files_in(partitioned) == {"day=Sun/part_1.csv": b"x\n1\n"}


def test_uri_characters_in_a_key_belong_to_the_key(stage):
    _, directory = stage("odd")
    assert files_in(directory) == {"a_1_2.csv": b"y\n2\n"}


@pytest.mark.parametrize("key", ["data/none.csv", "stats/Split-*/none.pb", "nowhere"])
def test_missing_object_is_reported(stage, key):
    with pytest.raises(SourceError) as caught:
        stage(key)
    assert caught.value.code == "source_missing"


def test_too_big_object_is_refused(stage):
    with pytest.raises(SourceError) as caught:
        stage("data/one.csv", max_bytes=7)
    assert caught.value.code == "source_too_big"


def test_uri_outside_allowed_prefixes_is_refused(stage, store):
    for allowed in ([], [f"{store[0]}://{BUCKET}/other/"], [f"{store[0]}://{BUCKET}x/"]):
        with pytest.raises(SourceError) as caught:
            stage("data/one.csv", allowed=allowed)
        assert caught.value.code == "source_refused"


@pytest.mark.parametrize("key", ["data/one.csv", "stats", "stats/Split-*/FeatureStats.pb"])
def test_version_without_reading_matches_version_of_staged_source(stage, store, key):
    got, _ = stage(key)
    wanted = SourceSpec(uri=f"{store[0]}://{BUCKET}/{key}")
    now = source_version(wanted, gateway=lambda: pytest.fail("asked"), allowed=[f"{store[0]}://{BUCKET}/"])
    assert got.version
    assert now == got.version
    again, _ = stage(key)
    assert again.version == now, "from the cache too"


def test_version_of_missing_source_is_an_error(stage, store):
    with pytest.raises(SourceError) as error:
        source_version(
            SourceSpec(uri=f"{store[0]}://{BUCKET}/nowhere.csv"),
            gateway=lambda: pytest.fail("asked"),
            allowed=[f"{store[0]}://{BUCKET}/"],
        )
    assert error.value.code == "source_missing"
