"""Registers the read model in every Python process that has this folder on PYTHONPATH, as a release of it would."""

from procvars.projections import registry
from tests.console.sixth_projection.edit_counts import NAME, EditCounts

registry.PROJECTIONS[NAME] = lambda source, search_store: EditCounts()
registry.PROJECTION_NAMES = (*registry.PROJECTION_NAMES, NAME)
