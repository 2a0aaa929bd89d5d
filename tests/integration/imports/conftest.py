"""What these tests share."""

from tests.support.desk import desk
from tests.support.export_house import house

__all__ = ["desk", "house"]
