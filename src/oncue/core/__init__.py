"""Words. The vocabulary every room shares: pure values and pure functions, no I/O."""
