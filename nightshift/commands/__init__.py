"""Commands and groups of commands, one file each; `arguments` are what they share."""
