"""Users, sessions, purposes and the log that only grows.

The triggers are a seat belt, not the proof: whoever can change the schema can drop them, and then the Merkle tree
shows the change. Alembic's batch mode rebuilds a table on SQLite without its triggers, so a later revision that
alters one of these tables must create its triggers again.
"""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import BigSerial, UtcInstant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_POSTGRESQL_FUNCTIONS = (
    """
    CREATE FUNCTION safecity_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION USING
            MESSAGE = TG_TABLE_NAME || ' only grows: ' || TG_OP || ' is refused', ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE FUNCTION safecity_next_leaf_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.leaf_index <> (SELECT coalesce(max(leaf_index) + 1, 0) FROM log_leaves) THEN
            RAISE EXCEPTION USING
                MESSAGE = 'log_leaves only grows: leaves are numbered without a gap', ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION safecity_erasure_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.leaf_index <> OLD.leaf_index OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL THEN
            RAISE EXCEPTION USING
                MESSAGE = 'log_bodies can be erased, never changed', ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)


def upgrade() -> None:
    """Create the tables and the triggers that keep the log growing only."""
    _create_accounts()
    _create_attempts()
    _create_purposes()
    _create_log()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Drop them; the log goes with them, so this is for a development database only."""
    for table in ("log_nodes", "log_bodies", "log_leaves", "purposes", "sign_in_attempts", "sessions", "users"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in ("safecity_refuse_change", "safecity_next_leaf_only", "safecity_erasure_only"):
            op.execute(f"DROP FUNCTION {function}()")


def _create_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(40), nullable=False, comment="usr_..."),
        sa.Column("name", sa.String(64), nullable=False, comment="Sign-in name, lower case"),
        sa.Column("display_name", sa.String(200), nullable=False, comment="Name shown to colleagues, any script"),
        sa.Column("role", sa.String(20), nullable=False, comment="One of the seven roles"),
        sa.Column("password_hash", sa.String(255), nullable=False, comment="argon2id in PHC form"),
        sa.Column("created_at", UtcInstant, nullable=False, comment="When the account was made"),
        sa.Column("disabled_at", UtcInstant, nullable=True, comment="Since when nobody can sign in with it"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
        comment="People who may sign in",
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(40), nullable=False, comment="ses_..., safe to show in the log"),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, comment="SHA-256 of the token; never the token"),
        sa.Column("user_id", sa.String(40), nullable=False, comment="Whose session it is"),
        sa.Column("console", sa.String(100), nullable=False, comment="Address it was opened from"),
        sa.Column("created_at", UtcInstant, nullable=False, comment="When it was opened"),
        sa.Column("expires_at", UtcInstant, nullable=False, comment="When it ends at the latest; never prolonged"),
        sa.Column("last_seen_at", UtcInstant, nullable=False, comment="Last use, to the minute"),
        sa.Column("ended_at", UtcInstant, nullable=True, comment="When it was ended before its time"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users"),
        comment="Signed-in browsers",
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def _create_attempts() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", BigSerial, autoincrement=True, nullable=False, comment="Order of arrival"),
        sa.Column(
            "name_key", sa.String(32), nullable=False, comment="Hash of the typed name, which may be no user's name"
        ),
        sa.Column("console", sa.String(100), nullable=False, comment="Address the attempt came from"),
        sa.Column("at", UtcInstant, nullable=False, comment="When"),
        sa.Column(
            "outcome",
            sa.String(10),
            nullable=False,
            comment="open (being checked, counts as failed), failed or limited",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempts"),
        comment="Recent failed sign-ins, kept as long as the limit looks back",
    )
    op.create_index("ix_sign_in_attempts_name_key", "sign_in_attempts", ["name_key"])
    op.create_index("ix_sign_in_attempts_console", "sign_in_attempts", ["console"])


def _create_purposes() -> None:
    op.create_table(
        "purposes",
        sa.Column("id", sa.String(40), nullable=False, comment="pur_..."),
        sa.Column("kind", sa.String(10), nullable=False, comment="shift, incident or case"),
        sa.Column("ref", sa.String(100), nullable=False, comment="Id of the shift's user, the incident or the case"),
        sa.Column("user_id", sa.String(40), nullable=True, comment="Whose purpose it is; null where it is shared"),
        sa.Column("opened_at", UtcInstant, nullable=False, comment="From when it justifies a look"),
        sa.Column("ends_at", UtcInstant, nullable=True, comment="Until when at the latest; null: until it is closed"),
        sa.Column("closed_at", UtcInstant, nullable=True, comment="When it was closed"),
        sa.PrimaryKeyConstraint("id", name="pk_purposes"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_purposes_user_id_users"),
        comment="Why someone may look: things that the system can check",
    )
    op.create_index("ix_purposes_kind_ref", "purposes", ["kind", "ref"])
    still_open_shift = sa.text("kind = 'shift' AND closed_at IS NULL")
    op.create_index(
        "uq_purposes_user_id",
        "purposes",
        ["user_id"],
        unique=True,
        sqlite_where=still_open_shift,
        postgresql_where=still_open_shift,
    )


def _create_log() -> None:
    op.create_table(
        "log_leaves",
        sa.Column(
            "leaf_index", sa.BigInteger, autoincrement=False, nullable=False, comment="0, 1, 2, ... in order of commit"
        ),
        sa.Column("type", sa.String(40), nullable=False, comment="What happened, such as view_live or refused"),
        sa.Column("at", UtcInstant, nullable=False, comment="When, to the millisecond, as in the entry"),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False, comment="SHA-256 of salt and body"),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False, comment="RFC 6962 leaf hash of the entry"),
        sa.Column("entry", sa.Text, nullable=False, comment="The leaf itself: RFC 8785 JSON {v,t,type,commit}"),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_log_leaves"),
        comment="The log that only grows; nothing in it names anybody",
    )
    op.create_index("ix_log_leaves_type_leaf_index", "log_leaves", ["type", "leaf_index"])
    op.create_table(
        "log_bodies",
        sa.Column("leaf_index", sa.BigInteger, autoincrement=False, nullable=False, comment="Whose content this is"),
        sa.Column("salt", sa.LargeBinary(32), nullable=True, comment="32 random bytes; null once erased"),
        sa.Column("body", sa.Text, nullable=True, comment="Content as RFC 8785 JSON; null once erased"),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_log_bodies"),
        sa.ForeignKeyConstraint(["leaf_index"], ["log_leaves.leaf_index"], name="fk_log_bodies_leaf_index_log_leaves"),
        comment="Restricted content of the leaves; can be erased while the tree stays",
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.SmallInteger, nullable=False, comment="Height above the leaves, from 1"),
        sa.Column(
            "position", sa.BigInteger, nullable=False, comment="It covers the leaves position*2^level and following"
        ),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, comment="RFC 6962 hash of that complete subtree"),
        sa.PrimaryKeyConstraint("level", "position", name="pk_log_nodes"),
        comment="Complete subtrees, so that an append, the root and a proof read O(log n) rows",
    )


def _guard_postgresql() -> None:
    for function in _POSTGRESQL_FUNCTIONS:
        op.execute(function)
    for table, changes in (
        ("log_leaves", "UPDATE OR DELETE"),
        ("log_nodes", "UPDATE OR DELETE"),
        ("log_bodies", "DELETE"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_unchanged BEFORE {changes} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION safecity_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION safecity_refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER log_leaves_dense BEFORE INSERT ON log_leaves "
        "FOR EACH ROW EXECUTE FUNCTION safecity_next_leaf_only()"
    )
    op.execute(
        "CREATE TRIGGER log_bodies_unchanged_or_erased BEFORE UPDATE ON log_bodies "
        "FOR EACH ROW EXECUTE FUNCTION safecity_erasure_only()"
    )


def _guard_sqlite() -> None:
    def refuse(name: str, occasion: str, *, message: str, condition: str = "1") -> None:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {occasion} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )

    for table, changes in (
        ("log_leaves", ("UPDATE", "DELETE")),
        ("log_nodes", ("UPDATE", "DELETE")),
        ("log_bodies", ("DELETE",)),
    ):
        for change in changes:
            refuse(
                f"{table}_no_{change.lower()}",
                f"{change} ON {table}",
                message=f"{table} only grows: {change} is refused",
            )
    # INSERT OR REPLACE deletes the old row without firing a delete trigger, so the insert itself is guarded.
    refuse(
        "log_leaves_dense",
        "INSERT ON log_leaves",
        message="log_leaves only grows: leaves are numbered without a gap",
        condition="NEW.leaf_index <> (SELECT coalesce(max(leaf_index) + 1, 0) FROM log_leaves)",
    )
    refuse(
        "log_bodies_no_replace",
        "INSERT ON log_bodies",
        message="log_bodies can be erased, never changed",
        condition="EXISTS (SELECT 1 FROM log_bodies WHERE leaf_index = NEW.leaf_index)",
    )
    refuse(
        "log_nodes_no_replace",
        "INSERT ON log_nodes",
        message="log_nodes only grows: REPLACE is refused",
        condition="EXISTS (SELECT 1 FROM log_nodes WHERE level = NEW.level AND position = NEW.position)",
    )
    refuse(
        "log_bodies_no_change",
        "UPDATE ON log_bodies",
        message="log_bodies can be erased, never changed",
        condition="NEW.leaf_index <> OLD.leaf_index OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL",
    )
