"""Forms about submissions, of their teams and of organizers; and those of rejudge sets, accounts and faults."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from muge_fast.leaderboard.web import admin
from muge_fast.leaderboard.web.forms.outcomes import Action, Form, Outcome
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.submissions import cancel_own, withdraw_own
from muge_fast.leaderboard.web.viewers import SiteViewer

Fields = dict[str, str]


def _on_submission(done: str, change: Callable[[Site, SiteViewer, str, Fields], object]) -> Action:
    def act(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
        submission = request.path_params["submission"]
        change(site, viewer, submission, fields)
        return Outcome(done, "submission", values={"submission": submission})

    return act


def _withdraw(site: Site, viewer: SiteViewer, submission: str, fields: Fields) -> None:
    del fields
    withdraw_own(site, viewer, submission)


def _restore(site: Site, viewer: SiteViewer, submission: str, fields: Fields) -> None:
    del fields
    withdraw_own(site, viewer, submission, undo=True)


def _cancel(site: Site, viewer: SiteViewer, submission: str, fields: Fields) -> None:
    del fields
    cancel_own(site, viewer, submission)


def _rule_out(site: Site, viewer: SiteViewer, submission: str, fields: Fields) -> None:
    admin.rule_submission_out(site, viewer, submission, reason=fields.get("reason", ""))


def _reinstate(site: Site, viewer: SiteViewer, submission: str, fields: Fields) -> None:
    del fields
    admin.reinstate(site, viewer, submission)


def _requeue(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del fields
    admin.requeue_fault(site, viewer, request.path_params["evaluation"])
    return Outcome("requeued", "admin")


def _disable(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del fields
    admin.disable(site, viewer, request.path_params["account"])
    return Outcome("account_disabled", "admin_teams")


def _start(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    evaluator, reason = fields.get("evaluator", ""), fields.get("reason", "")
    made = admin.start_set(site, viewer, request.path_params["task"], evaluator=evaluator, reason=reason)
    return Outcome("rejudge_started", "admin_rejudge", values={"rejudge": made})


def _apply(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    rejudge, with_faults = request.path_params["rejudge"], bool(fields.get("with_faults"))
    admin.apply_set(site, viewer, rejudge, confirm=fields.get("confirm", ""), with_faults=with_faults)
    return Outcome("rejudge_applied", "admin_rejudge", values={"rejudge": rejudge})


def _drop(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del fields
    admin.drop_set(site, viewer, request.path_params["rejudge"])
    return Outcome("rejudge_dropped", "admin_rejudge", values={"rejudge": request.path_params["rejudge"]})


FORMS = (
    Form("/submissions/{submission}/withdraw", "submission", _on_submission("withdrawn", _withdraw)),
    Form("/submissions/{submission}/restore", "submission", _on_submission("restored", _restore)),
    Form("/submissions/{submission}/cancel", "submission", _on_submission("cancelled", _cancel)),
    Form("/admin/submissions/{submission}/rule-out", "submission", _on_submission("ruled_out", _rule_out)),
    Form("/admin/submissions/{submission}/reinstate", "submission", _on_submission("reinstated", _reinstate)),
    Form("/admin/evaluations/{evaluation}/requeue", "admin", _requeue),
    Form("/admin/accounts/{account}/disable", "admin_teams", _disable),
    Form("/admin/tasks/{task}/rejudges", "admin_rejudges", _start),
    Form("/admin/rejudges/{rejudge}/apply", "admin_rejudge", _apply),
    Form("/admin/rejudges/{rejudge}/drop", "admin_rejudge", _drop),
)
