"""Runs that one can go back into: durable, resumed, looked at, forked, compared."""
