"""The measurements of scripts/bench; each module has `measure(arguments)` and says what it does."""
