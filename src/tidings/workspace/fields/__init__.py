"""The fields of an app: what they are, how they are set, and all of them together as a set that reads and shows values."""
