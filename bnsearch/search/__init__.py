"""The search chain: the only part of bnsearch that knows Optuna."""
