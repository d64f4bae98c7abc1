"""A refusal: what a member, or a program in their stead, asked for cannot be done."""

from __future__ import annotations


class Refused(Exception):
    """What is wrong with the request: a sentence for whoever made it, or a line each if there are several. No fault of oncue's."""
