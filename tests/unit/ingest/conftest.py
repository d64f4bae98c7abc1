"""An oncue inside the test."""

from swrving import phone

from inside import clock_put_back, impatient, inside

__all__ = ["clock_put_back", "impatient", "inside", "phone"]
