"""The errors of the `app` package, none of which knows HTTP; `app.errors` maps each to a status.

ServiceError
├── DeadlinePassedError            the answer would come later than the client, or the settings, allow
├── RetryLaterError                the same request may be answered later
│   ├── FrameworkUnavailableError  the framework is loading, broken, or not installed
│   │   └── FrameworkFaultError    it failed just now, and is being loaded anew
│   ├── OverloadedError            its queue is full
│   └── RateLimitError             the client asks more often than it may
├── ReloadError                    what was to be loaded anew can't be; what was served before still is
├── RequestError                   the client sent something that can't be answered
│   ├── AuthenticationError        no API key, or a wrong one
│   ├── ForbiddenError             nobody may ask for that, as the service is set
│   ├── InvalidValueError          right syntax, wrong value
│   ├── MalformedBodyError         the body isn't what its content type says
│   ├── NotAcceptableError         no output that the client accepts
│   ├── SlowBodyError              the body didn't come in time
│   ├── TooLargeError              over a limit
│   └── UnsupportedContentError    an unknown content type or encoding
└── StartupError                   nothing can be served at all
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ServiceError(Exception):
    """Any failure the service expects; the message says what was wrong, what was expected, what to do."""


class DeadlinePassedError(ServiceError):
    """A request took longer than it may; its work was dropped."""


class RetryLaterError(ServiceError):
    """The same request may be answered later."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FrameworkUnavailableError(RetryLaterError):
    """A framework can't answer now; the message says why."""


class FrameworkFaultError(FrameworkUnavailableError):
    """A framework that was ready has failed."""

    def __init__(self, framework: str, fault: str, *, retry_after_s: int = 5) -> None:
        super().__init__(
            f"{framework} is out of service, because {fault}; it is being loaded anew: "
            "try again soon, or another framework",
            retry_after_s=retry_after_s,
        )


class OverloadedError(RetryLaterError):
    """A framework's queue is full."""


class RateLimitError(RetryLaterError):
    """A client asks more often than it may."""


class RequestError(ServiceError):
    """A request can't be answered, through no fault of the service."""


class AuthenticationError(RequestError):
    """No API key was sent, or one that isn't known."""


class ForbiddenError(RequestError):
    """Nobody may ask for that, as the service is set."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value of a request."""

    where: str
    """Dotted path, such as `query.seed` or `body.images[3]`."""

    why: str
    """What was wrong and what was expected."""

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


class InvalidValueError(RequestError):
    """A request is well formed, but a value in it is wrong."""

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class MalformedBodyError(RequestError):
    """A body can't be parsed as what its content type says."""


class NotAcceptableError(RequestError):
    """Nothing the route can answer with is accepted by the client."""


class TooLargeError(RequestError):
    """A body, picture or batch is over its limit."""


class UnsupportedContentError(RequestError):
    """The content type or encoding of a body isn't one that is read here."""


class SlowBodyError(RequestError):
    """A body didn't come in time."""


class ReloadError(ServiceError):
    """What was to be loaded anew can't be; what was served before still is."""

    def __init__(self, message: str, errors: Sequence[FieldError]) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class StartupError(ServiceError):
    """The process can't serve anything; the message is one line that says what to do."""
