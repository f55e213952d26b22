"""The parts a bag is laid out from, back to front, and the fittings that both kinds share."""

from dataclasses import dataclass, field
from typing import Any

from unpaired.collect.bags.shapes import (
    Path,
    box,
    dashes,
    hull,
    inset,
    oval,
    ring,
    shift,
    tube,
)


@dataclass(frozen=True)
class Part:
    """outlines in bag units, the ground at y = 0.

    cloth: name of its cloth; depth: how round its rim is, in units; form: how strongly;
    lift: how far it stands off what is below, in units; tone: added light (of 128);
    broad: large enough for light to fall off across it.
    """

    cloth: str
    outlines: list[Path]
    depth: float = 2.0
    form: float = 1.0
    lift: float = 0.0
    tone: int = 0
    broad: bool = False


@dataclass
class Bag:
    parts: list[Part] = field(default_factory=list)

    def add(self, cloth: str, *outlines: Path, **light: Any) -> None:
        self.parts.append(Part(cloth, list(outlines), **light))

    def body(self, outline: Path, side: float, rise: float, cloth: str = "main") -> None:
        """The front panel and, seen a little from the side, the gusset behind it."""
        back = shift(outline, side, -rise)
        self.add(cloth, hull(outline + back), depth=8, tone=-20, broad=True)
        self.add(cloth, outline, depth=16, lift=1, broad=True)

    def panel(
        self, outline: Path, cloth: str = "main", lift: float = 2.5, depth: float = 7
    ) -> None:
        """A pocket or flap with a stitched rim."""
        self.add(cloth, outline, depth=depth, lift=lift)
        self.stitch([*inset(outline, 4), inset(outline, 4)[0]])

    def stitch(self, path: Path) -> None:
        self.add("thread", *dashes(path, 3.4, 2.2, 1.1), depth=0.6, lift=0.4)

    def seam(self, path: Path) -> None:
        self.add("dark", tube(path, 1.3), depth=0.6, form=0.4)

    def piping(self, path: Path, width: float = 3.2, cloth: str = "trim") -> None:
        self.add(cloth, tube(path, width), depth=1.5, lift=0.7)

    def strap(self, path: Path, width: float, cloth: str = "trim", tone: int = 0) -> None:
        """A flat band with stitched edges."""
        self.add(cloth, tube(path, width), depth=2.2, lift=1.8, tone=tone)
        if width >= 9:
            rim = tube(path, width - 4)
            half = len(rim) // 2
            self.add(
                "thread",
                *dashes(rim[:half], 3, 2.2, 0.9),
                *dashes(rim[half:], 3, 2.2, 0.9),
                depth=0.6,
                tone=tone,
            )

    def zip(self, path: Path, pull: float = 0.2) -> None:
        """Tape, teeth and, a share `pull` along the path, the slider with its tab."""
        self.add("dark", tube(path, 7), depth=1.5, lift=0.5)
        self.add("metal", *dashes(path, 1.5, 1.2, 3), depth=0.7)
        x, y = path[round((len(path) - 1) * pull)]
        self.add("metal", box(x, y, 9, 7, 2), depth=1.2, lift=1)
        self.add("metal", ring(oval(x, y + 6, 6, 7), 1.6), depth=0.8, lift=0.8)
        self.add("trim", box(x, y + 17, 6.5, 16, 2.5), depth=1.5, lift=1.4)

    def chain(self, path: Path) -> None:
        self.add("metal", *dashes(path, 8, 2.4, 5.4), depth=1.6, lift=1)
        self.add("metal", *dashes(path, 4, 6.4, 2), depth=1, tone=-12)

    def ring(self, x: float, y: float, size: float) -> None:
        self.add("metal", ring(oval(x, y, size, size), size * 0.2), depth=1.2, lift=1.2)

    def stud(self, x: float, y: float, size: float = 5) -> None:
        self.add("metal", oval(x, y, size, size), depth=size * 0.3, lift=0.8)

    def buckle(self, x: float, y: float, width: float, length: float) -> None:
        """A strap end hanging at (x, y), through a frame with a prong."""
        tip = [
            (x - width / 2, y),
            (x + width / 2, y),
            (x + width / 2, y + length),
            (x, y + length + width * 0.4),
            (x - width / 2, y + length),
        ]
        self.add("trim", tip, depth=2, lift=1.8)
        self.stitch([(x, y + length * 0.7), (x, y + length)])
        middle = y + length * 0.45
        frame = box(x, middle, width + 9, width * 0.95, 3)
        self.add("metal", ring(frame, 2.6), depth=1.2, lift=1.2)
        self.add(
            "metal",
            tube([(x, middle - width * 0.42), (x, middle + width * 0.5)], 2),
            depth=0.8,
            lift=0.6,
        )

    def clasp(self, x: float, y: float, width: float, height: float) -> None:
        """A turn lock: a plate with a knob."""
        self.add("metal", box(x, y, width, height, 3), depth=2, lift=1.4)
        self.add("metal", box(x, y, width * 0.3, height * 0.62, 2), depth=1.2, lift=1.2, tone=10)

    def plate(self, x: float, y: float, width: float) -> None:
        """A maker's label: leather, stitched."""
        outline = box(x, y, width, width * 0.55, 2)
        self.add("trim", outline, depth=1.5, lift=0.8)
        self.stitch([*inset(outline, 2.5), inset(outline, 2.5)[0]])
