"""Tasks: `tasks` has their rules and events, the other modules the parts, people, rows, lists and views of them."""
