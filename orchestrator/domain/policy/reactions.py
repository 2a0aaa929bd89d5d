"""The reaction table: what follows when WhatsApp limits, refuses, locks or bans, and when messages do not
arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.domain.policy.health import (
    Health,
    HealthCause,
    HealthLevel,
    after_disconnect,
    after_failure,
    after_resume,
    figure_at,
    level_of,
    worsened,
)
from orchestrator.domain.policy.reaction_state import (
    Cause,
    Pause,
    Reactions,
    RefusedContact,
    Scope,
    Slowdown,
)
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    DeliveriesCounted,
    Disconnected,
    Locked,
    LoggedOut,
    OutcomesCounted,
    RateLimited,
    ReachOutLocked,
    ReachOutRefused,
    ReachOutUnlocked,
    SendFailed,
    Signal,
    TemporarilyBanned,
)

HELD_CONTACTS_KEPT = 1_000
UNKNOWN_CYCLE = timedelta(days=1)
"""How long a cycle of WhatsApp's new-chat quota counts where it does not say when it ends."""

_LOCKED = "WhatsApp locked writing first to people (463)"
_REFUSED = "WhatsApp refused writing first to people (463)"


@dataclass(frozen=True, slots=True)
class Standing:
    """What signals change of a session."""

    reactions: Reactions = field(default_factory=Reactions)
    health: Health = field(default_factory=Health)


def react(standing: Standing, signals: Sequence[Signal], now: datetime, settings: PolicySettings) -> Standing:
    """The standing after signals, in order, without what has run out."""
    for signal in signals:
        standing = _react_to(standing, signal, now, settings)
    if level_of(figure_at(standing.health, now, settings.health), settings.health) is HealthLevel.STOPPED:
        stop = Pause(Cause.HEALTH, Scope.ALL, None, "the risk figure is too high")
        standing = replace(standing, reactions=_paused(standing.reactions, stop))
    return replace(standing, reactions=without_expired(standing.reactions, now))


def resume(standing: Standing, now: datetime, settings: PolicySettings) -> Standing:
    """A person resumes: what waited for that goes on, shares are counted anew. Pauses with an end keep it."""
    reactions = standing.reactions
    resumed = replace(
        reactions,
        pauses=tuple(pause for pause in reactions.pauses if pause.until is not None),
        slowdowns=tuple(slowdown for slowdown in reactions.slowdowns if slowdown.until is not None),
        outcomes_since=now,
    )
    return Standing(resumed, after_resume(standing.health, now, settings.health))


def without_expired(reactions: Reactions, now: datetime) -> Reactions:
    """Only what is in force."""
    slowdowns = tuple(one for one in reactions.slowdowns if one.until is None or now < one.until)
    pauses = tuple(one for one in reactions.pauses if one.until is None or now < one.until)
    if len(slowdowns) == len(reactions.slowdowns) and len(pauses) == len(reactions.pauses):
        return reactions
    return replace(reactions, slowdowns=slowdowns, pauses=pauses)


def _react_to(standing: Standing, signal: Signal, now: datetime, settings: PolicySettings) -> Standing:
    reactions, health = standing.reactions, standing.health
    match signal:
        case RateLimited():
            return replace(standing, reactions=_after_rate_limit(reactions, now, settings))
        case ReachOutRefused():
            worse = worsened(
                health, HealthCause.REACH_OUT_REFUSED, settings.health.reach_out_refused, now, settings.health
            )
            return Standing(_after_refusal(reactions, signal, now, settings), worse)
        case ReachOutLocked(until):
            return replace(standing, reactions=_locked(reactions, until, now, settings))
        case ReachOutUnlocked():
            return replace(standing, reactions=_without_pauses(reactions, Cause.REACH_OUT_LOCK))
        case CappingChanged():
            return replace(standing, reactions=_after_capping(reactions, signal, now, settings))
        case OutcomesCounted():
            return replace(standing, reactions=_after_outcomes(reactions, signal, settings))
        case DeliveriesCounted():
            return replace(standing, reactions=_after_deliveries(reactions, signal, settings))
        case Disconnected():
            return replace(standing, health=after_disconnect(health, now, settings.health))
        case SendFailed():
            return replace(standing, health=after_failure(health, now, settings.health))
        case LoggedOut(on_purpose):
            stopped = _paused(reactions, Pause(Cause.LOGGED_OUT, Scope.CAMPAIGNS))
            if on_purpose:
                return Standing(stopped, health)
            points = settings.health.logged_out
            return Standing(stopped, worsened(health, HealthCause.LOGGED_OUT, points, now, settings.health))
        case TemporarilyBanned(ends_at):
            return replace(standing, reactions=_after_ban(reactions, ends_at, settings))
    return _after_lock(standing, signal, now, settings)


def _after_lock(standing: Standing, signal: Locked, now: datetime, settings: PolicySettings) -> Standing:
    stopped = _paused(standing.reactions, Pause(Cause.LOCKED, Scope.CAMPAIGNS))
    points = settings.health.forbidden
    return Standing(stopped, worsened(standing.health, HealthCause.FORBIDDEN, points, now, settings.health))


def _after_rate_limit(reactions: Reactions, now: datetime, settings: PolicySettings) -> Reactions:
    """Half the rate for an hour; a second time within a day pauses campaigns. Answers of one burst are one
    time."""
    figures = settings.reactions
    slow = Slowdown(Cause.RATE_LIMITED, figures.slow_factor, until=_later(now, figures.rate_limit_slow_s))
    slowed = _slowed(reactions, slow)
    last = reactions.rate_limited_at
    since_s = None if last is None else (now - last).total_seconds()
    if since_s is not None and since_s < figures.rate_limit_burst_s:
        return slowed
    slowed = replace(slowed, rate_limited_at=now)
    if since_s is None or since_s >= figures.rate_limit_memory_s:
        return slowed
    until = _later(now, figures.rate_limit_pause_s)
    return _paused(
        slowed, Pause(Cause.RATE_LIMITED, Scope.CAMPAIGNS, until, "WhatsApp limited the rate twice in a day")
    )


def _after_refusal(
    reactions: Reactions, refused: ReachOutRefused, now: datetime, settings: PolicySettings
) -> Reactions:
    contact = RefusedContact(refused.contact_key, now)
    if not refused.is_new_chat:
        return replace(
            reactions, held_contacts=_noted(reactions.held_contacts, contact)[-HELD_CONTACTS_KEPT:]
        )
    figures = settings.reactions
    memory = timedelta(seconds=figures.refused_memory_s)
    remembered = tuple(one for one in _noted(reactions.refused, contact) if now - one.at < memory)
    reactions = replace(reactions, refused=remembered[-figures.refused_contacts_to_stop :])
    if not any(one.cause is Cause.REACH_OUT_LOCK and _lasts(one, now) for one in reactions.pauses):
        end = _later(now, figures.lock_without_end_s)
        reactions = _without_first_messages(reactions, Cause.REACH_OUT_REFUSED, end, _REFUSED)
    if len(remembered) < figures.refused_contacts_to_stop:
        return reactions
    until = _later(now, figures.refused_stop_s)
    detail = f"WhatsApp refused {len(remembered)} new contacts in a day (463)"
    return _paused(reactions, Pause(Cause.REACH_OUT_REFUSED_BY_MANY, Scope.CAMPAIGNS, until, detail))


def _locked(
    reactions: Reactions, until: datetime | None, now: datetime, settings: PolicySettings
) -> Reactions:
    """No new chats and no campaigns until the lock's own end and a margin; without an end, for a day. It takes the
    place of what a refusal led to: now it is known how long."""
    figures = settings.reactions
    end = (
        _later(until, figures.lock_margin_s) if until is not None else _later(now, figures.lock_without_end_s)
    )
    reactions = _without_pauses(reactions, Cause.REACH_OUT_REFUSED)
    return _without_first_messages(reactions, Cause.REACH_OUT_LOCK, end, _LOCKED)


def _without_first_messages(reactions: Reactions, cause: Cause, end: datetime, detail: str) -> Reactions:
    for scope in (Scope.NEW_CHATS, Scope.CAMPAIGNS):
        reactions = _paused(reactions, Pause(cause, scope, end, detail))
    return reactions


def _after_capping(
    reactions: Reactions, capping: CappingChanged, now: datetime, settings: PolicySettings
) -> Reactions:
    end = capping.cycle_ends_at or now + UNKNOWN_CYCLE
    cleared = _without_slowdowns(_without_pauses(reactions, Cause.CAPPING), Cause.CAPPING)
    if capping.level is CappingLevel.NONE:
        return cleared
    if capping.level is CappingLevel.FIRST_WARNING:
        slow = Slowdown(Cause.CAPPING, settings.reactions.slow_factor, Scope.NEW_CHATS, end)
        return _slowed(cleared, slow)
    detail = "WhatsApp's quota of new chats is used up"
    return _paused(cleared, Pause(Cause.CAPPING, Scope.NEW_CHATS, end, detail))


def _after_outcomes(reactions: Reactions, outcomes: OutcomesCounted, settings: PolicySettings) -> Reactions:
    figures = settings.reactions
    if outcomes.finished < figures.outcomes_window:
        return reactions
    share = outcomes.failed / outcomes.finished
    detail = f"{outcomes.failed} of the last {outcomes.finished} messages failed"
    return _after_share(
        reactions,
        Cause.FAILED_SHARE,
        detail,
        settings,
        is_slow=share > figures.failed_share_slow,
        is_bad=share > figures.failed_share_pause,
    )


def _after_deliveries(
    reactions: Reactions, deliveries: DeliveriesCounted, settings: PolicySettings
) -> Reactions:
    figures = settings.reactions
    if deliveries.sent < figures.delivery_least:
        return reactions
    share = deliveries.delivered / deliveries.sent
    detail = f"{deliveries.delivered} of {deliveries.sent} messages were delivered after 6 hours"
    return _after_share(
        reactions,
        Cause.DELIVERED_SHARE,
        detail,
        settings,
        is_slow=share < figures.delivered_share_slow,
        is_bad=share < figures.delivered_share_pause,
    )


def _after_share(
    reactions: Reactions,
    cause: Cause,
    detail: str,
    settings: PolicySettings,
    *,
    is_slow: bool,
    is_bad: bool,
) -> Reactions:
    """Slow while the share is poor; pause where it is bad, until a person resumes: a list or a number has a
    fault."""
    if not is_slow:
        return _without_slowdowns(reactions, cause)
    slowed = _slowed(reactions, Slowdown(cause, settings.reactions.slow_factor))
    return _paused(slowed, Pause(cause, Scope.CAMPAIGNS, None, detail)) if is_bad else slowed


def _after_ban(reactions: Reactions, ends_at: datetime | None, settings: PolicySettings) -> Reactions:
    """Campaigns wait for a person, everything until a day after the ban."""
    stopped = _paused(reactions, Pause(Cause.TEMPORARY_BAN, Scope.CAMPAIGNS))
    until = None if ends_at is None else _later(ends_at, settings.reactions.ban_margin_s)
    return _paused(stopped, Pause(Cause.TEMPORARY_BAN, Scope.ALL, until))


def _slowed(reactions: Reactions, slowdown: Slowdown) -> Reactions:
    return replace(reactions, slowdowns=(*_without_slowdowns(reactions, slowdown.cause).slowdowns, slowdown))


def _paused(reactions: Reactions, pause: Pause) -> Reactions:
    others = (one for one in reactions.pauses if (one.cause, one.scope) != (pause.cause, pause.scope))
    return replace(reactions, pauses=(*others, pause))


def _without_slowdowns(reactions: Reactions, cause: Cause) -> Reactions:
    return replace(reactions, slowdowns=tuple(one for one in reactions.slowdowns if one.cause is not cause))


def _without_pauses(reactions: Reactions, cause: Cause) -> Reactions:
    return replace(reactions, pauses=tuple(one for one in reactions.pauses if one.cause is not cause))


def _noted(contacts: tuple[RefusedContact, ...], contact: RefusedContact) -> tuple[RefusedContact, ...]:
    return (*(one for one in contacts if one.key != contact.key), contact)


def _lasts(pause: Pause, now: datetime) -> bool:
    return pause.until is None or now < pause.until


def _later(at: datetime, length_s: float) -> datetime:
    return at + timedelta(seconds=length_s)
