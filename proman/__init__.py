"""ProMan: self-hosted property management. Hands out the factory for `flask --app proman`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from proman.settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Build the application; imported late, so that the pure rules load without Flask."""
    from proman.app import create_app as build

    return build(settings)
