"""A package, so that the server and the browser, of which there is one each for all of it, end with its last test: while Playwright
runs, no other test can have an event loop."""
