"""Builds the application: an ordered list of setup calls, without touching disk or database."""

from functools import partial
from pathlib import Path

import click
from flask import Flask
from flask_login import LoginManager, current_user
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from proman import cli, logs, schema, scope
from proman.addresses import UnusableSetting
from proman.admin import (
    alarm_letters,
    audit_trail,
    books,
    database_checks,
    database_views,
    gate,
    journal,
    late_fees,
    metrics_page,
    organization,
    people,
    recovery_kit,
    reminder_levels,
    restore_views,
    schedule_views,
    setup,
    status_page,
)
from proman.billing import (
    adjusting_views,
    charge_views,
    delivery_views,
    deposit_views,
    draft_views,
    ending_views,
    index_views,
    invoice_views,
    late_views,
    lease_views,
    reminder_views,
    transfer_views,
)
from proman.billing import views as billing
from proman.database import autogenerate, engines
from proman.database.installation import Installation
from proman.database.maintenance import keep_writers_out
from proman.database.readiness import readiness
from proman.database.replica import Replica
from proman.db import db
from proman.doctor import examine
from proman.expenses import views as expenses
from proman.files import views as files
from proman.identity import audit, session
from proman.identity import views as identity
from proman.leases import views as leases
from proman.payments import views as payments
from proman.portal import views as portal
from proman.properties import views as properties
from proman.reports import journal_views, profit_views, statement_views
from proman.reports import views as reports
from proman.settings import Settings, read_settings
from proman.takeover import views as takeover
from proman.takeover.origin import IMPORTED
from proman.tenants import views as tenants
from proman.web import drawing, errors, filters, guard, headers, health, ids, watching
from proman.web.base_path import BasePath, path_of
from proman.web.dispatch import Application, remember_place

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "migrations"
MAX_UPLOAD = 32 * 1024 * 1024
BLUEPRINTS = (
    health.blueprint,
    metrics_page.blueprint,
    identity.blueprint,
    setup.blueprint,
    organization.blueprint,
    books.blueprint,
    late_fees.blueprint,
    reminder_levels.blueprint,
    people.blueprint,
    audit_trail.blueprint,
    status_page.blueprint,
    database_views.blueprint,
    restore_views.blueprint,
    journal.blueprint,
    schedule_views.blueprint,
    recovery_kit.blueprint,
    properties.blueprint,
    tenants.blueprint,
    leases.blueprint,
    invoice_views.blueprint,
    delivery_views.blueprint,
    draft_views.blueprint,
    lease_views.blueprint,
    deposit_views.blueprint,
    adjusting_views.blueprint,
    billing.blueprint,
    late_views.blueprint,
    reminder_views.blueprint,
    index_views.blueprint,
    ending_views.blueprint,
    transfer_views.blueprint,
    charge_views.blueprint,
    payments.blueprint,
    expenses.blueprint,
    files.blueprint,
    takeover.blueprint,
    portal.blueprint,
    reports.blueprint,
    statement_views.blueprint,
    profit_views.blueprint,
    journal_views.blueprint,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application for these settings (default: those of the environment).

    Raises click.ClickException, one line, when a variable cannot be used.
    """
    if settings is None:
        try:
            settings = read_settings()
        except UnusableSetting as error:
            raise click.ClickException(str(error)) from None
    app = Application(
        "proman", root_path=str(ROOT), template_folder="templates", static_folder="static"
    )
    configure(app, settings)
    connect(app)
    secure(app)
    dress(app)
    ids.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    cli.install(app)
    watching.install(app, trusts_ids=settings.trusted_proxies > 0)
    path = path_of(settings.public_url)
    _refuse_own(app, path)
    app.wsgi_app = BasePath(  # type: ignore[method-assign]
        app.wsgi_app, path, settings.trusted_proxies
    )
    return app


def _refuse_own(app: Flask, path: str) -> None:
    """Below it nobody could tell whether a proxy took the path off, or a page of ours is meant."""
    rules = [one.rule for one in app.url_map.iter_rules()] if path else ()
    if any(rule == path or rule.startswith(f"{path}/") for rule in rules):
        problem = f"has the path {path}, where ProMan has pages of its own. Choose another."
        raise click.ClickException(
            str(UnusableSetting("PROMAN_URL", problem, "https://example.com/proman"))
        )


def configure(app: Flask, settings: Settings) -> None:
    """Put the settings where Flask and its extensions look for them."""
    app.extensions["proman_settings"] = settings
    app.extensions["proman_installation"] = Installation(
        settings, MIGRATIONS, database_checks.lent(examine)
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_UPLOAD,
        MAX_FORM_PARTS=20_000,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engines.engine_options(settings.database_url),
        SESSION_COOKIE_NAME="proman",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=(settings.public_url or "").startswith("https:"),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    logs.install(settings.log)
    watching.note_routes(app)


def connect(app: Flask) -> None:
    """Attach the database: engine, isolation, audit trail, migrations."""
    settings: Settings = app.extensions["proman_settings"]
    db.init_app(app)
    scope.install()
    audit.install()
    with app.app_context():
        engines.set_up(db.engine)
        watching.count_statements(db.engine)
        keep_writers_out(db.engine, settings)
        if settings.replica_url is not None:
            own = Replica(settings.replica_url, db.engine)
            app.extensions["proman_replica"] = own
            watching.count_statements(own.engine)
            app.after_request(remember_place)
    Migrate(app, db, directory=str(MIGRATIONS), **autogenerate.OPTIONS)
    app.extensions["proman_origins"] = (IMPORTED,)
    app.extensions["proman_metadata"] = schema.metadata
    app.extensions["proman_readiness"] = partial(
        readiness, app.extensions["proman_settings"], MIGRATIONS
    )


def secure(app: Flask) -> None:
    """Logins, forged requests, who may call what, headers, proxies."""
    login = LoginManager(app, add_context_processor=False)
    login.session_protection = None
    # Looked up where a page names it: an error page does not, and may be about the database.
    app.jinja_env.globals.update(current_user=current_user)
    session.install(login)
    gate.install(app)
    CSRFProtect(app)
    guard.install(app)
    headers.install(app)
    settings: Settings = app.extensions["proman_settings"]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )


def dress(app: Flask) -> None:
    """Templates, static files, error pages."""
    filters.install(app)
    drawing.install(app)
    alarm_letters.install(app)
    errors.install(app)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT / "static"),
        prefix="static/",
        max_age=31_536_000,
        add_headers_function=_static_headers,
    )


def _static_headers(response_headers: object, path: str, url: str) -> None:
    response_headers["X-Content-Type-Options"] = "nosniff"  # type: ignore[index]
