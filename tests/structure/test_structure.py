"""The structure of the code: no import cycles, and changes spread no further than today."""

import grimp
import pytest

from scripts.structure import Sizes, cycles, function_lengths, import_graph, product_files, propagation_cost

MOST = 0.049


@pytest.fixture(scope="module")
def graph():
    return import_graph()


def test_changes_spread_to_few_modules(graph):
    assert propagation_cost(graph) <= MOST


def test_no_import_cycles(graph):
    assert cycles(graph) == []


def test_functions_are_short():
    paths = [path for files in product_files().values() for path in files if "samples" not in path.parts]
    lengths = Sizes.of([length for path in paths for length in function_lengths(path)])
    assert lengths.ninth_decile <= 25
    assert lengths.maximum <= 50


def made(*edges):
    graph = grimp.ImportGraph()
    for module in {module for edge in edges for module in edge}:
        graph.add_module(module)
    for importer, imported in edges:
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_measures_are_correct():
    # c reaches no other module, b reaches c, and a reaches both: 1 + 2 + 3 of 9 pairs.
    assert propagation_cost(made(("a", "b"), ("b", "c"))) == pytest.approx(6 / 9)
    assert cycles(made(("a", "b"), ("b", "c"))) == []
    assert cycles(made(("a", "b"), ("b", "a"), ("a", "c"))) == [frozenset({"a", "b"})]
