"""The columns and indexes with which a gallery of many tasks is searched, sorted and paginated.

The columns repeat parts of the request. A row that an older version adds later has NULL there.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0.2.0_4"
down_revision = "0.2.0_3"

_COLUMNS = {"mode": sa.String, "prompt_start": sa.String, "search_id": sa.Integer}
_UNFINISHED = "status NOT IN ('completed', 'failed', 'cancelled') OR status = 'completed' AND file IS NULL"
#: A text of the request; NULL where there is none, or where the database does not read the request as JSON.
_FIELD = {
    "sqlite": """
        CASE WHEN json_valid(request) THEN
            CASE json_type(request, '$.{name}') WHEN 'text' THEN json_extract(request, '$.{name}') END
        END
    """,
    "postgresql": r"""
        CASE WHEN request::text !~
            '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]'
        AND json_typeof(request) = 'object' AND json_typeof(request -> '{name}') = 'string'
        THEN request ->> '{name}' END
    """,
}
_FILL = """
    UPDATE tasks SET
        mode = substr(coalesce(
            {mode}, CASE {resolution} WHEN '720p' THEN 'std' WHEN '1080p' THEN 'pro' ELSE {resolution} END
        ), 1, 40),
        prompt_start = substr({prompt}, 1, 60)
    WHERE request IS NOT NULL
"""
_NEWEST = sa.text("submitted_at DESC")
_INDEXES: dict[str, tuple[str, list[Any]]] = {
    "ix_tasks_newest": ("tasks", [_NEWEST, "key", "status", "model", "mode", "search_id"]),
    "ix_tasks_model": ("tasks", ["model", _NEWEST, "key", "status", "mode"]),
    "ix_tasks_prompt": ("tasks", ["prompt_start", _NEWEST, "key"]),
    "ix_tasks_search": ("tasks", ["search_id"]),
    "ix_judgements_rated": ("judgements", ["rating", "key"]),
    "ix_tags_tag": ("tags", ["tag", "key"]),
}


def upgrade() -> None:
    """Add the columns and the indexes that are missing, and fill the columns."""
    connection = op.get_bind()
    existing = {column["name"] for column in sa.inspect(connection).get_columns("tasks")}
    for name in _COLUMNS.keys() - existing:
        op.add_column("tasks", sa.Column(name, _COLUMNS[name]))
    if (field := _FIELD.get(connection.dialect.name)) is not None:
        fields = {name: field.replace("{name}", name) for name in ("mode", "resolution", "prompt")}
        connection.exec_driver_sql(_FILL.format(**fields))
    if connection.dialect.name == "postgresql":  # its indexes hold at most 2,700 bytes of a row
        for name in ("model", "status"):
            shortened = f"UPDATE tasks SET {name} = left({name}, 200) WHERE length({name}) > 200"
            connection.exec_driver_sql(shortened)
    for index, (table, columns) in _INDEXES.items():
        op.create_index(index, table, columns, if_not_exists=True)
    where: dict[str, Any] = {f"{dialect}_where": sa.text(_UNFINISHED) for dialect in ("sqlite", "postgresql")}
    op.create_index("ix_tasks_unfinished", "tasks", ["service"], if_not_exists=True, **where)
