"""`app.codecs.content_negotiation`: the format of a response."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codecs.content_negotiation import OutputFormat, negotiate
from app.errors import InvalidValueError, NotAcceptableError

JSON, PNG, NPY = OutputFormat.JSON, OutputFormat.PNG, OutputFormat.NPY
ALL = (JSON, PNG, NPY)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def choose(accept, *, word=None, available=ALL):
    """Negotiate with the defaults that these tests share."""
    return negotiate(accept=accept, format=word, available=available)


def test_media_types_of_formats():
    """Each format has the contract's media type."""
    assert [output.media_type for output in ALL] == ["application/json", "image/png", "application/x-npy"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        (" , ", JSON),
        ("*/*", JSON),
        (FIREFOX, JSON),
        ("application/json", JSON),
        ("image/png", PNG),
        ("IMAGE/PNG", PNG),
        ("application/x-npy", NPY),
        ("image/*", PNG),
        ("application/*", JSON),
        ("image/avif,image/webp,image/*,*/*;q=0.8", PNG),
        ("application/json; charset=utf-8", JSON),
        ("application/json;q=0.5, image/png;q=0.6", PNG),
        ("application/json;q=0.5, image/png ; q = 0.6", PNG),
        ("application/json;q=.5, image/png;q=.6", PNG),
        ("application/x-npy, */*;q=0.1", NPY),
        ("application/json;q=0, */*", PNG),
        ("application/json;q=0, image/*;q=0.000, */*;q=0.1", NPY),
        ("*/*;q=0.9, application/json;q=0.1", PNG),
        ("application/*;q=0.9, application/json;q=0.1", NPY),
    ],
)
def test_negotiate_by_accept(accept, expected):
    """Quality decides, of the most specific range that covers a format; a quality of 0 excludes it."""
    assert choose(accept) is expected


@pytest.mark.parametrize("accept", ["image/png, */*", "*/*, image/png", "image/png;q=0.5, */*;q=0.5"])
def test_negotiate_when_qualities_tie(accept):
    """At the same quality the format that was named wins over one that a wildcard covers."""
    assert choose(accept) is PNG


@pytest.mark.parametrize("available", [(JSON, NPY), (NPY, JSON)])
def test_negotiate_when_everything_ties(available):
    """At the same quality and specificity the order of what is available decides."""
    assert choose("application/x-npy, application/json", available=available) is available[0]


@pytest.mark.parametrize(
    "accept", ["garbage", ";;;", "*", "a/b/c", "application/json;q=high", "application/json;q=nan", "\x00", "q=1"]
)
def test_negotiate_passes_over_what_it_cannot_understand(accept):
    """A malformed part counts as not sent: alone it gives the default, beside others those decide."""
    assert choose(accept) is JSON
    assert choose(f"{accept}, image/png;q=0.1") is PNG


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/octet-stream",
        "application/npy",
        "image/jpeg",
        "*/*;q=0",
        "/",
        "image/png;q=0, image/*",
    ],
)
def test_negotiate_when_nothing_matches(accept):
    """A header that allows nothing available is refused; the error names what is."""
    with pytest.raises(NotAcceptableError, match=r"accept application/json, image/png or application/x-npy"):
        choose(accept)


def test_negotiate_when_the_match_is_not_available():
    """Only what the route offers counts."""
    with pytest.raises(NotAcceptableError, match=r"accept application/json$"):
        choose("image/png", available=[JSON])


@pytest.mark.parametrize("accept", [None, "application/json", "text/html"])
@pytest.mark.parametrize(("word", "expected"), [("png", PNG), ("NPY", NPY), ("json", JSON)])
def test_negotiate_by_word(accept, word, expected):
    """An explicit word wins over whatever the header says."""
    assert choose(accept, word=word) is expected


@pytest.mark.parametrize("word", ["", "gif", "image/png", "x" * 500, "\n<script>"])
def test_negotiate_by_unknown_word(word):
    """A word that is no format is a wrong value of the query, which is echoed only in part."""
    with pytest.raises(InvalidValueError, match="expected json, png or npy") as caught:
        choose(None, word=word)

    assert [error.where for error in caught.value.errors] == ["query.format"]
    assert len(str(caught.value)) < 120
    assert str(caught.value).isprintable()


def test_negotiate_by_word_that_is_not_available():
    """A format that exists, but not for this route, isn't acceptable rather than wrong."""
    with pytest.raises(NotAcceptableError, match="no png response: request json or npy"):
        choose("*/*", word="png", available=[JSON, NPY])


HEADER_PARTS = st.sampled_from(
    ["application", "image", "json", "png", "x-npy", "*", "/", ",", ";", "q", "=", "0", "1", ".", "5", " ", '"', "é"]
)


@given(
    accept=st.none() | st.text(max_size=80) | st.lists(HEADER_PARTS, max_size=40).map("".join),
    available=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
)
def test_negotiate_of_any_header(accept, available):
    """Any header gives an available format or a `NotAcceptableError`, never another error."""
    try:
        chosen = choose(accept, available=available)
    except NotAcceptableError:
        chosen = None

    assert chosen is None or chosen in available
    assert chosen is not None or accept
