"""One exam from its files to its report."""
