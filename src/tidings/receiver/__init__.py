"""For those who are told: check a delivery and read it. Needs nothing but Python."""

from tidings.receiver.core import Delivery, Forged, Malformed, Refused, Unsigned, read_delivery

__all__ = ["Delivery", "Forged", "Malformed", "Refused", "Unsigned", "read_delivery"]
