"""What the lessons import: data, plots, checks. It holds no solution."""
