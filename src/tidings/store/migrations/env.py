"""How Alembic runs our steps: on the connection it is handed (`store/migrate.py`), inside the caller's transaction."""

from alembic import context

from tidings.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
