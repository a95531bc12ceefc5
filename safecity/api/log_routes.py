"""The log, for the auditor: every look and change, and the proof that each is in it."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import LeafView, LogPage, ProofView

Before = Annotated[int | None, Query(ge=0, description="Only leaves below this index; unset: the newest.")]
Limit = Annotated[int, Query(ge=1, le=200)]
LeafType = Annotated[str | None, Query(alias="type", max_length=100, description="Only leaves of this type.")]


def log_router(parts: WebParts) -> APIRouter:
    """`/api/log` and the inclusion proofs."""
    router = APIRouter(prefix="/api/log", tags=["log"])
    oversight = parts.oversight

    @router.get("")
    def read_log(request: Request, before: Before = None, limit: Limit = 50, leaf_type: LeafType = None) -> LogPage:  # pyright: ignore[reportUnusedFunction]
        """A page of the log, newest first. Reading the log is itself in the log."""
        page = oversight.read_log(get_session(oversight, request).actor, before=before, limit=limit, type=leaf_type)
        leaves = tuple(
            LeafView(
                index=leaf.index,
                time=leaf.at,
                type=leaf.type,
                hash=leaf.leaf_hash.hex(),
                entry=leaf.entry,
                body=None if leaf.body is None else json.loads(leaf.body),
                salt=None if leaf.salt is None else leaf.salt.hex(),
            )
            for leaf in page.leaves
        )
        return LogPage(size=page.size, root=page.root.hex(), leaves=leaves)

    @router.get("/types")
    def types(request: Request) -> list[str]:  # pyright: ignore[reportUnusedFunction]
        """The types of leaves that the log holds, to choose from. No content, so no leaf."""
        return oversight.list_log_types(get_session(oversight, request).actor)

    @router.get("/{index}/proof")
    def prove(index: int, request: Request) -> ProofView:  # pyright: ignore[reportUnusedFunction]
        """The inclusion proof of one leaf (RFC 6962, section 2.1.1)."""
        proof = oversight.prove(get_session(oversight, request).actor, index)
        return ProofView(
            index=proof.index,
            size=proof.size,
            root=proof.root.hex(),
            leaf_hash=proof.leaf_hash.hex(),
            path=tuple(item.hex() for item in proof.path),
        )

    return router
