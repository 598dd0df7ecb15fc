"""One file of a producer becomes prepared rows and rows to set aside, or is refused.

`tables` reads a file: `files` and `json_lines` turn bytes into `contents`, `columns` gives cells
their types by `cells`, `instants` and `embeddings` (also in a frame in memory), `quarantine` tells
what broke the schema, `marks` names rows and their groups by `mixing`. `wording` is common to the
messages.
"""
