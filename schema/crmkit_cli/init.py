"""`crmkit init`: a data directory to begin with."""

from pathlib import Path

from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import print_json

_SETTINGS = """\
# Settings of crmkit. Each can also come from the environment: CRMKIT_TIMEZONE, CRMKIT_PLUGINS.

# Decides which day a sale belongs to.
timezone = "{timezone}"
# Home currency, and country of phone numbers that name none.
currency = "CNY"
country = "CN"

# Installed plugins that are on. Files in the folder plugins/ are on by being there.
plugins = [{plugins}]
# plugins_disabled = ["a_file_to_leave_out"]

# "development" shows the query editor and the schema to everybody who can reach the server.
profile = "{profile}"

# Empty means the file crmkit.sqlite3 in this folder.
# database_url = "postgresql://user:password@host/database"

# Roles of your own, beside those that plugins bring; `crmkit plugins` lists all permissions.
# [roles]
# cashier = ["core.use", "customers.read", "transactions.write"]

# A plugin's own options stand under its name.
# [plugin.name]
# option = 1
"""
_PLUGINS_NOTE = (
    "A plugin is one Python file in this folder; run `crmkit db upgrade` after adding one.\n"
)


def init(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Write a settings file with comments and a folder for plugins."""
    from crmkit import Refused

    if not write_data_dir(data_dir):
        raise Refused(f"{data_dir / 'crmkit.toml'} is there already and stays as it is")
    if as_json:
        settings, plugins = data_dir / "crmkit.toml", data_dir / "plugins"
        print_json({"data_dir": data_dir, "settings": settings, "plugins_dir": plugins})
        return
    option = "" if data_dir == HERE else f" --data-dir {data_dir}"
    print(f"Wrote {data_dir / 'crmkit.toml'}. Look through it, then run:")
    print(f"  crmkit db upgrade{option}")
    print(f"  crmkit token create --name me --role admin{option}")
    print(f"  crmkit serve{option}")


def write_data_dir(
    data_dir: Path, *, timezone: str = "Asia/Shanghai", profile: str = "production"
) -> bool:
    """Make a data directory; returns False, and changes nothing, if it has settings already.

    Args:
        timezone: IANA name of the shops' zone.
        profile: as in `crmkit.Settings`.
    """
    from crmkit import Settings

    # What lies here is about people.
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    plugins = ", ".join(f'"{name}"' for name in Settings.model_fields["plugins"].default)
    text = _SETTINGS.format(timezone=timezone, profile=profile, plugins=plugins)
    file = data_dir / "crmkit.toml"
    try:
        # The database's password may stand here one day.
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    file.write_text(text, encoding="utf-8")
    folder = data_dir / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(_PLUGINS_NOTE, encoding="utf-8")
    return True
