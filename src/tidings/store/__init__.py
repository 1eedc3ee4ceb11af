"""The tables, and whole functions run as one transaction each, on SQLite or PostgreSQL."""
