import strawberry

from crmkit import Plugin, SchemaContribution, hookimpl
from crmkit_schema import mapped

plugin = Plugin("greeting", "1.0", "How to greet each customer.")


@strawberry.type
class Greeting:
    greeting: str = mapped(
        "What to say when the customer comes in.",
        sql=lambda customer: "Welcome back, " + customer.c.display_name,
        permission="customers.read",
    )


register_graphql = hookimpl(lambda: SchemaContribution(extends={"Customer": Greeting}))
