"""Reads the text of `/metrics`."""

from prometheus_client.parser import text_string_to_metric_families


def read_samples(text):
    """Return the value of each sample, by its name and labels."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }
