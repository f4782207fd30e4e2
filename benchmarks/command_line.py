"""The command line of a benchmark: its name as it is typed, and its module's docstring as help. Parses nothing."""

import argparse


def make_parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """Return a parser without options yet, of the benchmark `python -m NAME`, which shows the docstring as it is."""
    return argparse.ArgumentParser(
        prog=f"python -m {name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
