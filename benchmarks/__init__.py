"""Side-by-side comparisons with other libraries; no part of the package or its tests."""
