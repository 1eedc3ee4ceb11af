"""The values of an item's fields: how each type of field is written, kept, shown, compared and said in words.

One file a family of types, one `Rule` a type; `table.py` makes the rule of a field from its settings. All of it is pure:
whether an item or a person that a value names is there, is asked elsewhere (`workspace/items/references.py`).
"""
