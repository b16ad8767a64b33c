"""The house rules, checked. Every checker has a test that plants a breach and sees it reported."""
