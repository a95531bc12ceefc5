"""The facts that the system can state: one typed catalogue, one file a room, past tense.

A fact is a row of the `events` table, written in the transaction that made it true, and read by cursor. Its id is
made from its cause, so stating it twice is harmless. The envelope follows CloudEvents 1.0 (id, source, type, time,
subject, data).
"""

from safecity.events.store import Fact, Stated, last_cursor, read_facts, set_aside, state_fact

__all__ = ["Fact", "Stated", "last_cursor", "read_facts", "set_aside", "state_fact"]
