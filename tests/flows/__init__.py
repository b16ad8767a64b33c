"""Whole ways through the product."""
