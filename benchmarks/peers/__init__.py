"""The same training steps in bnsearch and in other libraries."""
