"""Batch-normalised fully connected networks, many at once: NumPy only, no files, no search.

Every weight is (K, fan_in, fan_out), every vector (K, 1, n): K networks (lanes) of one architecture side by side.
A lane's numbers are bit for bit the same whatever K is and whoever its neighbours are.
"""
