"""Keeps the garbage collector out of the requests' way."""

import gc
from typing import Final

_MOST_NEW_OBJECTS: Final = 3000
"""How many more are made than freed before garbage is looked for. Python's 700 are those of some ten open requests;
with 20,000 each look takes so long that the slowest requests take twice as long."""


def set_aside_what_is_loaded() -> None:
    """Collect garbage once, and exempt from later collections all that is left.

    A framework is hundreds of thousands of objects that live as long as the process. Looking through them again and
    again for garbage took a fifth of the time of requests of one image.
    """
    gc.collect()
    gc.freeze()


def look_for_garbage_less_often() -> None:
    """Have garbage looked for as seldom as a busy server needs it, not at every few requests."""
    gc.set_threshold(_MOST_NEW_OBJECTS)
