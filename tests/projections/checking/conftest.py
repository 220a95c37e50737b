from tests.projections.databases import embedded_server
from tests.projections.rebuilding.banks import bank, filled_bank

__all__ = ["bank", "embedded_server", "filled_bank"]
