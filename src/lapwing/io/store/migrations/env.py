"""Run by alembic: applies the steps on the connection it is handed."""

from alembic import context


def run() -> None:
    """Apply the steps within the caller's transaction."""
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


run()
