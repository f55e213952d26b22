"""How near train and test come to each other."""

from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.clean.duplicates import near_duplicates, nearest
from unpaired.params import Clean
from unpaired.store import read_set


def closest_pairs(clean: Path, split: pd.DataFrame, settings: Clean) -> pd.DataFrame:
    """Of every test picture the nearest train picture of its domain, nearest pairs first; where
    one is its near duplicate, that.

    split: data/sets/split.csv. Returns domain, test, train (pixel hashes), difference (mean
    absolute, of 255), correlation, mirrored, leak (bool: near duplicates by `settings`).
    """
    found = []
    for domain, rows in split.groupby("domain"):
        known = read_set(clean / "descriptors", str(domain))
        places = pd.Series(range(len(known)), known.table["pixel_hash"])
        test, train = (rows.loc[rows["set"] == side, "pixel_hash"] for side in ("test", "train"))
        tested, trained = (known.images[places[side]] for side in (test, train))
        # Measured anew, not looked up in what the split went by: this is the check of it.
        both = np.concatenate([tested, trained])
        same = near_duplicates(both, settings.duplicate_difference, settings.duplicate_correlation)
        across = same[(same["first"] < len(test)) & (same["second"] >= len(test))]
        leaks = across.sort_values("difference").set_index("first")
        leaks = leaks.assign(place=leaks.pop("second") - len(test), leak=True)
        pairs = pd.concat([leaks, nearest(tested, trained).assign(leak=False)])
        pairs = pairs[~pairs.index.duplicated()].sort_index()
        names = {"test": test.to_numpy(), "train": train.to_numpy()[pairs["place"]]}
        found.append(pairs.drop(columns="place").assign(domain=domain, **names))
    return pd.concat(found).sort_values(["difference", "test"], ignore_index=True)
