"""What happened: the table of event types, and the outbox that takes an event in the change's own transaction."""
