"""SQL text: what a query means, known without running it.

`headrace.sqltext.check.check` reads a text of Spark SQL and gives a tree of plain values. Only what stands on the
allow-list becomes part of that tree, and an engine writes its own text from the tree: nothing of the user's text but
names and constants ever reaches one.
"""
