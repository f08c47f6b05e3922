"""Batch-normalised fully connected networks, many at once: NumPy and SciPy's BLAS, no files, no search.

Every weight is (K, fan_out, fan_in), every vector (K, n, 1): K networks (lanes) of one architecture side by side.
A lane's numbers are bit for bit the same whatever K is and whoever its neighbours are.
"""
