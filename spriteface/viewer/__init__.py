"""The window: see the search happen, and shape the person.

Kept apart by what may stall and what may not:

* `geometry`, `document`, `controls`: plain values and functions; no window, no pygame;
* `tasks`, `worker`: everything that computes, in a process of its own; messages come back;
* `draw`, `window`, `app`: pygame; nothing here takes longer than a frame.

Nothing but `cli/view.py` imports this package.
"""
