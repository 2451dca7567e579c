"""Report cards: is it a face, is it that sprite, and is it fair?

`run` plays the suites against a generator; `report` prints, and writes HTML and JSON.
"""
