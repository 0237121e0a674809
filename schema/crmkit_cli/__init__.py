"""The command `crmkit`.

Every command is a plain function in a module of its own, and imports what it needs when it runs,
so that `crmkit --help` answers at once.
"""


def main() -> None:
    """Run the command line of this process and exit: 0 done, 1 refused or different, 2 misused."""
    from crmkit_cli.application import application

    application()()
