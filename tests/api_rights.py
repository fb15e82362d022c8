"""Which right each operation of the API asks for; who has it, docs/rights.md says.

A right is one of the tables of that page: ``migrations_tools.run`` is a deed,
``guarantees.view_guarantee`` a cell of a table. Whoever lacks it is refused by 403, of objects that
they may not look at by 404 (`expected_refusal`).
"""

from __future__ import annotations

from typing import Final

#: Anybody who is logged in is answered: with what is theirs, or with what they see of others.
ANYBODY: Final = "anybody"
#: Decided by whose it is (lessons, bookings, agent and collaboration sessions): a group is not
#: enough. The objects that are asked for belong to nobody who asks; superusers may.
OWNER: Final = "owner"
#: Of one person only, whoever else asks.
PRIVATE: Final = "private"

_TABLE: Final[dict[str, str]] = {
    ANYBODY: """
        me auth_logout auth_logoutall progress_own projects_list credits_balance
        credits_transactions_list
        agent_sessions_list agent_sessions_start agent_sessions_recover agent_sessions_resolution
        sessions_list sessions_create
        contest_sessions_list contest_sessions_save legacy_imports_uploads_list
        lessons_list calendar_events calendar_feed bookings_list semesters_list cohorts_list
    """,
    OWNER: """
        agent_sessions_retrieve agent_sessions_assign agent_sessions_end
        agent_sessions_events_list agent_sessions_events_create agent_sessions_switch
        agent_sessions_switches_list
        agent_sessions_alerts_list agent_sessions_health agent_sessions_time_out
        lessons_retrieve lessons_create lessons_update lessons_destroy lessons_record_attendance
        lessons_bookings_list lessons_feedback_list lessons_waitlist_list lessons_change_status
        lessons_performance_reviews_list lessons_performance_reviews_create
        lessons_performance_reviews_retrieve lessons_performance_reviews_update
        bookings_retrieve bookings_record_attendance bookings_cancel bookings_confirm
        semesters_create semesters_retrieve semesters_update semesters_destroy
        cohorts_create cohorts_retrieve cohorts_update cohorts_destroy
        credits_adjust
    """,
    PRIVATE: """
        lessons_book lessons_check_in lessons_give_feedback bookings_create bookings_check_in
        sessions_retrieve sessions_update sessions_destroy sessions_accept sessions_access
        sessions_active_users_list sessions_archive sessions_files_list sessions_invite
        sessions_leave sessions_participants_list sessions_participants_create
        sessions_participants_retrieve sessions_participants_update
        sessions_participants_destroy sessions_restore sessions_transfer
        legacy_imports_uploads_retrieve legacy_imports_uploads_drop
        legacy_imports_uploads_commit legacy_imports_uploads_preview
        import_batches_upload_retrieve import_batches_upload_drop import_batches_upload_commit
        import_batches_upload_preview import_batches_upload_rejected_rows
    """,
    "migrations_tools.view_run": """
        data_migrations_list data_migrations_retrieve runs_list runs_retrieve
        runs_batches_list runs_transitions_list runs_events runs_report
        governor_retrieve health schedules_list schedules_retrieve
    """,
    "migrations_tools.view_ledgerentry": """
        runs_ledger_list runs_problems_list runs_problems_csv runs_checks_list
    """,
    "migrations_tools.view_rowchange": "runs_changes_list",
    "migrations_tools.view_reviewitem": "reviews_list reviews_retrieve",
    "migrations_tools.view_cutover": "cutovers_list cutovers_retrieve cutovers_rules_retrieve",
    "migrations_tools.view_mismatch": "cutovers_mismatches_list",
    "migrations_tools.view_legacyimport": """
        legacy_imports_list legacy_imports_kinds legacy_imports_retrieve
    """,
    "migrations_tools.view_rejectedline": """
        legacy_imports_rejected_list legacy_imports_rejected_csv legacy_imports_rejected_text
    """,
    "migrations_tools.run": """
        data_migrations_plan data_migrations_dry_run data_migrations_run data_migrations_verify
        runs_create runs_start runs_pause runs_resume runs_cancel runs_retry runs_verify runs_tune
        governor_stop governor_go schedules_create schedules_change schedules_destroy
    """,
    "migrations_tools.approve": "runs_approve",
    "migrations_tools.review": "reviews_decide reviews_decide_many",
    "migrations_tools.rollback": "runs_rollback",
    "migrations_tools.waive": "runs_waive",
    "migrations_tools.cutover": """
        cutovers_change cutovers_rules_change cutovers_mismatches_explain
    """,
    "migrations_tools.import": "legacy_imports_upload",
    "migrations_tools.purge": """
        runs_purge runs_erase runs_backups_list runs_backups_create runs_backups_retrieve
        runs_backups_check
    """,
    "sessions_app.view_legacycontestsession": "data_migrations_compare",
    "sessions_app.view_contestresult": """
        contest_sessions_retrieve contest_sessions_document progress_retrieve progress_cohort
    """,
    "sessions_app.view_project": "projects_retrieve",
    "sessions_app.add_project": "projects_create",
    "sessions_app.change_project": "projects_update",
    "sessions_app.delete_project": "projects_destroy",
    "guarantees.view_guarantee": """
        guarantees_list guarantees_retrieve guarantees_history guarantees_history_of_number
        duplicates_list unmatched_names_list
    """,
    "guarantees.add_guarantee": """
        guarantees_create guarantees_paste guarantees_paste_preview import_batches_upload
    """,
    "guarantees.change_guarantee": "guarantees_partial_update guarantees_match",
    "guarantees.add_guaranteeaction": """
        guarantees_extend guarantees_modify guarantees_reduce guarantees_release guarantees_renew
        actions_create
    """,
    "guarantees.view_guaranteeaction": """
        actions_list actions_retrieve actions_letter actions_letters guarantees_letter
    """,
    "guarantees.change_guaranteeaction": "actions_partial_update actions_issue",
    "guarantees.delete_guaranteeaction": "actions_destroy",
    "guarantees.view_actionsession": """
        action_sessions_list action_sessions_retrieve action_sessions_letters
    """,
    "guarantees.change_actionsession": "action_sessions_lock",
    "guarantees.view_importbatch": "import_batches_list import_batches_retrieve",
    "guarantees.view_rejectedrow": "import_batches_rejected_rows",
    **{
        f"guarantees.{verb}_{model}": " ".join(f"{names}_{deed}" for deed in deeds.split())
        for model, names in (
            ("supplier", "suppliers"),
            ("supplieralias", "supplier_aliases"),
            ("supplieroverride", "supplier_overrides"),
            ("bank", "banks"),
            ("bankalias", "bank_aliases"),
        )
        for verb, deeds in (
            ("view", "list retrieve"),
            ("add", "create"),
            ("change", "partial_update"),
            ("delete", "destroy"),
        )
    },
}

#: Operation → the right that it asks for.
RIGHT_OF: Final[dict[str, str]] = {
    operation: right for right, operations in _TABLE.items() for operation in operations.split()
}

#: Operations without a login.
OPEN: Final = {"auth_login"}

#: What those who lack the right are answered, where it is not what `expected_refusal` says.
REFUSED: Final[dict[str, set[int]]] = {
    # whoever may purge may see them; others are told that they may not
    "runs_backups_list": {403},
    "runs_backups_retrieve": {403},
    "runs_backups_check": {403},
    # hidden from those who do not see what is asked for, refused to the others
    "data_migrations_verify": {403, 404},
    "runs_verify": {403, 404},
    "projects_update": {403, 404},
    "projects_destroy": {403, 404},
}


def expected_refusal(operation: str, method: str, address: str) -> set[int]:
    """403 for lists and deeds, 404 for objects; where it counts whose something is, either."""
    if operation in REFUSED:
        return REFUSED[operation]
    if RIGHT_OF[operation] in (OWNER, PRIVATE):
        return {403, 404}
    return {404} if method == "get" and "{" in address else {403}
