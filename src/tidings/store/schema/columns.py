"""What every table is made with: the one `metadata`, and the kinds of column that recur."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column(name: str) -> Column[int]:
    """The table's own id: a small integer, given once."""
    return Column(name, Integer, primary_key=True, autoincrement=True)


def ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[int]:
    """The id of a row of another table."""
    return Column(name, Integer, ForeignKey(target), nullable=null, index=index)


def moment(name: str, *, null: bool = False) -> Column[int]:
    """Microseconds since the epoch."""
    return Column(name, BigInteger, nullable=null)
