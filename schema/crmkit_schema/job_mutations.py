"""Running jobs through the API: on SQLite the server is the only process that writes."""

import strawberry
from strawberry import Info

from crmkit.jobs import UnknownJob
from crmkit_schema.mutations import mutation
from crmkit_schema.object_types import value_type
from crmkit_schema.problems import problem_type
from crmkit_schema.values import Long


@strawberry.input(description="A job to run.")
class RunJobInput:
    """Which one."""

    name: str = strawberry.field(description="As crmkit jobs lists it.")


@value_type
class RunJobSuccess:
    """The job found nothing more to do."""

    name: str = strawberry.field(description="The job.")
    done_count: Long = strawberry.field(description="How much it found to do; 0 if nothing.")


@problem_type(UnknownJob)
class UnknownJobProblem:
    """No plugin that is on has a job of that name."""

    known: list[str] = strawberry.field(description="The names there are.")


@strawberry.type
class JobMutation:
    """Running jobs."""

    @mutation(
        "Run a job of a plugin until nothing is left to do; running it again does no harm. If it "
        "takes longer than a request may, it goes on.",
        permission="jobs.run",
        problems=(UnknownJobProblem,),
    )
    def run_job(self, info: Info, input: RunJobInput) -> RunJobSuccess:
        """Run a job."""
        return RunJobSuccess(name=input.name, done_count=info.context.crm.run_job(input.name))
