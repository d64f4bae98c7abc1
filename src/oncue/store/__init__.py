"""Memory. The only room that speaks SQL: rows in, values out; one writer, many readers."""
