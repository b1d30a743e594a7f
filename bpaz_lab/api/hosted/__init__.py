"""Runs that the laboratory knows of, in the kernel that runs them."""
