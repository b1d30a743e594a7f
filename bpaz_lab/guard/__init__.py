"""What protects every room: strict JSON, secrets and masking, the one HTTP client and the path jail.

Here belongs what stands between a run and the outside; what a workflow means, or how it runs, does not.
"""
