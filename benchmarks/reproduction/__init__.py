"""The two reports from which bnsearch grew, run again and set beside their figures: docs/reproduction.md."""
