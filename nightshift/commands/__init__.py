"""Groups of commands, one file each: `models` and `plans`."""
