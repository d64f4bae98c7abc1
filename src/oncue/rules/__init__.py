"""Thought. Pure: conditions, templates, the file format and the engine that decides; knows no provider, no database, no clock."""
