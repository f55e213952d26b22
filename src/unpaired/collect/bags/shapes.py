"""Plane geometry of bag parts: outlines as lists of points, x to the right, y down.

Only + - * / and square roots, which IEEE 754 rounds the same everywhere.
"""

from itertools import pairwise
from math import sqrt

Point = tuple[float, float]
Path = list[Point]

KAPPA = 0.5523  # a cubic Bézier with this handle length is a quarter of a circle


def bezier(a: Point, b: Point, c: Point, d: Point, steps: int = 14) -> Path:
    """The cubic Bézier curve from a to d, steps + 1 points."""
    path = []
    for step in range(steps + 1):
        t = step / steps
        s = 1 - t
        k = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
        path.append(
            (
                k[0] * a[0] + k[1] * b[0] + k[2] * c[0] + k[3] * d[0],
                k[0] * a[1] + k[1] * b[1] + k[2] * c[1] + k[3] * d[1],
            )
        )
    return path


def arch(left: float, right: float, foot: float, rise: float, flare: float = 0.0) -> Path:
    """An arc from (left, foot) over a top `rise` above the foot to (right, foot)."""
    top = foot - rise / 0.75
    return bezier((left, foot), (left - flare, top), (right + flare, top), (right, foot), 24)


def rounded(corners: Path, radii: list[float]) -> Path:
    """The polygon with each corner replaced by an arc that begins its radius before it."""
    path = []
    for place, (corner, reach) in enumerate(zip(corners, radii, strict=True)):
        start = _towards(corner, corners[place - 1], reach)
        end = _towards(corner, corners[(place + 1) % len(corners)], reach)
        path += bezier(start, _between(start, corner, KAPPA), _between(end, corner, KAPPA), end, 8)
    return path


def box(x: float, y: float, width: float, height: float, radius: float = 0.0) -> Path:
    """A rounded rectangle about (x, y)."""
    w, h = width / 2, height / 2
    return rounded([(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)], [radius] * 4)


def trapezoid(
    top: float, upper: float, foot: float, lower: float, radius_top: float, radius_foot: float
) -> Path:
    """About x = 0, reaching `top` to either side at y = upper and `foot` at y = lower."""
    corners = [(-top, upper), (top, upper), (foot, lower), (-foot, lower)]
    return rounded(corners, [radius_top, radius_top, radius_foot, radius_foot])


def oval(x: float, y: float, width: float, height: float) -> Path:
    w, h = width / 2, height / 2
    quarters = [((0, -h), (w, 0)), ((w, 0), (0, h)), ((0, h), (-w, 0)), ((-w, 0), (0, -h))]
    path = []
    for (x0, y0), (x1, y1) in quarters:
        b = (x0 + KAPPA * x1, y0 + KAPPA * y1)
        c = (x1 + KAPPA * x0, y1 + KAPPA * y0)
        path += bezier((x0, y0), b, c, (x1, y1), 7)[:-1]
    return [(x + px, y + py) for px, py in path]


def smooth(points: Path, closed: bool = True, steps: int = 8) -> Path:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    path = []
    for i in range(count if closed else count - 1):
        if closed:
            p, a, d, n = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p, a, d, n = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        b = (a[0] + (d[0] - p[0]) / 6, a[1] + (d[1] - p[1]) / 6)
        c = (d[0] - (n[0] - a[0]) / 6, d[1] - (n[1] - a[1]) / 6)
        path += bezier(a, b, c, d, steps)[:-1]
    return path if closed else [*path, points[-1]]


def tube(path: Path, width: float, end_width: float | None = None) -> Path:
    """The outline of a band of that width along the path, tapering to end_width."""
    end_width = width if end_width is None else end_width
    left, right = [], []
    for place, (x, y) in enumerate(path):
        before, after = path[max(place - 1, 0)], path[min(place + 1, len(path) - 1)]
        nx, ny = _normal(before, after)
        half = (width + (end_width - width) * place / (len(path) - 1)) / 2
        left.append((x + nx * half, y + ny * half))
        right.append((x - nx * half, y - ny * half))
    return left + right[::-1]


def ring(outline: Path, width: float) -> Path:
    """A closed band, as one path for even-odd filling."""
    inner = inset(outline, width)
    return [*outline, outline[0], inner[0], *inner[::-1]]


def inset(outline: Path, distance: float) -> Path:
    """The closed outline (clockwise on screen) moved inwards; meant for smooth, convex ones."""
    count = len(outline)
    path = []
    for place, (x, y) in enumerate(outline):
        nx, ny = _normal(outline[place - 1], outline[(place + 1) % count])
        path.append((x + nx * distance, y + ny * distance))
    return path


def dashes(path: Path, dash: float, gap: float, width: float) -> list[Path]:
    """A stitched line: short bands along the path."""
    spans, start, walked = [], 0.0, 0.0
    along = [0.0]
    for a, b in pairwise(path):
        walked += _distance(a, b)
        along.append(walked)
    place = 0
    while start + dash <= walked:
        while along[place + 1] < start:
            place += 1
        length = max(along[place + 1] - along[place], 1e-9)
        a = _between(path[place], path[place + 1], (start - along[place]) / length)
        b = _between(path[place], path[place + 1], (start + dash - along[place]) / length)
        spans.append(tube([a, b], width))
        start += dash + gap
    return spans


def mirror(path: Path) -> Path:
    """Left for right, still clockwise."""
    return [(-x, y) for x, y in reversed(path)]


def shift(path: Path, dx: float, dy: float) -> Path:
    return [(x + dx, y + dy) for x, y in path]


def hull(points: Path) -> Path:
    """The convex hull (Andrew's monotone chain), clockwise on screen."""

    def half(ordered: Path) -> Path:
        chain: Path = []
        for p in ordered:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    ordered = sorted(set(points))
    return half(ordered) + half(ordered[::-1])


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _distance(a: Point, b: Point) -> float:
    return sqrt((b[0] - a[0]) * (b[0] - a[0]) + (b[1] - a[1]) * (b[1] - a[1]))


def _between(a: Point, b: Point, share: float) -> Point:
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def _towards(a: Point, b: Point, reach: float) -> Point:
    """The point `reach` from a on the way to b, at most half way."""
    return _between(a, b, min(reach / max(_distance(a, b), 1e-9), 0.5))


def _normal(a: Point, b: Point) -> Point:
    """The unit vector to the right of the way from a to b, on screen."""
    length = max(_distance(a, b), 1e-9)
    return ((a[1] - b[1]) / length, (b[0] - a[0]) / length)
