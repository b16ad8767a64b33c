"""Settings on their way into child processes."""

from __future__ import annotations

import os

from app.core.config import Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment, overlaid with the settings as the variables they are read from."""
    environment = dict(os.environ)
    for name, value in settings.model_dump(mode="json").items():
        variable = "DATABASE_URL" if name == "database_url" else f"NUANXIAN_{name.upper()}"
        if value is None:
            environment.pop(variable, None)
        else:
            environment[variable] = str(value)
    return environment
