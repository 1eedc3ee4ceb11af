"""The operations, one file for each few nouns: what Podio's documentation calls an area, named as Podio names it."""
