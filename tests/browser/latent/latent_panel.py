"""The panel of the tab Latent space, as tests read it."""

from tests.browser.looks import read_image
from training.frameworks import FRAMEWORKS

PANEL = "#panel-latent"


def read_z(page):
    """Return where the sliders are, by dimension."""
    inputs = page.query_selector_all(f"{PANEL} .slider input")
    return {int(slider.get_attribute("id").removeprefix("latent-")): float(slider.input_value()) for slider in inputs}


def pictures(page):
    """Return what each framework's panel shows."""
    return [read_image(page, f"{PANEL} [data-framework={name}] canvas") for name in FRAMEWORKS]
