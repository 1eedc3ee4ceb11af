"""Items: `items` has their rules and events; the other modules their rows and views, revisions, filters, references, what hangs on them."""
