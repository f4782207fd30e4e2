"""Promotion and rollback of checkpoint files: history, companion, model card. Serves nothing."""

from dataclasses import replace

import pytest

from tests.support.checkpoints import make_checkpoint
from tests.support.models.new_checkpoints import METRICS, promote_seed
from training.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from training.checkpoints.history import KEPT, History
from training.checkpoints.model_files import ModelFile, check_name, list_models
from training.checkpoints.promotion import promote, roll_back
from training.errors import ConfigError, PromotionError


def test_rollback_returns_each_replaced_checkpoint_in_turn(model, tmp_path):
    """Two rollbacks after three promotions serve the second and then the first checkpoint again, byte for byte."""
    first, second, third = (promote_seed(model, tmp_path, seed) for seed in range(3))

    served = [model.path.read_bytes()]
    for _ in range(2):
        roll_back(model)
        served.append(model.path.read_bytes())

    assert served == [third, second, first]
    assert [event.action for event in History(model).events] == ["promote"] * 3 + ["rollback"] * 2


def test_rollback_without_history_is_refused(model, tmp_path):
    """The first checkpoint of a model replaced none: a rollback changes nothing and says so."""
    content = promote_seed(model, tmp_path, 0)

    with pytest.raises(PromotionError, match="nothing to roll back to"):
        roll_back(model)

    assert model.path.read_bytes() == content


def test_refused_rollback_leaves_nothing_behind(tmp_path):
    """No folder is made for a model that isn't there."""
    with pytest.raises(PromotionError, match="nothing to roll back to"):
        roll_back(ModelFile(tmp_path / "nowhere", "jax"))

    assert not (tmp_path / "nowhere").exists()


def test_promotion_after_a_rollback_is_rolled_back_to_the_one_before(model, tmp_path):
    """A checkpoint that was rolled back doesn't return by the next rollback."""
    first = promote_seed(model, tmp_path, 0)
    promote_seed(model, tmp_path, 1)
    roll_back(model)
    promote_seed(model, tmp_path, 2)

    roll_back(model)

    assert model.path.read_bytes() == first


def test_repeated_promotions_and_rollbacks_keep_a_bounded_number_of_files(model, tmp_path):
    """Checkpoints that were rolled back are kept for a while, not forever."""
    promote_seed(model, tmp_path, 0)
    for seed in range(1, 2 * KEPT):
        promote_seed(model, tmp_path, seed)
        roll_back(model)

    assert len(list(model.history.glob("*.safetensors"))) <= KEPT + 1


def test_damaged_present_checkpoint_is_replaced(model, tmp_path):
    """A present file that can't be read isn't kept and doesn't stop a promotion."""
    model.path.parent.mkdir(parents=True)
    model.path.write_bytes(b"torn")

    content = promote_seed(model, tmp_path, 0)

    assert model.path.read_bytes() == content
    assert History(model).previous == ()


def test_present_checkpoint_is_not_promoted_again(model, tmp_path):
    """To promote the checkpoint in service changes nothing and records nothing."""
    promote_seed(model, tmp_path, 0)

    event = promote(model.path.read_bytes(), model, source=model.path)

    assert event.replaced == event.checkpoint
    assert len(History(model).events) == 1


def test_only_the_last_replaced_checkpoints_are_kept(model, tmp_path):
    """Beyond the limit, the oldest file is deleted."""
    for seed in range(KEPT + 3):
        promote_seed(model, tmp_path, seed)

    assert len(History(model).previous) == KEPT
    assert len(list(model.history.glob("*.safetensors"))) == KEPT


def test_companion_goes_with_its_checkpoint(model, tmp_path):
    """A rollback returns examples and snapshots too; a promotion without them leaves none."""
    side_files = {"companion.json": b"examples of the first", "snapshots.safetensors": b"snapshots of the first"}
    promote_seed(model, tmp_path, 0, side_files=side_files)
    promote_seed(model, tmp_path, 1)
    without = [path.exists() for path in model.side_files.values()]

    roll_back(model)

    assert without == [False, False]
    assert {suffix: path.read_bytes() for suffix, path in model.side_files.items()} == side_files
    assert [model_file.name for model_file in list_models(model.checkpoints, model.framework)] == ["cats"]


def test_card_has_figures_and_no_folder(model, tmp_path):
    """The card names data set, figure with its standard error and target, and shows no path of the machine."""
    promote_seed(model, tmp_path, 0)

    card = (model.folder / "README.md").read_text()

    assert "images:cats" in card
    assert "-100.00 +- 0.25 nats (target fixed), 50 test images" in card
    assert "/home" not in card
    assert str(tmp_path) not in card


def test_own_readme_is_left_alone(model, tmp_path):
    """A README.md that isn't a card stays as it is."""
    model.folder.mkdir(parents=True)
    (model.folder / "README.md").write_text("mine\n")

    promote_seed(model, tmp_path, 0)

    assert (model.folder / "README.md").read_text() == "mine\n"


def test_models_are_listed_default_first(tmp_path):
    """A run's state, hidden files and wrong names are no models."""
    for name in ("zebras", "model", "cats", "state", ".hidden", "a b"):
        save_checkpoint(tmp_path / "jax" / f"{name}.safetensors", make_checkpoint())

    assert [str(model) for model in list_models(tmp_path, "jax")] == ["jax/model", "jax/cats", "jax/zebras"]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "state", "-x", "é", "x" * 65, "a\n"])
def test_wrong_names_are_refused(name):
    """A name can't leave the folder, hide, or be a run's state."""
    with pytest.raises(ConfigError, match="model name"):
        check_name(name)


def test_checkpoint_metadata_is_kept(model, tmp_path):
    """A promoted file is the very file: digest and metadata are those of the source."""
    content = promote_seed(model, tmp_path, 0)

    checkpoint = load_checkpoint(model.path)

    assert replace(checkpoint, weights={}).metrics == METRICS
    assert model.path.read_bytes() == content
