"""Paired differences between frameworks, and the intervals of their means."""

import pytest

from training.comparison.model_quality.differences import paired_differences


def section(**losses):
    """Return a section with these losses by framework, from seed 0."""
    return {
        "frameworks": {
            name: {"seeds": {str(seed): {"elbo": {"value": -loss}} for seed, loss in enumerate(values)}}
            for name, values in losses.items()
        }
    }


def test_interval_is_students():
    """Of five differences with mean 0.1 and standard deviation 0.158, by t's 97.5% quantile of 4 degrees, 2.776."""
    (difference,) = paired_differences(
        section(jax=[99.0, 99.1, 99.2, 99.3, 99.4], pytorch=[99.1, 98.9, 99.0, 99.2, 99.3])
    )

    assert difference.of == ("jax", "pytorch")
    assert difference.seeds == 5
    assert difference.mean == pytest.approx(0.1)
    deviation = 0.122474487  # of -0.1, 0.2, 0.2, 0.1, 0.1
    assert difference.half_width == pytest.approx(2.7764451 * deviation / 5**0.5)
    assert not difference.is_apart_from_zero


def test_difference_is_paired_by_seed():
    """A seed that is hard for all frameworks doesn't widen the interval."""
    (difference,) = paired_differences(section(jax=[90.0, 95.0, 100.0], tensorflow=[89.5, 94.6, 99.4]))

    assert difference.mean == pytest.approx(0.5)
    assert difference.half_width < 0.3
    assert difference.is_apart_from_zero


def test_joint_interval_is_wider_where_there_are_several_pairs():
    """Three pairs share the 5% that may miss: t's 99.17% quantile of 4 degrees, 3.961, in place of 2.776."""
    jax, pytorch = [99.0, 99.1, 99.2, 99.3, 99.4], [99.1, 98.9, 99.0, 99.2, 99.3]
    (single,) = paired_differences(section(jax=jax, pytorch=pytorch))
    several = paired_differences(section(jax=jax, tensorflow=jax[::-1], pytorch=pytorch))

    (same,) = [difference for difference in several if difference.of == ("jax", "pytorch")]
    assert single.joint_half_width == single.half_width == same.half_width
    assert same.joint_half_width / same.half_width == pytest.approx(3.9608 / 2.7764, rel=1e-4)


def test_pairs_need_two_seeds_in_common():
    """One difference has no spread, and a framework without runs no difference."""
    assert paired_differences(section(jax=[99.0], pytorch=[99.1])) == []
    assert paired_differences(section(jax=[99.0, 99.1], pytorch=[])) == []
    assert [
        difference.of for difference in paired_differences(section(jax=[1, 2], tensorflow=[1, 2], pytorch=[2, 3]))
    ] == [
        ("jax", "tensorflow"),
        ("jax", "pytorch"),
        ("tensorflow", "pytorch"),
    ]
