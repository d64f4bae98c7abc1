"""oncue sends the right message on cue."""

__version__ = "0.1.0"
