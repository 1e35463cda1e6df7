"""The recovery kit: one page to print, with which somebody else gets everything back."""

import io

import segno
from flask import Blueprint, Response

from proman.admin.database_views import operator
from proman.database import catalogue, keys, rules
from proman.database.installation import app_version, fingerprint_of, installation
from proman.db import utc_now
from proman.web.render import render

blueprint = Blueprint("recovery_kit", __name__, url_prefix="/admin/database")


@blueprint.get("/recovery-kit")
@operator
def show() -> Response:
    """Where everything lies, the sealed keys, and what to do, step by step."""
    site = installation()
    listed = catalogue.backups_in(site.backup_dir)
    in_use = keys.in_use(listed)
    return render(
        "admin/database/recovery_kit.html",
        site=site,
        engine=rules.ENGINE_WORDS[site.settings.database_url.get_backend_name()],
        version=app_version(),
        secret_key=fingerprint_of(site.settings.secret_key),
        newest=catalogue.newest_verified(listed),
        keys=[(one, _code(one.sealed)) for one in in_use],
        is_encrypting=site.settings.backup_passphrase is not None,
        plan=site.plan,
        now=utc_now(),
    )


def _code(text: str) -> str:
    """The text as a code that any phone reads, as SVG."""
    image = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(image, kind="svg", border=4, xmldecl=False, omitsize=True, svgclass="kit-code")
    return image.getvalue().decode()
