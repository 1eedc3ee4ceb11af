"""What the API says of itself: `/openapi.json` and the page at `/docs`, both made from the table of operations."""
