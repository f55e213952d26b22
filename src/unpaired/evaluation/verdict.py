"""The figures in a sentence or two."""

from unpaired.evaluation.evaluating import Direction

KERNEL = "kid_efficientnet_lite0"  # there on every machine
KEPT, PARTLY_KEPT = 0.6, 0.3  # of colour_kept
ONE_COLOUR = 0.35  # of colour_spread


def verdict(directions: list[Direction]) -> list[str]:
    """Better than doing nothing? How near to real? Does colour survive? A sentence each.

    A direction is better than doing nothing if its KID lies below its ceiling by more than the
    deviation over subsets.
    """
    return [_nearness(directions), *_colour(directions)]


def _nearness(directions: list[Direction]) -> str:
    better = [way for way in directions if _is_better(way)]
    if not better:
        return "No better than doing nothing: by KID, the inputs are as near to real pictures."
    shares = " and ".join(
        f"{way.figures[f'{KERNEL}_gap_closed']:.0%} ({way.source} → {way.target})" for way in better
    )
    where = "both ways" if len(better) == len(directions) else "one way only"
    return (
        f"Better than doing nothing {where}: {shares} of the distance to real pictures is closed."
    )


def _is_better(way: Direction) -> bool:
    value, deviation = way.figures[KERNEL], way.figures[f"{KERNEL}_std"]
    gap = f"{KERNEL}_gap_closed" in way.figures
    return gap and value + deviation < way.figures[f"{KERNEL}_ceiling"]


def _colour(directions: list[Direction]) -> list[str]:
    kept = [way.figures["colour_kept"] for way in directions if "colour_kept" in way.figures]
    if not kept:
        return []
    least = min(kept)
    word = (
        "survives" if least >= KEPT else "survives in part" if least >= PARTLY_KEPT else "is lost"
    )
    said = [f"Colour {word} ({' and '.join(f'{one:.2f}' for one in kept)} of 1)."]
    for way in directions:
        if way.figures.get("colour_spread", 1) < ONE_COLOUR:
            said.append(f"From {way.source} to {way.target}, nearly all come out in one colour.")
    return said
