import strawberry

import crmkit
import crmkit_schema

plugin = crmkit.Plugin(name="greeting", version="1.0", summary="How to greet each customer.")


@strawberry.type
class Greeting:
    greeting: str = crmkit_schema.computed(
        "What to say when the customer comes in.",
        lambda customers, context: [f"Welcome back, {each.display_name}!" for each in customers],
        needs=["display_name"],
        permission="customers.read",
    )


@crmkit.hookimpl
def register_graphql() -> crmkit.SchemaContribution:
    return crmkit.SchemaContribution(extends={"Customer": Greeting})
