"""The script that Alembic runs: the migrations, on the connection and in the transaction of ``upgrade``."""

from alembic import context

from qingbo_widgets.library.journal.revisions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
