"""Importing users: what each row of a spreadsheet would change, and saving it.

importer = Importer(layout, using)
plans = importer.plans(rows)
importer.plan(plans)            # to be shown, or
importer.plan(plans, locked)    # to be saved, in the transaction that holds the locks
importer.save(plans)
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from users import changes, invitations
from users.attributes import values
from users.attributes.rules import KINDS, Rules, rules_by_field
from users.db.keys import NO_ROW, in_parts
from users.models import AbstractUser, AttributeDefinition, Membership, Team
from users.names import fold
from users.spreadsheets.cells import CLEAR, unprotect
from users.spreadsheets.columns import memberships_of_users
from users.spreadsheets.memberships import plan_roles, team_names
from users.spreadsheets.plans import Layout, Plan
from users.spreadsheets.reading import Row

#: Returns why the operator may not do what a plan says: messages by field.
Refusal = Callable[[Plan], Mapping[str, str]]

# What says who a user is, and what `plan_roles` reads: neither is a value to be set.
_NAMES = frozenset({"id", "login_id", "email_id"})
_NOT_VALUES = _NAMES | {"teams", "roles"}

# What a user must still have for a plan to hold. Not `updated_at`: it moves with the chats as well.
_COVERED = (*changes.FIELDS, "login_id", "email_id", "role_type", "is_superuser", *KINDS)


def refuse_nothing(plan: Plan) -> Mapping[str, str]:
    """The `Refusal` of those who run a command."""
    return {}


class Importer:
    """Plans and saves the rows of one file.

    team: of rows that name none.
    refusal: what the operator may not do.
    invites: True if new users are sent an invitation.
    """

    def __init__(
        self,
        layout: Layout,
        using: str,
        *,
        team: Team | None = None,
        refusal: Refusal = refuse_nothing,
        invites: bool = False,
    ) -> None:
        self.layout = layout
        self.using = using
        self.team = team
        self.refusal = refusal
        self.invites = invites
        self.has_teams = layout.has_teams or team is not None
        self._seen: set[int] = set()  # hashes of the names in earlier rows, which take less memory

    # Which users the rows name.

    def plans(self, rows: Iterable[Row]) -> list[Plan]:
        """Return a plan for each row, which says nothing but whose row it is."""
        return [Plan(self.layout, number, cells) for number, cells in rows]

    def user_ids(self, plans: Iterable[Plan]) -> set[Any]:
        """Return the ids of the users that the rows name, to be locked."""
        ids: set[Any] = set()
        keys: set[str] = set()
        for plan in plans:
            if plan.user_id is None:
                keys.add(plan.login_key)
            else:
                ids.add(plan.user_id)
        for part in in_parts(keys - {""}):
            found = self._users().filter(login_key__in=part)
            ids.update(found.values_list("pk", flat=True))
        return ids - {NO_ROW}

    def _users(self) -> Any:
        model: Any = get_user_model()
        return model._base_manager.using(self.using).order_by()

    def _read(self, ids: Iterable[Any]) -> list[Any]:
        users = self._users()
        if self.has_teams:
            users = users.prefetch_related(memberships_of_users())
        return [user for part in in_parts(sorted(ids)) for user in users.filter(pk__in=part)]

    # What they would change.

    def plan(
        self,
        plans: Sequence[Plan],
        locked: Collection[Any] | None = None,
        superusers: set[Any] | None = None,
    ) -> None:
        """Find out what each row would do; nothing is written.

        plans: from `plans`.

        locked: the ids of the users that the rows name (`user_ids`), which are locked; None: none
            need be, for nothing is saved.
        superusers: the ids of the active superusers, if locked.

        Raises `SuperusersNotLockedError`.
        """
        users = self._read(self.user_ids(plans) if locked is None else locked)
        by_id = {user.pk: user for user in users}
        by_key = {user.login_key: user for user in users}
        if locked is None:
            model: Any = get_user_model()
            active = model.objects.db_manager(self.using).active_superusers()
            superusers = set(active.values_list("pk", flat=True))
        definitions = AttributeDefinition._base_manager.using(self.using).all()
        batch = _Batch(
            rules_by_field(definitions),
            self._teams(plans),
            self._taken_emails(plans, by_key),
            superusers,
        )
        named: set[int] = set()
        for plan in plans:
            self._find_user(plan, by_id, by_key)
            self._refuse_repeated(plan, named)
            if plan.errors:
                continue
            if plan.user is None:
                self._plan_new(plan, batch, named)
            else:
                self._plan_update(plan, batch)
            if plan.does_something:
                for name, message in self.refusal(plan).items():
                    plan.add_error(name, message)

    def remember(self, plans: Iterable[Plan]) -> None:
        """Have rows to come that name the same users be errors."""
        for plan in plans:
            self._seen.update(_marks(plan))

    def _find_user(self, plan: Plan, by_id: Mapping[Any, Any], by_key: Mapping[str, Any]) -> None:
        if plan.clears("login_id"):
            plan.add_error("login_id", gettext("Cannot be cleared."))
        elif plan.user_id is not None:
            plan.user = by_id.get(plan.user_id)
            if plan.user is None:
                plan.add_error("id", gettext("There is no user with this ID."))
        elif plan.text("login_id"):
            plan.user = by_key.get(plan.login_key)
        else:
            plan.add_error("login_id", gettext("Is needed: it says who the user is."))

    def _refuse_repeated(self, plan: Plan, named: set[int]) -> None:
        marks = _marks(plan)
        if not plan.errors and (marks & named or marks & self._seen):
            plan.add_error("login_id", gettext("An earlier row names this user already."))
        named |= marks

    def _teams(self, plans: Iterable[Plan]) -> dict[str, Team]:
        """Return the teams that the rows name, by what their names fold to."""
        texts = {plan.text("teams") for plan in plans}
        names = {name for text in texts for name in team_names(text) if "\0" not in name}
        found: dict[str, Team] = {}
        for part in in_parts(map(fold, names)):
            teams = Team._base_manager.using(self.using).filter(name_key__in=part)
            found |= {team.name_key: team for team in teams}
        return found

    def _taken_emails(self, plans: Iterable[Plan], by_key: Mapping[str, Any]) -> set[str]:
        """Return what the emails fold to that users have, of those that new users would have."""
        emails = {
            plan.key("email_id") or plan.login_key
            for plan in plans
            if plan.user_id is None and plan.login_key not in by_key
        }
        found: set[str] = set()
        for part in in_parts(emails):
            taken = self._users().filter(email_key__in=part)
            found.update(taken.values_list("email_key", flat=True))
        return found

    def _wanted(self, plan: Plan) -> dict[str, Any]:
        """Return the values that the row asks for, by field; of attributes, an object.

        A cell that is as an export would have it asks for nothing.
        """
        wanted: dict[str, Any] = {}
        for (name, key), position in self.layout.position.items():
            column, cell = self.layout.columns[position], plan.cell(position)
            if column is None or name in _NOT_VALUES or not cell.strip():
                continue
            text = unprotect(cell)
            if cell.strip() == CLEAR:
                if not column.is_cleared:
                    plan.add_error(name, gettext("Cannot be cleared."), key)
                    continue
                if plan.user is None:
                    continue
                value = None if key else ""
            elif plan.user is not None and column.is_as_exported(text, plan.user):
                continue
            else:
                value = column.value(text)
            if key:
                wanted.setdefault(name, {})[key] = value
            else:
                wanted[name] = value
        return wanted

    def _plan_update(self, plan: Plan, batch: "_Batch") -> None:
        user = plan.user
        for name, key in (("login_id", user.login_key), ("email_id", user.email_key)):
            if plan.text(name) and fold(plan.text(name)) != key:
                error = gettext(
                    "Cannot be changed by an import, but on the user's page in the admin site."
                )
                plan.add_error(name, error)
        wanted = self._wanted(plan)
        try:
            plan.changes = changes.validate(user, wanted, batch.rules, superusers=batch.superusers)
        except changes.InvalidChangeError as error:
            plan.add_errors(error.errors)
        batch.count_superuser(user, plan.changes)
        if self.has_teams:
            plan_roles(plan, batch.teams, self.team)

    def _plan_new(self, plan: Plan, batch: "_Batch", named: set[int]) -> None:
        wanted = self._wanted(plan)
        email = plan.text("email_id")
        wanted["login_id"] = plan.text("login_id")
        wanted["email_id"] = email or wanted["login_id"]
        try:
            user = changes.new_user(wanted, batch.rules)
        except changes.InvalidChangeError as error:
            plan.add_errors({**error.errors, **_needs(error.errors, wanted, has_email=bool(email))})
            return
        if plan.errors:
            return
        mark = hash(("email", user.email_key))
        if user.email_key in batch.taken_emails:
            plan.add_error("email_id", gettext("A user with this email already exists."))
        elif mark in named or mark in self._seen:
            plan.add_error("email_id", gettext("An earlier row has this email already."))
        named.add(mark)
        plan.user, plan.is_new = user, True
        if self.has_teams:
            plan_roles(plan, batch.teams, self.team)

    def version(self, plan: Plan) -> str:
        """Return a text that is another one once a detail of the plan's user, or a role, changes.

        Empty for a new user.
        """
        if plan.is_new or plan.user is None:
            return ""
        user = plan.user
        covered = [values.canonical(getattr(user, name)) for name in _COVERED]
        if self.has_teams:
            covered.append(sorted([each.team_id, each.role] for each in user.memberships.all()))
        text = json.dumps(covered, sort_keys=True)
        return blake2b(text.encode(), digest_size=9).hexdigest()

    # Saving.

    def save(self, plans: Sequence[Plan]) -> None:
        """Save what plans of locked users say, in the transaction that holds the locks.

        Those with errors are left out. Raises `IntegrityError` where a name was taken at the same
        moment: roll back, and plan again.
        """
        done = [plan for plan in plans if plan.does_something]
        old = [plan for plan in done if not plan.is_new]
        new = [plan for plan in done if plan.is_new]
        changes.save_many(((plan.user, plan.changes) for plan in old), self.using)
        self._save_roles(old)
        if new:
            roles = ({team.pk: role for team, role in plan.roles.items()} for plan in new)
            changes.create_many(zip((plan.user for plan in new), roles, strict=True), self.using)
        if new and self.invites:
            invitations.invite(*(plan.user for plan in new if plan.user.is_active))

    def _save_roles(self, plans: Iterable[Plan]) -> None:
        memberships = Membership.objects.using(self.using)
        new, changed = [], dict[str, list[Any]]()
        for plan in plans:
            for team, role in plan.roles.items():
                stored = {each.team_id: each.pk for each in plan.user.memberships.all()}
                if team.pk in stored:
                    changed.setdefault(role, []).append(stored[team.pk])
                else:
                    new.append(Membership(user=plan.user, team=team, role=role))
        if new:
            memberships.bulk_create(new)
        for role, keys in changed.items():
            for part in in_parts(keys):
                memberships.filter(pk__in=part).update(role=role)


def _needs(
    errors: Mapping[str, Any], wanted: Mapping[str, Any], *, has_email: bool
) -> dict[str, list[str]]:
    """Return clearer errors for what a new user has not."""
    needs = {}
    if "first_name" not in wanted:
        needs["first_name"] = [gettext("A new user needs a First Name.")]
    if "email_id" in errors and not has_email:
        needs["email_id"] = [gettext("A new user needs an Email ID, unless the Login ID is one.")]
    return needs


def _marks(plan: Plan) -> set[int]:
    """Return what another row for the same user would have too."""
    if plan.is_new:
        return {hash(("login", plan.user.login_key)), hash(("email", plan.user.email_key))}
    key = plan.user.login_key if plan.user is not None else plan.login_key
    return {hash(("login", key))} if key else set()


@dataclass
class _Batch:
    """What the plans of a batch have in common.

    superusers: the ids of the active superusers that earlier rows leave; None: not locked.
    """

    rules: Mapping[str, Rules]
    teams: Mapping[str, Team]
    taken_emails: Collection[str]
    superusers: set[Any] | None

    def count_superuser(self, user: AbstractUser, changed: Mapping[str, Any]) -> None:
        """Have later rows know the superusers that this one leaves active."""
        is_administrative = user.role_type == AbstractUser.RoleType.ADMINISTRATIVE
        if self.superusers is not None and user.is_superuser and is_administrative:
            match changed.get("status"):
                case AbstractUser.Status.INACTIVE:
                    self.superusers.discard(user.pk)
                case AbstractUser.Status.ACTIVE:
                    self.superusers.add(user.pk)
