"""Groups of commands, one file each: `models`, `plans` and `variants`; `arguments` are what they
share.
"""
