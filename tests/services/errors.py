"""Everything that can go wrong with a service, as one tree."""

from __future__ import annotations


class ServiceError(Exception):
    """A service of the tests did not do what was asked of it."""


class ToolMissingError(ServiceError):
    """A program that the services are built or run with is not installed."""


class ServiceBuildError(ServiceError):
    """A service's files could not be fetched or built."""


class ServiceStartError(ServiceError):
    """A service ended, or was not ready in time, while starting."""


class ServiceStopError(ServiceError):
    """A service did not stop in time; it has been killed instead where that was possible."""


class ServiceNotOursError(ServiceError):
    """The service was given by its address: it is not ours to stop, kill or restart."""
