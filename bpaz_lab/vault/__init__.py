"""Secrets: the ring of keys, envelope encryption, and the types of credential with their validation.

A secret goes in as text and comes out as `Secret`; nothing here knows who may do it.
"""
