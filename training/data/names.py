"""Display names of data sets, which show no folder of the machine that has them."""

from pathlib import PurePath


def display_name(dataset: str) -> str:
    """Return a data set's name without the folders that lead to it: `images:/home/ada/cats` is `images:cats`."""
    kind, colon, rest = dataset.partition(":")
    if kind not in {"images", "idx"} or not colon:
        return dataset
    return f"{kind}:{_last_part(rest)}"


def _last_part(folder: str) -> str:
    name = PurePath(folder.replace("\\", "/")).name
    return name if name.strip("~.") else "folder"
