"""The page of the backups' schedule and retention, with a preview of what would stay and go."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response

from proman.admin.database_views import HOME, operator
from proman.admin.schedule_form import ScheduleForm
from proman.base.errors import Refused
from proman.database import catalogue, rules
from proman.database.catalogue import Backup
from proman.database.installation import Installation, installation
from proman.database.models import ScheduledJob
from proman.database.plan import Plan, save_plan
from proman.db import begin_write, db, utc_now
from proman.identity import audit
from proman.web.render import is_partial, render, see_other

blueprint = Blueprint("backup_schedule", __name__, url_prefix="/admin/database/schedule")


@dataclass(frozen=True)
class Outlook:
    """What the rules would do to today's backups: each with the reason why it stays, or none."""

    next_at: datetime
    rows: list[tuple[Backup, str]]

    @property
    def staying(self) -> int:
        """How many stay."""
        return sum(1 for _, reason in self.rows if reason)

    @property
    def going(self) -> int:
        """How many would be removed."""
        return len(self.rows) - self.staying

    @property
    def freed(self) -> int:
        """Bytes of those that would be removed."""
        return sum(one.size for one, reason in self.rows if not reason)


def outlook(site: Installation, plan: Plan, now: datetime) -> Outlook:
    """What the plan would do to the backups that are there at `now` (naive UTC)."""
    listed = catalogue.backups_in(site.backup_dir)
    kept = rules.kept((one.as_candidate() for one in listed), plan.retention, now)
    return Outlook(plan.next_after(now), [(one, kept.get(one.path.name, "")) for one in listed])


@blueprint.get("")
@operator
def show() -> Response:
    """The rules as they stand, and what they would do to today's backups."""
    plan = installation().plan
    return _page(ScheduleForm.showing(plan), plan)


@blueprint.post("/preview")
@operator
def preview() -> Response:
    """What the typed rules would do; nothing is saved."""
    form = ScheduleForm()
    plan = form.plan() if form.validate() else None
    # Without JavaScript the errors stand in the form; beside a form that is still typed in, not.
    return _page(form, plan, 200 if plan or is_partial() else 422)


@blueprint.post("")
@operator
def change() -> Response:
    """Save the rules; the audit trail keeps what they were before."""
    site, form = installation(), ScheduleForm()
    begin_write()
    before = site.plan
    try:
        form.merge(ScheduleForm.showing(before))
        if not form.validate():
            raise Refused("")
        _save(site, before, form.plan())
    except Refused as refusal:
        db.session.rollback()
        if refusal.message:
            form.refuse(refusal)
        return _page(form, None if form.errors else form.plan(), 422)
    return see_other(HOME, "Saved. The next backup goes by it.")


def _save(site: Installation, before: Plan, plan: Plan) -> None:
    old, new = before.values(), plan.values()
    changed = [key for key in new if old[key] != new[key] or before.fault]
    job = db.session.get(ScheduledJob, "backup", populate_existing=True, with_for_update=True)
    now = utc_now()
    if job is not None and job.next_due_at > now:
        job.next_due_at = plan.next_after(now)
    if changed:
        audit.record(
            "changed", "database", None, "Schedule and retention of backups",
            {key: old[key] for key in changed}, {key: new[key] for key in changed},
        )  # fmt: skip
    save_plan(site.data_dir, plan)
    try:
        db.session.commit()
    except BaseException:
        save_plan(site.data_dir, before)
        raise


def _page(form: ScheduleForm, plan: Plan | None, code: int = 200) -> Response:
    site, now = installation(), utc_now()
    return render(
        "admin/database/schedule.html",
        "admin/database/_outlook.html",
        status=code,
        form=form,
        plan=plan,
        standing=site.plan,
        outlook=outlook(site, plan, now) if plan else None,
        floors=(rules.FLOOR, rules.SAFETY_DAYS),
        reasons=rules.REASON_WORDS,
        age=rules.age_in_words,
        now=now,
    )
