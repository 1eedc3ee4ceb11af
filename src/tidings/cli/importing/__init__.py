"""`tidings import`: a table from a file becomes items of an app, with an event each.

Files are read here, row by row and never whole; what a cell means and whether a row may go in is the workspace's to say
(`workspace/cells`, `workspace/imports.py`).
"""
