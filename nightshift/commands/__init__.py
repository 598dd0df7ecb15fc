"""Groups of commands, one file each: `models` and `plans`; `arguments` are what they share."""
