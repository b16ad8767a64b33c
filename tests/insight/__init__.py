"""Indicators: their arithmetic, what is counted, and what was kept."""
