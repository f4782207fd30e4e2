"""The errors of the `training` package, none of which knows HTTP.

TrainingError
├── CheckpointError             a checkpoint file that can't be read, or isn't of this project
│   └── UnwritableError         a checkpoint file, or its folder, that can't be written
├── CompilerError               a missing compiler that a framework needs
├── ConfigError                 a configuration value out of its range
├── DataError                   a data set that is absent, damaged or of the wrong shape
├── DeviceError                 a requested device that isn't available
├── DivergenceError             a loss that became NaN or infinite
├── FrameworkNotInstalledError  a framework whose packages are absent
├── ParityError                 frameworks whose results differ, which makes timings meaningless
├── PromotionError              a checkpoint that can't replace the one in service, or be rolled back
├── RunFolderError              a run's folder that can't be written, or whose files are damaged
├── RunLockedError              a folder in which another run is writing
└── UnknownFrameworkError       an unknown framework name
"""


class TrainingError(Exception):
    """Base of all failures that the user of a trainer or a checkpoint can fix; the message says how."""


class CheckpointError(TrainingError):
    """A checkpoint can't be read or written; the message names file, tensor, expected and found."""


class UnwritableError(CheckpointError):
    """A checkpoint file or its folder can't be written; the message names it, and the reason."""


class CompilerError(TrainingError):
    """A framework can't compile here; the message says what it lacks."""


class ConfigError(TrainingError):
    """A configuration value is out of range; the message names field, value and allowed range."""


class DataError(TrainingError):
    """A data set is absent, damaged or of the wrong shape."""


class DeviceError(TrainingError):
    """The requested device isn't available to the framework."""


class DivergenceError(TrainingError):
    """A loss became NaN or infinite; the message names epoch and batch."""


class FrameworkNotInstalledError(TrainingError):
    """A framework's packages are absent; the message gives the install command."""


class ParityError(TrainingError):
    """The same weights, images and noise give different results; the message names metric, difference and limit."""


class PromotionError(TrainingError):
    """A checkpoint can't replace the one in service, or be rolled back; the message says why, with both test ELBOs."""


class RunFolderError(TrainingError):
    """A run's folder can't be written, or a file in it is damaged; the message names it."""


class RunLockedError(TrainingError):
    """Another run is writing in the folder."""


class UnknownFrameworkError(TrainingError, ValueError):
    """A name is neither a framework nor an alias of one."""
