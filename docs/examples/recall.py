"""Product recalls: whoever bought a recalled article gets a case, which staff close."""

from uuid import UUID

import strawberry
from sqlmodel import Field, Session, SQLModel, col, update

import crmkit
import crmkit_schema as schema
from crmkit import Migration, TransactionBatch, hookimpl, new_id, table_of


class Options(SQLModel):
    skus: frozenset[str] = frozenset()


class Recall(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    sku: str
    is_closed: bool = False


@schema.object_type(Recall, permission="recall.handle", node="rcl")
class RecallCase:
    """A recalled article that a customer has at home."""

    sku: str = schema.mapped("Article number.")
    is_closed: bool = schema.mapped("Whether staff dealt with it.")


@strawberry.type
class CustomerFields:
    recalls: list[RecallCase] = schema.related("Recalled articles.", child="customer_id")


@strawberry.type
class Mutations:
    @schema.mutation("Note that a case is dealt with.", permission="recall.handle")
    def close_recall(self, info: strawberry.Info, id: strawberry.ID) -> RecallCase:
        closing = update(Recall).where(col(Recall.id) == schema.read_id(RecallCase, id))
        info.context.crm.write(lambda session: session.execute(closing.values(is_closed=True)))
        return schema.fetch_row(info, RecallCase, id)


@hookimpl
def transactions_recorded(session: Session, batch: TransactionBatch, settings: Options) -> None:
    for sale in batch.transactions:
        who, sold = sale.customer_id, {line.sku for line in sale.lines if line.quantity_milli > 0}
        session.add_all(Recall(customer_id=who, sku=sku) for sku in sold & settings.skus if who)


table = table_of(Recall)
made = Migration("1", lambda op: table.create(op.get_bind()), lambda op: table.drop(op.get_bind()))
staff = crmkit.Permission("recall.handle", "See and close cases.", ["clerk"])
parts = crmkit.SchemaContribution(mutations=[Mutations], extends={"Customer": CustomerFields})
plugin = crmkit.Plugin("recall", "1.0", "Product recalls.", permissions=[staff], settings=Options)
register_models = hookimpl(lambda: [Recall])
register_migrations = hookimpl(lambda: [made])
register_graphql = hookimpl(lambda: parts)
