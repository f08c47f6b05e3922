"""Figures from records: pure functions that give plotly figures in the light colours."""
