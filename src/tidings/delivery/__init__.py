"""How they are told: from an event in the outbox to an answer on record."""
