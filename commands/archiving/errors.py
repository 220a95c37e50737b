"""Refusals of archiving."""

from procvars.domain.errors import Conflict, DomainError


class ArchivingRunning(Conflict):
    """Another run archives already: wait until it has ended."""


class ArchiveDamaged(DomainError):
    """The archive on the disk is not the one that was written: nothing is removed."""


class ArchiveMissing(DomainError):
    """An earlier run was interrupted, and its archive is not in this folder: go on with the folder that it had."""
