"""Who: passwords, tokens, throttling, and the one policy file that says who may do what.

The flows that need the database stand in `services`.
"""
