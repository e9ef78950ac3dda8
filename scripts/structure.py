"""`python -m scripts.structure`: measures the sizes of the parts, and how far a change spreads.

Propagation cost is the average share of modules that a change of one module may affect: the density of the transitive
closure of the import graph (MacCormack, Rusnak and Baldwin, "Exploring the Structure of Complex Software Designs",
2006).
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("vizportal", "apps", "vizportal_client", "localkfp", "mlmd", "renderer", "vizkit")
_PARTS = ("vizportal", "apps/*", "packages/*/src")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in lines: median, 90th percentile, maximum."""

    median: float
    ninth_decile: float
    maximum: int

    @classmethod
    def of(cls, lengths: list[int]) -> Sizes:
        """Summarizes lengths; at least two are needed."""
        return cls(statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1], max(lengths))

    def __str__(self) -> str:
        return f"{self.median:g} / {self.ninth_decile:g} / {self.maximum}"


def import_graph() -> grimp.ImportGraph:
    """Returns the imports between the product's modules, without external packages."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def propagation_cost(graph: grimp.ImportGraph) -> float:
    """Returns the average share of modules that depend on a module directly or indirectly, including itself."""
    modules = graph.modules
    reached = sum(1 + len(graph.find_downstream_modules(module)) for module in modules)
    return reached / len(modules) ** 2


def cycles(graph: grimp.ImportGraph) -> list[frozenset[str]]:
    """Returns the sets of modules that import each other directly or indirectly."""
    upstream = {module: graph.find_upstream_modules(module) for module in graph.modules}
    found = {
        frozenset({module, *(other for other in above if module in upstream[other])})
        for module, above in upstream.items()
    }
    return [each for each in found if len(each) > 1]


def product_files() -> dict[str, list[Path]]:
    """Returns the product's Python files by part, without tests and migrations."""
    folders = [folder for part in _PARTS for folder in sorted(ROOT.glob(part)) if folder.is_dir()]
    parts = {str(folder.relative_to(ROOT)): sorted(folder.rglob("*.py")) for folder in folders}
    return {part: [path for path in paths if "migrations" not in path.parts] for part, paths in parts.items() if paths}


def function_lengths(path: Path) -> Iterator[int]:
    """Yields the length of each function of a file, in lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.end_lineno - node.lineno + 1


def _line_count(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def main() -> None:
    """Prints the figures."""
    parts = product_files()
    lines = [f"{part:28} {len(paths):4} files {sum(map(_line_count, paths)):7,} lines" for part, paths in parts.items()]
    every = [path for paths in parts.values() for path in paths]
    graph = import_graph()
    lines += [
        f"{'all':28} {len(every):4} files {sum(map(_line_count, every)):7,} lines",
        f"functions (median / 90 % / maximum): {Sizes.of([each for path in every for each in function_lengths(path)])}",
        f"files (median / 90 % / maximum): {Sizes.of([_line_count(path) for path in every])}",
        f"propagation cost: {propagation_cost(graph):.2%}",
        f"cycles: {len(cycles(graph))}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
