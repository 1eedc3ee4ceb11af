"""Cells: what people write in tables, and the values of fields that it means.

A cell is text, whatever file it came from. What reads in one way is read; what could mean two things is refused, with a
sentence that says what would be taken. What comes out is written as callers of the API write it, so that the rule of the
field (`workspace/values`) judges it like everything else. Pure.
"""
