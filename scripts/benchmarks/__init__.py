"""Benchmarks: each prints ratios measured in one run, with the CPU time behind them."""
