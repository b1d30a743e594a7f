"""The types of credential, one file each; a new file is found by itself.

What a file holds says `vault/credential_type.py`.
"""
