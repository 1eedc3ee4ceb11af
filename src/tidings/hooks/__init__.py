"""Who wants to know: hooks, the proof that their URL wants them, and which of them an event matches."""
