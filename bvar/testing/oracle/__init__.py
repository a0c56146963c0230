"""The oracle: what is meant, one bit at a time, in plain Python without NumPy's arithmetic."""
