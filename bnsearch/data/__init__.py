"""A name or a path becomes checked, split, standardised and projected arrays, memory-mapped for all processes."""
