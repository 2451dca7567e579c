"""The client of the engine: standard library only, see wire."""
