"""The calls by FastAPI, SQLAlchemy 2 and asyncpg, as their users write them, on the same tables."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from django.conf import settings
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, StringConstraints
from sqlalchemy import JSON, DateTime, ForeignKey, ForeignKeyConstraint, event, exists, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.benchmarks.contenders.history import differences
from users import tokens
from users.attributes import values
from users.attributes.rules import rules_by_field

settings.USE_I18N = False  # the rules' messages would need Django's apps to be set up
_url = os.environ["DATABASE_URL"]
if _url.startswith("sqlite"):
    engine = create_async_engine(_url.replace("sqlite://", "sqlite+aiosqlite://"))

    @event.listens_for(engine.sync_engine, "connect")
    def _leave_transactions_to_us(connection, record):
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=20000")

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
else:
    engine = create_async_engine(
        _url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8, pool_pre_ping=True
    )
session_maker = async_sessionmaker(engine, expire_on_commit=False)

JSONObject = JSON().with_variant(JSONB, "postgresql")
Moment = DateTime(timezone=True)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    first_name: Mapped[str]
    last_name: Mapped[str]
    login_id: Mapped[str]
    email_id: Mapped[str]
    status: Mapped[str]
    job_description: Mapped[str]
    login_using_email: Mapped[bool]
    role_type: Mapped[str]
    accepting_chats: Mapped[bool]
    active_chats: Mapped[int]
    custom_attributes: Mapped[dict[str, Any]] = mapped_column(JSONObject)
    skill_attributes: Mapped[dict[str, Any]] = mapped_column(JSONObject)


class Session(Base):
    __tablename__ = "users_session"
    session_key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users_user.id"))
    expire_date: Mapped[datetime] = mapped_column(Moment)


class Membership(Base):
    __tablename__ = "users_membership"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users_user.id"))
    team_id: Mapped[int]


class AccessToken(Base):
    __tablename__ = "users_accesstoken"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[str]
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class Change(Base):
    __tablename__ = "users_change"
    # A default of the database fills `transaction_id`.
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    user_id: Mapped[int]
    login_id: Mapped[str]
    action: Mapped[str]
    door: Mapped[str]
    by_type: Mapped[str]
    by_id: Mapped[int]
    by_name: Mapped[str]
    trxid: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(JSONObject)
    after: Mapped[dict[str, Any]] = mapped_column(JSONObject)
    teams: Mapped[list[int]] = mapped_column(JSONObject)


class Grant(Base):
    __tablename__ = "users_accesstoken_teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    accesstoken_id: Mapped[int]
    team_id: Mapped[int]
    __table_args__ = (ForeignKeyConstraint(["accesstoken_id"], ["users_accesstoken.id"]),)


class AttributeDefinition(Base):
    __tablename__ = "users_attributedefinition"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    type: Mapped[str]
    choices: Mapped[list[str]] = mapped_column(JSONObject)


def _text(minimum: int, maximum: int) -> Any:
    return StringConstraints(
        strict=True, strip_whitespace=True, min_length=minimum, max_length=maximum
    )


class UserUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    first_name: Annotated[str, _text(1, 150)] = ""
    last_name: Annotated[str, _text(0, 150)] = ""
    status: Literal["active", "inactive"] = "active"
    job_description: Annotated[str, _text(0, 255)] = ""
    login_using_email: StrictBool = False
    custom_attributes: dict[str, Any] = {}
    skill_attributes: dict[str, Any] = {}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite knows no time zones


class UserOut(BaseModel):
    id: int
    created_at: Annotated[datetime, AfterValidator(_aware)]
    updated_at: Annotated[datetime, AfterValidator(_aware)]
    first_name: str
    last_name: str
    login_id: str
    email_id: str
    status: str
    logged_in: bool
    job_description: str
    login_using_email: bool
    role_type: str
    accepting_chats: bool
    skill_attributes: dict[str, Any]
    active_chats: int
    custom_attributes: dict[str, Any]


class Envelope(BaseModel):
    status_code: int
    description: str
    response: UserOut


class PageOut(BaseModel):
    users: list[UserOut]
    page_size: int
    has_more: bool
    after: str | None


class PageEnvelope(BaseModel):
    status_code: int
    description: str
    response: PageOut


class Search(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: dict[Literal["eq"], Literal["active", "inactive"]] = {}
    custom_attributes: dict[str, dict[Literal["eq"], str]] = {}


async def get_session():
    async with session_maker() as session, session.begin():
        yield session


# The transaction ends before the answer is sent: what is answered is committed.
DatabaseSession = Annotated[AsyncSession, Depends(get_session, scope="function")]


class Caller(NamedTuple):
    token: AccessToken
    team_id: int


async def get_caller(
    session: DatabaseSession,
    authorization: Annotated[str, Header()],
    teamid: Annotated[int, Header()],
) -> Caller:
    secret = authorization.removeprefix("Bearer ")
    row = (
        await session.execute(
            select(AccessToken, Grant.team_id)
            .outerjoin(Grant, (Grant.accesstoken_id == AccessToken.id) & (Grant.team_id == teamid))
            .where(AccessToken.digest == tokens.digest(secret))
        )
    ).first()
    if row is None or row.AccessToken.revoked_at:
        raise HTTPException(400)
    token, now = row.AccessToken, datetime.now(UTC)
    if token.expires_at and _aware(token.expires_at) <= now:
        raise HTTPException(401)
    if row.team_id is None:
        raise HTTPException(404)
    if token.last_used_at is None or now - _aware(token.last_used_at) > timedelta(minutes=1):
        token.last_used_at = now
    return Caller(token, row.team_id)


app = FastAPI()


def select_members(caller: Caller) -> Any:
    logged_in = exists().where(Session.user_id == User.id, Session.expire_date > datetime.now(UTC))
    is_member = exists().where(Membership.user_id == User.id, Membership.team_id == caller.team_id)
    return select(User, logged_in.label("logged_in")).where(is_member)


def as_dict(row: Any) -> dict[str, Any]:
    fields = [name for name in UserOut.model_fields if name != "logged_in"]
    return {**{name: getattr(row.User, name) for name in fields}, "logged_in": row.logged_in}


DatabaseCaller = Annotated[Caller, Depends(get_caller)]


@app.get("/api/users/{user_id}", response_model=Envelope)
async def get_user(user_id: int, session: DatabaseSession, caller: DatabaseCaller):
    row = (await session.execute(select_members(caller).where(User.id == user_id))).first()
    if row is None:
        raise HTTPException(404)
    return {
        "status_code": 4306,
        "description": "The user details retrieved successfully",
        "response": as_dict(row),
    }


async def page_of(session: AsyncSession, users: Any, page_size: int, after: int) -> Any:
    users = users.where(User.id > after).order_by(User.id).limit(page_size + 1)
    rows = (await session.execute(users)).all()
    has_more = len(rows) > page_size
    return {
        "status_code": 4307,
        "description": "The list of users retrieved successfully",
        "response": {
            "users": [as_dict(row) for row in rows[:page_size]],
            "page_size": page_size,
            "has_more": has_more,
            "after": str(rows[page_size - 1].User.id) if has_more else None,
        },
    }


PageSize = Annotated[int, Query(ge=1, le=100)]


@app.get("/api/users", response_model=PageEnvelope)
async def list_users(
    session: DatabaseSession, caller: DatabaseCaller, page_size: PageSize = 10, after: int = 0
):
    return await page_of(session, select_members(caller), page_size, after)


@app.post("/api/users/search", response_model=PageEnvelope)
async def search_users(
    search: Search,
    session: DatabaseSession,
    caller: DatabaseCaller,
    page_size: PageSize = 10,
    after: int = 0,
):
    users = select_members(caller)
    if search.status:
        users = users.where(User.status == search.status["eq"])
    for name, condition in search.custom_attributes.items():
        users = users.where(User.custom_attributes[name].as_string() == condition["eq"])
    return await page_of(session, users, page_size, after)


@app.patch("/api/users/{user_id}", response_model=Envelope)
async def update_user(
    user_id: int,
    update: UserUpdate,
    session: DatabaseSession,
    caller: DatabaseCaller,
):
    locked = select_members(caller).where(User.id == user_id).with_for_update(of=User)
    row = (await session.execute(locked)).first()
    if row is None:
        raise HTTPException(404)
    user = row.User
    changes = update.model_dump(exclude_unset=True)
    definitions = (await session.scalars(select(AttributeDefinition))).all()
    for field, rules in rules_by_field(definitions).items():
        if field in changes:
            stored = getattr(user, field)
            changes[field] = values.merge(stored, changes[field])
            if errors := rules.validate(stored, changes[field]):
                raise HTTPException(400, errors)
    changed = {name: value for name, value in changes.items() if getattr(user, name) != value}
    if changed:
        before, after = differences({name: getattr(user, name) for name in changed}, changed)
        for name, value in changed.items():
            setattr(user, name, value)
        user.updated_at = now = datetime.now(UTC)
        teams = await session.scalars(
            select(Membership.team_id).where(Membership.user_id == user.id)
        )
        session.add(
            Change(
                at=now,
                user_id=user.id,
                login_id=user.login_id,
                action="updated",
                door="api",
                by_type="access_token",
                by_id=caller.token.id,
                by_name=caller.token.name,
                trxid=str(uuid.uuid4()),
                before=before,
                after=after,
                teams=sorted(teams),
            )
        )
    return {
        "status_code": 4309,
        "description": "User updated successfully",
        "response": as_dict(row),
    }
