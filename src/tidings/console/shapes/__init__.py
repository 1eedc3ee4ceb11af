"""How the values of each type of field stand in inputs: `table` says which shape is whose."""
