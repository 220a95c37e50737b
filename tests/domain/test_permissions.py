"""Which role gives what, and where."""

import dataclasses

import pytest

from procvars.domain.permissions import (
    DEFAULT_ROLE_PERMISSIONS,
    ORG_PERMISSIONS,
    WORKSPACE_PERMISSIONS,
    Actor,
    Permission,
    UnknownPermission,
    may_see_workspace,
    org_permissions,
    workspace_permissions,
)

ROLES = DEFAULT_ROLE_PERMISSIONS
OF_A_PERSON = WORKSPACE_PERMISSIONS - {"wks_process_instance_execute"}


def member_of(workspace: str, *roles: str) -> Actor:
    return Actor("u-1", "Ada", workspace_roles={workspace: roles})


def in_organisation(*roles: str) -> Actor:
    return Actor("u-1", "Ada", org_roles=roles)


def test_permissions_carry_the_published_names() -> None:
    """The names are part of the contract: error messages and settings show them."""
    assert set(Permission) == {
        "wks_process_instance_read",
        "wks_process_instance_variables_edit",
        "wks_audit_read",
        "wks_task_read",
        "wks_process_instance_execute",
        "wks_definition_edit",
        "org_projections_manage",
    }


def test_every_permission_has_exactly_one_scope() -> None:
    """A permission without a scope could never be held, one with two could leak from a workspace."""
    assert [*ORG_PERMISSIONS] == ["org_projections_manage"]
    assert set(Permission) - ORG_PERMISSIONS == WORKSPACE_PERMISSIONS


@pytest.mark.parametrize(
    ("role", "given"),
    [
        ("WORKSPACE_ADMIN", set(OF_A_PERSON)),
        ("VIEWER", {"wks_process_instance_read", "wks_audit_read", "wks_task_read"}),
        (
            "ENGINE",
            {
                "wks_process_instance_execute",
                "wks_definition_edit",
                "wks_process_instance_read",
                "wks_audit_read",
                "wks_task_read",
            },
        ),
        ("ORG_ADMIN", set(OF_A_PERSON)),
        ("OPERATOR", set()),
    ],
)
def test_default_roles_give_this_in_their_workspace(role: str, given: set[str]) -> None:
    """The default mapping, role by role, as the contract has it."""
    assert workspace_permissions(member_of("loans", role), "loans", ROLES) == given


@pytest.mark.parametrize("role", [*ROLES.by_role])
def test_a_workspace_role_gives_nothing_in_the_organisation(role: str) -> None:
    """Whoever administers a workspace must not reach the organisation through it."""
    assert org_permissions(member_of("loans", role), ROLES) == frozenset()


@pytest.mark.parametrize("role", [*ROLES.by_role])
def test_a_workspace_role_gives_nothing_in_another_workspace(role: str) -> None:
    """A workspace that the caller has no role in does not exist for the caller."""
    actor = member_of("loans", role)
    assert workspace_permissions(actor, "cards", ROLES) == frozenset()
    assert not may_see_workspace(actor, "cards", ROLES)


def test_only_the_engine_executes() -> None:
    """What leaves neither snapshot nor audit entry is no person's to do."""
    assert [role for role in ROLES.by_role if "wks_process_instance_execute" in ROLES.of(role)] == ["ENGINE"]


def test_an_organisation_admin_administers_everything_everywhere() -> None:
    """ORG_ADMIN needs no membership: every organisation permission, and all of a person in any workspace."""
    admin = in_organisation("ORG_ADMIN")
    assert org_permissions(admin, ROLES) == ORG_PERMISSIONS
    assert workspace_permissions(admin, "any", ROLES) == OF_A_PERSON
    assert may_see_workspace(admin, "any", ROLES)


def test_an_operator_runs_projections_and_sees_no_workspace() -> None:
    """Running the machinery does not include reading customers' data."""
    operator = in_organisation("OPERATOR")
    assert org_permissions(operator, ROLES) == {"org_projections_manage"}
    assert workspace_permissions(operator, "loans", ROLES) == frozenset()
    assert not may_see_workspace(operator, "loans", ROLES)


def test_an_organisation_wide_viewer_reads_every_workspace() -> None:
    """An organisation role gives its workspace permissions everywhere, and no more than those."""
    viewer = in_organisation("VIEWER")
    assert may_see_workspace(viewer, "loans", ROLES)
    assert workspace_permissions(viewer, "loans", ROLES) == ROLES.of("VIEWER")
    assert org_permissions(viewer, ROLES) == frozenset()


def test_roles_add_up() -> None:
    """Several roles give the union of what each of them gives."""
    actor = Actor("u-1", "Ada", org_roles=("OPERATOR", "VIEWER"), workspace_roles={"loans": ("ENGINE",)})
    assert workspace_permissions(actor, "loans", ROLES) == ROLES.of("VIEWER") | ROLES.of("ENGINE")
    assert org_permissions(actor, ROLES) == ROLES.of("OPERATOR")


@pytest.mark.parametrize("role", ["viewer", "SUPERUSER", ""])
def test_an_unknown_role_gives_nothing(role: str) -> None:
    """Role names are exact: a role of another system, or in another case, grants nothing."""
    actor = Actor("u-1", "Ada", org_roles=(role,), workspace_roles={"loans": (role,)})
    assert workspace_permissions(actor, "loans", ROLES) == frozenset()
    assert org_permissions(actor, ROLES) == frozenset()
    assert not may_see_workspace(actor, "cards", ROLES)


def test_a_member_with_an_unknown_role_sees_the_workspace() -> None:
    """A member whose role has no mapping is told which permission is missing, not that the workspace is missing."""
    assert may_see_workspace(member_of("loans", "AUDITOR"), "loans", ROLES)


def test_an_empty_list_of_roles_is_no_membership() -> None:
    """A provider that lists a workspace without roles has not made the caller a member."""
    assert not may_see_workspace(member_of("loans"), "loans", ROLES)


def test_settings_add_a_role_and_keep_the_others() -> None:
    """A mapping from the settings extends the defaults."""
    roles = ROLES.overridden_by({"AUDITOR": ["wks_audit_read"]})
    assert workspace_permissions(member_of("loans", "AUDITOR"), "loans", roles) == {"wks_audit_read"}
    assert roles.of("VIEWER") == ROLES.of("VIEWER")


def test_settings_replace_a_role_as_a_whole() -> None:
    """A role that the settings name has exactly the permissions listed, so rights can be taken away too."""
    roles = ROLES.overridden_by({"VIEWER": ["wks_task_read"], "ENGINE": []})
    assert roles.of("VIEWER") == {"wks_task_read"}
    assert roles.of("ENGINE") == frozenset()
    assert "wks_audit_read" in ROLES.of("VIEWER")


def test_a_mapped_organisation_permission_stays_out_of_workspaces() -> None:
    """Settings cannot make a workspace role reach the organisation either."""
    roles = ROLES.overridden_by({"LEAD": ["org_projections_manage", "wks_task_read"]})
    lead = member_of("loans", "LEAD")
    assert org_permissions(lead, roles) == frozenset()
    assert workspace_permissions(lead, "loans", roles) == {"wks_task_read"}


@pytest.mark.parametrize("names", [["process_variables_edit"], "wks_task_read"])
def test_settings_with_an_unknown_permission_are_refused(names: list[str] | str) -> None:
    """A misspelt permission stops the start with the role's name and the names that there are."""
    with pytest.raises(UnknownPermission, match=r"LEAD.*wks_process_instance_variables_edit"):
        ROLES.overridden_by({"LEAD": names})


def test_an_actor_cannot_be_changed_by_whoever_holds_it() -> None:
    """Actors are shared between requests: one request must not be able to raise the rights of the next."""
    workspaces = {"loans": ("VIEWER",)}
    actor = Actor("u-1", "Ada", workspace_roles=workspaces)
    workspaces["loans"] = ("WORKSPACE_ADMIN",)
    assert actor.workspace_roles["loans"] == ("VIEWER",)
    with pytest.raises(TypeError):
        actor.workspace_roles["loans"] = ("WORKSPACE_ADMIN",)  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        actor.org_roles = ("ORG_ADMIN",)  # type: ignore[misc]
