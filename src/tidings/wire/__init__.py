"""What the bytes look like: signatures, forms, and Podio's way of writing things. Pure; no socket, no database."""
