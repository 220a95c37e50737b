"""Errors of archives."""

from procvars.domain.errors import DomainError


class UnusableKey(DomainError):
    """The key cannot sign or verify archives."""


class FolderUnusable(DomainError):
    """The folder cannot hold archives."""


class NoArchive(DomainError):
    """There is no archive."""
