"""The closed table from a field's type and settings to the shape of its values. Pure."""

from __future__ import annotations

import msgspec

from tidings.console.shapes import addresses, picked, written
from tidings.console.shapes.shape import Shape, Shapes
from tidings.workspace.fields.fieldsets import Slot
from tidings.workspace.fields.settings import SETTINGS

SHAPES: Shapes = {**written.SHAPES, **addresses.SHAPES, **picked.SHAPES}


def shape_of(slot: Slot) -> Shape:
    """The shape of a field's values."""
    return SHAPES[slot.field.type](msgspec.convert(slot.field.config.settings, SETTINGS[slot.field.type]))
