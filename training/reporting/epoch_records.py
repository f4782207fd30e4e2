"""Metrics of an epoch as JSON values: the same on stdout, in `metrics.jsonl` and in TensorBoard."""

from training.config import TrainConfig
from training.engine.epoch import Epoch
from training.engine.lr_schedule import learning_rates

Record = dict[str, int | float | bool]


def epoch_record(epoch: Epoch, config: TrainConfig, *, train_images: int) -> Record:
    """Return an epoch's metrics by name: ELBO and KL in nats per image, training images per second.

    Args:
        epoch: The finished epoch.
        config: Hyperparameters of the run.
        train_images: Images in the training split; an epoch leaves out those that don't fill a batch.
    """
    steps = train_images // config.batch_size
    rates = learning_rates(config, steps_per_epoch=steps)
    return {
        "epoch": epoch.number,
        "seconds": round(epoch.seconds, 4),
        "images_per_second": round(steps * config.batch_size / epoch.seconds, 1),
        "learning_rate": float(rates[epoch.number * steps - 1]),
        "train_elbo": epoch.train_elbo,
        "train_kl_divergence": epoch.train_kl,
        "validation_elbo": epoch.validation_elbo,
        "validation_kl_divergence": epoch.validation_kl,
        "best": epoch.best,
    }
