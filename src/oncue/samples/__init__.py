"""Sample rules, which `oncue demo` starts with."""
