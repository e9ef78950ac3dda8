"""Places boxes of different sizes in layers, top to bottom, and routes the lines between them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from fast_sugiyama import from_edges

GAP_X: Final = 28.0
GAP_Y: Final = 44.0
_GAP_MORE: Final = 110.0
_ROW_WIDTH: Final = 1200.0
_SWEEPS: Final = 4
_BEND_WIDTH: Final = 12.0

# The layout library logs every phase of every graph at INFO.
for _name in ("rust-sugiyama", "connected_components"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Size = tuple[float, float]
Point = tuple[float, float]
# A bend of a line is an integer, a box is its key.
Vertex = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The result of a layout.

    Attributes:
        corners: the top left corner of each box.
        lines: the points of each line, from the bottom of one box to the top of the next.
    """

    corners: Mapping[str, Point]
    lines: Mapping[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


def place(sizes: Mapping[str, Size], edges: Iterable[tuple[str, str]]) -> Placement:
    """Lays out one graph.

    Args:
        sizes: (width, height) of each box, in the preferred order.
        edges: (from, to); edges to unknown boxes and self-loops are ignored.
    """
    kept = sorted({edge for edge in edges if edge[0] in sizes and edge[1] in sizes and edge[0] != edge[1]})
    parts = _components(sizes, kept)
    part_of = {key: number for number, part in enumerate(parts) for key in part}
    own: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for edge in kept:
        own[part_of[edge[0]]].append(edge)
    return _pack([_place_component(part, sizes, own[number]) for number, part in enumerate(parts)])


def _components(keys: Collection[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    # The layout numbers bends from the start in each component, so laying out two at once would mix bends up with
    # boxes.
    neighbours: dict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        neighbours[source].add(target)
        neighbours[target].add(source)
    left, found = dict.fromkeys(keys), []
    while left:
        waiting, part = [next(iter(left))], set()
        while waiting:
            key = waiting.pop()
            if key in left:
                del left[key]
                part.add(key)
                waiting.extend(neighbours[key])
        found.append(part)
    place = {key: number for number, key in enumerate(keys)}
    return [sorted(part, key=place.__getitem__) for part in found]


def _place_component(keys: Sequence[str], sizes: Mapping[str, Size], own: Sequence[tuple[str, str]]) -> Placement:
    if not own:
        width, height = sizes[keys[0]]
        return Placement(corners={keys[0]: (0, 0)}, lines={}, width=width, height=height)
    positions, hops = _order(keys, own)
    boxes = {vertex: sizes[vertex] if isinstance(vertex, str) else (_BEND_WIDTH, 0.0) for vertex, _ in positions}
    layers = _in_reading_order(_layers(positions), keys)
    centres = _centres(layers, boxes, hops)
    tops, bottoms, height = _tops(layers, boxes, _gaps(layers, centres, hops))
    left = min(centres[vertex] - boxes[vertex][0] / 2 for vertex in boxes)
    right = max(centres[vertex] + boxes[vertex][0] / 2 for vertex in boxes)
    middle = {vertex: centres[vertex] - left for vertex in boxes}
    direct, following = set(hops), defaultdict(list)
    for first, second in hops:
        following[first].append(second)
    return Placement(
        corners={key: (middle[key] - sizes[key][0] / 2, tops[key]) for key in keys},
        lines={edge: _line(_path(edge, direct, following), middle, tops, bottoms, boxes) for edge in own},
        width=right - left,
        height=height,
    )


def _order(
    keys: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[list[tuple[Vertex, Point]], list[tuple[Vertex, Vertex]]]:
    """Returns a grid position for each box and bend, and the edges split at their bends."""
    # Numbers, not names: names pass through a set, whose order would change the drawing in each process.
    numbers = {key: number for number, key in enumerate(keys)}
    names: dict[int, str] = {number: key for key, number in numbers.items()}
    numbered = [(numbers[source], numbers[target]) for source, target in edges]
    positions, _, _, hops = from_edges(numbered, dummy_vertices=True, vertex_spacing=10)[0]

    def named(vertex: Any) -> Vertex:
        found: Vertex = names.get(vertex, vertex)
        return found

    placed = [(named(vertex), point) for vertex, point in positions]
    return placed, [(named(source), named(target)) for source, target in hops or numbered]


def _layers(positions: Sequence[tuple[Vertex, Point]]) -> list[list[Vertex]]:
    rows: dict[float, list[tuple[float, Vertex]]] = defaultdict(list)
    for vertex, (x, y) in positions:
        rows[y].append((x, vertex))
    return [[vertex for _, vertex in sorted(rows[y], key=lambda pair: pair[0])] for y in sorted(rows, reverse=True)]


def _in_reading_order(layers: list[list[Vertex]], keys: Sequence[str]) -> list[list[Vertex]]:
    """Mirrors the layers if they read backwards; both directions have the same number of crossings."""
    place = {key: number for number, key in enumerate(keys)}
    ascents = 0
    for row in layers:
        numbers = [place[vertex] for vertex in row if isinstance(vertex, str)]
        ascents += sum(1 if first < second else -1 for first, second in pairwise(numbers))
    return layers if ascents >= 0 else [row[::-1] for row in layers]


def _gaps(
    layers: Sequence[Sequence[Vertex]], centres: Mapping[Vertex, float], hops: Sequence[tuple[Vertex, Vertex]]
) -> list[float]:
    """Returns the space below each layer: more if lines go far sideways, since they would otherwise overlap."""
    layer_of = {vertex: number for number, row in enumerate(layers) for vertex in row}
    farthest = [0.0] * len(layers)
    for source, target in hops:
        number = min(layer_of[source], layer_of[target])
        farthest[number] = max(farthest[number], abs(centres[source] - centres[target]))
    return [GAP_Y + min(_GAP_MORE, max(0.0, aside - 600) / 20) for aside in farthest]


def _centres(
    layers: Sequence[Sequence[Vertex]], boxes: Mapping[Vertex, Size], hops: Sequence[tuple[Vertex, Vertex]]
) -> dict[Vertex, float]:
    """Moves each box to the middle of its neighbours, then removes overlaps.

    The layout library itself knows order and layers, but no sizes.
    """
    above: dict[Vertex, list[Vertex]] = defaultdict(list)
    below: dict[Vertex, list[Vertex]] = defaultdict(list)
    for source, target in hops:
        above[target].append(source)
        below[source].append(target)
    centres: dict[Vertex, float] = {}
    for row in layers:
        _spread(row, dict.fromkeys(row, 0.0), boxes, centres)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 1
        neighbours = above if down else below
        for row in layers if down else reversed(layers):
            wanted = {
                vertex: _mean([centres[other] for other in neighbours[vertex]], centres[vertex]) for vertex in row
            }
            _spread(row, wanted, boxes, centres)
    return centres


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(
    row: Sequence[Vertex],
    wanted: Mapping[Vertex, float],
    boxes: Mapping[Vertex, Size],
    centres: dict[Vertex, float],
) -> None:
    """Sets the centres of one layer in its order, without overlaps and near the wanted positions on average."""
    right: float | None = None
    for vertex in row:
        half = boxes[vertex][0] / 2
        centre = wanted[vertex] if right is None else max(wanted[vertex], right + GAP_X + half)
        centres[vertex] = centre
        right = centre + half
    drift = sum(centres[vertex] - wanted[vertex] for vertex in row) / len(row)
    for vertex in row:
        centres[vertex] -= drift


def _tops(
    layers: Sequence[Sequence[Vertex]], boxes: Mapping[Vertex, Size], gaps: Sequence[float]
) -> tuple[dict[Vertex, float], dict[Vertex, float], float]:
    """Returns the top and bottom of each vertex's layer, and the bottom of the last layer."""
    tops: dict[Vertex, float] = {}
    bottoms: dict[Vertex, float] = {}
    y = 0.0
    for row, gap in zip(layers, gaps, strict=True):
        height = max(boxes[vertex][1] for vertex in row)
        for vertex in row:
            tops[vertex], bottoms[vertex] = y, y + height
        y += height + gap
    return tops, bottoms, y - gaps[-1]


def _line(
    path: Sequence[Vertex],
    middle: Mapping[Vertex, float],
    tops: Mapping[Vertex, float],
    bottoms: Mapping[Vertex, float],
    boxes: Mapping[Vertex, Size],
) -> tuple[Point, ...]:
    """Runs straight down next to boxes, and sideways only between the layers."""
    start, *bends, end = path
    points = [(middle[start], tops[start] + boxes[start][1])]
    if bottoms[start] > points[0][1] and tops[end] > bottoms[start]:
        points.append((middle[start], bottoms[start]))
    for bend in bends:
        points += [(middle[bend], tops[bend]), (middle[bend], bottoms[bend])]
    return (*points, (middle[end], tops[end]))


def _path(
    edge: tuple[str, str], direct: Container[tuple[Vertex, Vertex]], following: Mapping[Vertex, Sequence[Vertex]]
) -> list[Vertex]:
    source, target = edge
    if edge in direct:
        return [source, target]
    for start in following.get(source, ()):
        path: list[Vertex] = [source]
        vertex = start
        while not isinstance(vertex, str):
            path.append(vertex)
            vertex = following[vertex][0]
        if vertex == target:
            return [*path, target]
    return [source, target]


def _pack(parts: Sequence[Placement]) -> Placement:
    """Places components side by side, in rows."""
    corners: dict[str, Point] = {}
    lines: dict[tuple[str, str], tuple[Point, ...]] = {}
    x = y = row_height = width = 0.0
    for part in parts:
        if x and x + part.width > _ROW_WIDTH:
            x, y, row_height = 0.0, y + row_height + GAP_Y / 2, 0.0
        for key, (left, top) in part.corners.items():
            corners[key] = (left + x, top + y)
        for edge, points in part.lines.items():
            lines[edge] = tuple((px + x, py + y) for px, py in points)
        width = max(width, x + part.width)
        row_height = max(row_height, part.height)
        x += part.width + GAP_X
    return Placement(corners=corners, lines=lines, width=width, height=y + row_height)


def smooth(points: Sequence[Point]) -> str:
    """Returns the points as an SVG path that starts and ends vertically."""
    (x, y), *_ = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if x1 == x2:
            parts.append(f"V{y2:.1f}")
            continue
        half = (y2 - y1) / 2
        parts.append(f"C{x1:.1f} {y1 + half:.1f} {x2:.1f} {y2 - half:.1f} {x2:.1f} {y2:.1f}")
    return "".join(parts)
