"""What all benchmarks share: measuring in turns, medians and spreads, versions, tables in the documentation."""
