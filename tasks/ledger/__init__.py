"""The memory of all nights, in the state store.

`records` are create-only, one an attempt; `claims` say who works on a plan right now, `holders`
whether those live; `champions` is the one object that names who answers; `manifests` list what each
night found. `stored` reads and writes them. Everything rests on the preconditions of a `Store`:
nothing here is ever read, changed and written back without one.
"""
