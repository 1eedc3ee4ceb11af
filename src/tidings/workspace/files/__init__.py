"""Files: `files` has their rules and events, `rows` their statements, `views` what an answer says of them."""
