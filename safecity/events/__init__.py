"""The facts that the system can state: one typed catalogue, one file a room, past tense.

A fact is a row of the `events` table, written in the transaction that made it true, and read by cursor. Its id is
made from its cause, so stating it twice is harmless. The envelope follows CloudEvents 1.0 (id, source, type, time,
subject, data).
"""

# Every process that reads facts knows all of them: one that is not in the catalogue would be set aside as unreadable.
from safecity.events import analytics, cases, dispatch, incidents, sites, video
from safecity.events.store import Fact, Stated, last_cursor, read_facts, set_aside, state_fact

__all__ = [
    "Fact",
    "Stated",
    "analytics",
    "cases",
    "dispatch",
    "incidents",
    "last_cursor",
    "read_facts",
    "set_aside",
    "sites",
    "state_fact",
    "video",
]
