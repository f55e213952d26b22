"""How near train and test come to each other."""

from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.clean.duplicates import near_duplicates, nearest
from unpaired.params import Clean
from unpaired.store import read_set


def closest_pairs(clean: Path, split: pd.DataFrame, settings: Clean) -> pd.DataFrame:
    """Of every test picture the nearest train picture of its domain, nearest pairs first.

    split: data/sets/split.csv. Returns domain, test, train (pixel hashes), difference (mean
    absolute, of 255), correlation, mirrored, leak (bool: near duplicates by `settings`).
    """
    found = []
    for domain, rows in split.groupby("domain"):
        known = read_set(clean / "descriptors", str(domain))
        places = pd.Series(range(len(known)), known.table["pixel_hash"])
        test, train = (rows.loc[rows["set"] == side, "pixel_hash"] for side in ("test", "train"))
        tested, trained = (known.images[places[side]] for side in (test, train))
        pairs = nearest(tested, trained)
        # Measured anew, not looked up in what the split went by: this is the check of it.
        both = np.concatenate([tested, trained[pairs["place"]]])
        same = near_duplicates(both, settings.duplicate_difference, settings.duplicate_correlation)
        leaks = same.loc[same["second"] >= len(test), "first"]
        pairs = pairs.assign(
            domain=domain,
            test=test.to_numpy(),
            train=train.to_numpy()[pairs["place"]],
            leak=np.isin(np.arange(len(test)), leaks),
        )
        found.append(pairs.drop(columns="place"))
    return pd.concat(found).sort_values(["difference", "test"], ignore_index=True)
