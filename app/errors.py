"""The errors of the service, none of which knows HTTP; `app.problem_details` maps each to a status.

ServiceError
├── DeadlinePassedError            the response would take longer than the client or the settings allow
├── RetryLaterError                the same request may succeed later
│   ├── FrameworkUnavailableError  the framework is loading, broken, or not installed
│   │   ├── ModelNotLoadedError    its checkpoint isn't loaded, but may be
│   │   └── FrameworkFaultError    it has failed and is being loaded again
│   ├── OverloadedError            its queue or the memory budget is full
│   └── RateLimitError             the client is over its rate limit
├── ReloadError                    the reload failed; what was served before still is
├── RequestError                   the client's request is at fault
│   ├── AuthenticationError        no API key, or a wrong one
│   ├── ForbiddenError             the settings forbid the route
│   ├── InvalidValueError          right syntax, wrong value
│   ├── MalformedBodyError         the body can't be parsed as its content type
│   ├── NotAcceptableError         the route has no media type that the client accepts
│   ├── NotFoundError              what the request names doesn't exist
│   ├── SlowBodyError              the body didn't arrive in time
│   ├── TooLargeError              over a limit
│   └── UnsupportedContentError    an unknown content type or encoding
└── StartupError                   the process can't serve anything
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ServiceError(Exception):
    """Any failure the service expects; the message says what was wrong, what was expected, what to do."""


class DeadlinePassedError(ServiceError):
    """A request took longer than allowed; its work was cancelled."""


class RetryLaterError(ServiceError):
    """The same request may succeed later."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FrameworkUnavailableError(RetryLaterError):
    """A framework is unavailable; the message says why."""


class ModelNotLoadedError(FrameworkUnavailableError):
    """A model's checkpoint isn't loaded, but may be."""


class FrameworkFaultError(FrameworkUnavailableError):
    """A framework that was ready has failed."""

    def __init__(self, framework: str, fault: str, *, retry_after_s: int = 5) -> None:
        super().__init__(
            f"{framework} is out of service, because {fault}; it is being loaded again: "
            "try again soon, or another framework",
            retry_after_s=retry_after_s,
        )


class OverloadedError(RetryLaterError):
    """A framework's queue or the memory budget is full."""


class RateLimitError(RetryLaterError):
    """A client is over its rate limit."""


class RequestError(ServiceError):
    """The client's request is at fault."""


class AuthenticationError(RequestError):
    """The API key is missing or unknown."""


class ForbiddenError(RequestError):
    """The settings forbid the route."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value of a request."""

    where: str
    """Dotted path, such as `query.seed` or `body.images[3]`."""

    why: str
    """The problem, and the expected value."""

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


class InvalidValueError(RequestError):
    """A well-formed request contains an invalid value."""

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class MalformedBodyError(RequestError):
    """A body can't be parsed as its content type."""


class NotAcceptableError(RequestError):
    """The client accepts no media type that the route can return."""


class TooLargeError(RequestError):
    """A body, image file or batch is over its limit."""


class UnsupportedContentError(RequestError):
    """The content type or encoding of a body is not supported."""


class NotFoundError(RequestError):
    """A resource named in the request, such as a model, doesn't exist."""


class SlowBodyError(RequestError):
    """A body didn't arrive in time."""


class ReloadError(ServiceError):
    """A reload failed; the previous models and keys stay in service."""

    def __init__(self, message: str, errors: Sequence[FieldError]) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class StartupError(ServiceError):
    """The process can't serve anything; the message is one line that says what to do."""
