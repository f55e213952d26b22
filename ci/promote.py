#!/usr/bin/env python3
"""Makes the registry's challenger the champion, if it still is the better one."""

import os

from shared import main, output, pull_inputs


def promote() -> None:
    # A champion from before a change of data is measured anew, on the pictures there are now.
    pull_inputs(["evaluate"])
    told = output("unpaired", "promote", "--md")
    print(told)
    with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
        file.write(f"{told}\n")


if __name__ == "__main__":
    main(promote)
