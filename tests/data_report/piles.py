"""What the clean and split stages write, made by hand."""

import numpy as np
import pandas as pd

from unpaired.store import write_set, write_table

SIDE = 32
PAIRS = ["first", "second", "difference", "correlation", "mirrored"]
RED, BLUE, BLACK = (190, 40, 45), (40, 80, 190), (18, 18, 18)


def row(domain, pixel_hash="", reason="", **others):
    """A row of verdicts.csv: kept if it has no reason, alone in its cluster."""
    quarantined = reason in ("blurred", "flat", "dark", "light", "no_face", "in_two_domains")
    return {
        "domain": domain,
        "sha256": f"f{pixel_hash}",
        "file": f"{domain}/{pixel_hash}.jpg",
        "pixel_hash": pixel_hash,
        "verdict": "quarantine" if quarantined else "drop" if reason else "keep",
        "reason": reason,
        "value": "",
        "limit": "",
        "detail": "",
        "cluster": pixel_hash,
        "set": "",
        "width": "300" if pixel_hash else "0",
        "height": "200" if pixel_hash else "0",
        "bytes": "9000",
        "sharpness": "0.2" if pixel_hash else "",
        "entropy": "6.5" if pixel_hash else "",
        "highlight": "0.9" if pixel_hash else "",
        "shadow": "0.4" if pixel_hash else "",
        "url": f"https://shop.example/{pixel_hash}.jpg",
        "source": "folder",
        "query": domain,
        "title": f"a {domain}",
        "page": f"https://shop.example/{pixel_hash}",
        "licence": "CC0-1.0",
        "creator": "",
    } | others


def thing(colour, side=SIDE):
    """A rectangle of that colour on white."""
    image = np.full((side, side, 3), 250, np.uint8)
    image[side // 4 : side - 4, side // 4 : side - side // 4] = colour
    return image


def write_clean(folder, rows, pairs=(), image=lambda one: thing(RED)):
    """data/clean of these rows; image: row → uint8 S×S×3, also (as noise) its descriptor's seed."""
    table = pd.DataFrame(rows)
    write_table(folder / "verdicts.csv", table)
    write_table(folder / "duplicates.csv", pd.DataFrame(pairs, columns=PAIRS))
    for domain, found in table[table["pixel_hash"] != ""].groupby("domain"):
        kept = found["verdict"] == "keep"
        for target, some in ((folder, found[kept]), (folder / "refused", found[~kept])):
            if len(some):
                images = [image(one) for _, one in some.iterrows()]
                write_set(target, domain, images, some, images[0].shape[0])
        hashes = found.loc[kept, ["pixel_hash"]]
        noise = [descriptor(name) for name in hashes["pixel_hash"]]
        write_set(folder / "descriptors", domain, noise, hashes, SIDE)
    return table


def descriptor(name):
    """Smooth noise; of `x-1` and `x-2` the same, as of two files of one shot."""
    rng = np.random.default_rng(list(name.partition("-")[0].encode()))
    coarse = rng.integers(20, 235, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(coarse, SIDE // 4, 0), SIDE // 4, 1)


def split_of(table, sides):
    """split.csv, from the kept rows. sides: pixel hash → side, else train."""
    kept = table[table["verdict"] == "keep"]
    columns = kept[["pixel_hash", "sha256", "domain", "cluster"]]
    return columns.assign(set=[sides.get(name, "train") for name in kept["pixel_hash"]])
