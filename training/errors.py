"""The errors of the `training` package, none of which knows HTTP.

TrainingError
├── CheckpointError             a checkpoint file that can't be read, or isn't ours
├── CompilerError               a compiler that a framework needs and that isn't there
├── ConfigError                 a configuration value out of its range
├── DataError                   a data set that is absent, damaged or of the wrong shape
├── DeviceError                 a device that was asked for and isn't there
├── DivergenceError             a loss that is no number any more
├── FrameworkNotInstalledError  a framework whose packages are absent
├── ParityError                 frameworks whose figures differ, so that comparing their speed means nothing
├── RunFolderError              a run's folder that can't be written, or whose files are damaged
├── RunLockedError              a folder in which another run is writing
└── UnknownFrameworkError       a name that is no framework's
"""


class TrainingError(Exception):
    """Any failure that the user of a trainer or a checkpoint can mend; the message says how."""


class CheckpointError(TrainingError):
    """A checkpoint can't be read or written; the message names file, tensor, expected and found."""


class CompilerError(TrainingError):
    """A framework can't compile here; the message says what it lacks."""


class ConfigError(TrainingError):
    """A configuration value is out of range; the message names field, value and allowed range."""


class DataError(TrainingError):
    """A data set is absent, damaged or of the wrong shape."""


class DeviceError(TrainingError):
    """The device asked for isn't available to the framework."""


class DivergenceError(TrainingError):
    """A loss became NaN or infinite; the message names epoch and batch."""


class FrameworkNotInstalledError(TrainingError):
    """A framework's packages are absent; the message gives the install command."""


class ParityError(TrainingError):
    """The same weights, images and noise give different figures; the message has which, by how much, and the limit."""


class RunFolderError(TrainingError):
    """A run's folder can't be written, or a file in it is damaged; the message names it."""


class RunLockedError(TrainingError):
    """Another run is writing in the folder."""


class UnknownFrameworkError(TrainingError):
    """A name is neither a framework nor an alias of one."""
