"""An oncue inside the test."""

from inside import clock_put_back, impatient, inside

__all__ = ["clock_put_back", "impatient", "inside"]
