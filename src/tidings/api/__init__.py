"""Podio's HTTP paths, one file a noun. Reads bodies, names the caller, writes answers; every rule lives below."""
