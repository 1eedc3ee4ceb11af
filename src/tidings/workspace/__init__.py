"""What changes: organizations, spaces, apps, fields and items; who may change them; and the events that follow.

A function here takes `tx` first and the `caller` second, checks their right, does one thing whole, and appends the
events of it in the same transaction. It raises from `tidings.errors`, and knows nothing of HTTP.
"""
