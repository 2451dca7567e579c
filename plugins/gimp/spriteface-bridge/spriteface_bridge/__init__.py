"""The modules of the GIMP plug-in: standard library and gi only.

`wire` and `client` are copied here by `spriteface install-plugins`; the rest of this folder can't
work without them, nor without `engine.json`, which the same command writes.
"""
