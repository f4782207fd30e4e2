"""Numbers with their nouns, as the lines and messages have them."""

import pytest

from training.counts import count_of


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1, "epoch"), "1 epoch"),
        ((0, "epoch"), "0 epochs"),
        ((2, "epoch"), "2 epochs"),
        ((50_000, "image", ","), "50,000 images"),
    ],
)
def test_a_noun_is_singular_after_1_alone(arguments, text):
    """The noun has an s unless the number is 1; the number may have separators."""
    assert count_of(*arguments) == text
