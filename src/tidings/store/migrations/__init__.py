"""The steps by which the tables came to their present shape. A step that has been released is never edited."""
