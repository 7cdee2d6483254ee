//! Arbitrary events of appeals, in any order and with any clocks.

use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{
    any_area, any_day, any_moment, any_name, any_reference, any_sealed, any_topic, any_unit,
    any_visit, policy::any_case_type,
};
use crate::{
    AppealId, CaseTypeId, ClassId, DiagnosisId, NoteId,
    appeal::{
        Applicant, Callback, Channel, ClockChange, Closing, Confidentiality, Event, File,
        LawfulChannel, Note, Order, Outcome, Pinned, Rating, Silence, Submission, Trigger,
        Visibility,
    },
    calendar::{DayKind, WorkingTime},
    cases::{Escalation, Level},
    clock::{
        Clock, ClockId, ClockKind, Derivation, Extension, Owner, Pause, PauseGround, Planned, Step,
        Stretch,
    },
    routing::{Route, RouteRule},
};

fn any_id() -> impl Strategy<Value = Uuid> {
    (1..5_u128).prop_map(Uuid::from_u128)
}

pub(super) fn any_appeal() -> impl Strategy<Value = AppealId> {
    any_id().prop_map(AppealId)
}

fn any_diagnosis() -> impl Strategy<Value = DiagnosisId> {
    any_id().prop_map(DiagnosisId)
}

fn any_class() -> impl Strategy<Value = ClassId> {
    "[a-z0-9-]{1,32}".prop_map(|text| ClassId::parse(&text).unwrap())
}

fn any_case_type_id() -> impl Strategy<Value = CaseTypeId> {
    "[a-z0-9-]{1,32}".prop_map(|text| CaseTypeId::parse(&text).unwrap())
}

fn any_clock_id() -> impl Strategy<Value = ClockId> {
    (1..6_u32).prop_map(ClockId)
}

fn any_route() -> impl Strategy<Value = Route> {
    let rule = prop_oneof![
        any_topic().prop_map(RouteRule::Topic),
        any_area().prop_map(RouteRule::Area),
        Just(RouteRule::CityDesk),
        Just(RouteRule::Dispatcher),
        any::<u128>().prop_map(|id| RouteRule::Standing(DiagnosisId(Uuid::from_u128(id)))),
        "[a-z0-9-]{1,32}".prop_map(|text| RouteRule::CaseType(CaseTypeId::parse(&text).unwrap())),
        Just(RouteRule::Ruling),
        Just(RouteRule::Guarantee),
        Just(RouteRule::Diagnosis),
        Just(RouteRule::Repair),
        Just(RouteRule::Repair),
    ];
    (any_unit(), vec(any_unit(), 0..3), rule, option::of(any_unit()))
        .prop_map(|(unit, co_units, rule, instead_of)| Route { unit, co_units, rule, instead_of })
}

fn any_submission() -> impl Strategy<Value = Submission> {
    let channel = select(vec![
        Channel::Hotline12345,
        Channel::Web,
        Channel::App,
        Channel::ServiceDesk,
        Channel::VisitFeedback,
        Channel::RoundTable,
        Channel::LeadersContact,
    ]);
    let level = select(vec![Level::District, Level::City, Level::Province]);
    let applicant = select(vec![Applicant::Enterprise, Applicant::OnBehalf, Applicant::Anonymous]);
    let confidentiality = select(vec![
        Confidentiality::Public,
        Confidentiality::Internal,
        Confidentiality::Confidential,
        Confidentiality::Strict,
    ]);
    let about = (channel, any_topic(), any_area(), option::of(any_visit()), option::of(level));
    let kind = (option::of(any_case_type_id()), option::of(any_class()), option::of(any_appeal()));
    let texts = (any_sealed(), option::of(any_sealed()));
    (about, kind, texts, applicant, confidentiality).prop_map(
        |(about, kind, (description, contact), applicant, confidentiality)| {
            let (channel, topic, area, about_visit, about_level) = about;
            let (case_type, class, split_from) = kind;
            Submission {
                channel,
                topic,
                area,
                description,
                contact,
                about_visit,
                case_type,
                class,
                about_level,
                applicant,
                confidentiality,
                split_from,
            }
        },
    )
}

fn any_kind() -> impl Strategy<Value = ClockKind> {
    select(vec![
        ClockKind::Accept,
        ClockKind::Dispatch,
        ClockKind::Contact,
        ClockKind::Resolve,
        ClockKind::Ruling,
        ClockKind::Extension,
        ClockKind::CoHandling,
        ClockKind::Feedback,
        ClockKind::Close,
        ClockKind::Pause,
        ClockKind::Mediation,
        ClockKind::Opinion,
        ClockKind::Conclusion,
    ])
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    select(vec![
        Step::Blue,
        Step::Yellow,
        Step::Red,
        Step::Escalate(Escalation::Urge),
        Step::Escalate(Escalation::Supervise),
        Step::Escalate(Escalation::Circulate),
        Step::Escalate(Escalation::Summon),
    ])
}

fn any_pause() -> impl Strategy<Value = Pause> {
    let ground = select(vec![PauseGround::MaterialAsked, PauseGround::LegalStep]);
    let times = (any_moment(), option::of(any_moment()), any::<u32>(), any::<u32>());
    (ground, any_reference(), times).prop_map(
        |(ground, reference, (since, until, left, length))| {
            let time = |seconds| WorkingTime::from_seconds(i64::from(seconds));
            Pause { ground, reference, since, until, left: time(left), length: time(length) }
        },
    )
}

fn any_derivation() -> impl Strategy<Value = Derivation> {
    let kind = select(vec![DayKind::Holiday, DayKind::Workday]);
    let stretch = (any_day(), any_day(), kind, any_name())
        .prop_map(|(from, to, kind, name)| Stretch { from, to, kind, name: name.into() });
    let extension =
        (any_moment(), any::<u16>()).prop_map(|(at, working_days)| Extension { at, working_days });
    let moved = (vec(stretch, 0..3), vec(any_pause(), 0..3), vec(extension, 0..2));
    (any::<(u32, u32, bool)>(), moved).prop_map(
        |((terms_version, calendar_version, provisional), (exceptions, pauses, extensions))| {
            Derivation {
                terms_version,
                calendar_version,
                provisional,
                exceptions,
                pauses,
                extensions,
            }
        },
    )
}

pub(super) fn any_clock() -> impl Strategy<Value = Clock> {
    let owner = prop_oneof![any_unit().prop_map(Owner::Unit), Just(Owner::CityDesk)];
    let step = (any_moment(), any_step()).prop_map(|(at, step)| Planned { at, step });
    let who = (any_clock_id(), any_kind(), owner);
    let time = (any_moment(), any::<u16>(), any_moment(), vec(step, 0..8), 0..10_u16);
    (who, time, any_derivation()).prop_map(|((id, kind, owner), time, derivation)| {
        let (start, working_days, due, steps, taken) = time;
        Clock { id, kind, owner, start, working_days, due, steps, taken, derivation }
    })
}

fn any_change() -> impl Strategy<Value = ClockChange> {
    (any_moment(), vec(any_clock(), 0..3), vec(any_clock_id(), 0..3))
        .prop_map(|(at, set, stopped)| ClockChange { at, set, stopped })
}

fn any_visibility() -> impl Strategy<Value = Visibility> {
    select(vec![Visibility::Internal, Visibility::Public])
}

fn any_note() -> impl Strategy<Value = Note> {
    (any_id(), option::of(any_unit()), any_visibility(), any_sealed())
        .prop_map(|(id, unit, visibility, text)| Note { id: NoteId(id), unit, visibility, text })
}

fn any_file() -> impl Strategy<Value = File> {
    let what = (any_sealed(), any_name(), any::<u64>(), any_reference());
    (any_id(), option::of(any_unit()), any_visibility(), what).prop_map(
        |(id, unit, visibility, (name, media_type, bytes, object))| File {
            id: NoteId(id),
            unit,
            visibility,
            name,
            media_type,
            bytes,
            object,
        },
    )
}

fn any_callback() -> impl Strategy<Value = Callback> {
    let said = (option::of(any::<bool>()), option::of(any::<bool>()), option::of(any_sealed()));
    (any::<bool>(), said).prop_map(|(reached, (resolved, satisfied, note))| Callback {
        reached,
        resolved,
        satisfied,
        note,
    })
}

fn any_order() -> impl Strategy<Value = Order> {
    (any_unit(), any_sealed(), any::<u16>()).prop_map(|(unit, task, working_days)| Order {
        unit,
        task,
        working_days,
    })
}

/// Between units.
fn routing_event() -> BoxedStrategy<Event> {
    let channel = select(vec![
        LawfulChannel::Litigation,
        LawfulChannel::Review,
        LawfulChannel::Discipline,
        LawfulChannel::Petition,
    ]);
    let trigger = select(vec![
        Trigger::NoOwner,
        Trigger::BouncesSpent,
        Trigger::Overdue,
        Trigger::Dissatisfied,
    ]);
    let terms = (any::<u32>(), any_case_type())
        .prop_map(|(version, case_type)| Pinned { version, case_type });
    let routed = || (any_route(), any::<u32>(), any_change());
    let reason = (any_sealed(), option::of(any_unit()));
    prop_oneof![
        3 => (any_submission(), terms, any_change()).prop_map(|(submission, terms, clocks)| {
            Event::AppealSubmitted { submission, terms, clocks }
        }),
        1 => any_change().prop_map(|clocks| Event::AppealAccepted { clocks }),
        1 => (channel, any_sealed(), any_change()).prop_map(|(channel, guidance, clocks)| {
            Event::AppealRedirected { channel, guidance, clocks }
        }),
        2 => routed().prop_map(|(route, routing_version, clocks)| Event::AppealDispatched {
            route,
            routing_version,
            clocks
        }),
        1 => (any_unit(), any_change())
            .prop_map(|(unit, clocks)| Event::AppealSignedFor { unit, clocks }),
        1 => (any_unit(), any_change())
            .prop_map(|(unit, clocks)| Event::EnterpriseContacted { unit, clocks }),
        1 => (any_unit(), reason, any_change()).prop_map(|(unit, (reason, proposed), clocks)| {
            Event::DispatchContested { unit, reason, proposed, clocks }
        }),
        1 => (routed(), any::<bool>()).prop_map(|((route, routing_version, clocks), upheld)| {
            Event::DispatchRuled { route, routing_version, upheld, clocks }
        }),
        1 => (routed(), trigger).prop_map(|((route, routing_version, clocks), trigger)| {
            Event::GuaranteeTaken { trigger, route, routing_version, clocks }
        }),
    ]
    .boxed()
}

/// Within a unit.
fn handling_event() -> BoxedStrategy<Event> {
    let ground = select(vec![PauseGround::MaterialAsked, PauseGround::LegalStep]);
    let lapsed = || (any::<bool>(), any_change());
    prop_oneof![
        (any_class(), any_change())
            .prop_map(|(class, clocks)| Event::AppealReclassified { class, clocks }),
        (any_unit(), any::<u16>(), any_sealed(), any_change()).prop_map(
            |(unit, working_days, reason, clocks)| Event::ExtensionAsked {
                unit,
                working_days,
                reason,
                clocks
            }
        ),
        any_change().prop_map(|clocks| Event::ExtensionGranted { clocks }),
        lapsed().prop_map(|(lapsed, clocks)| Event::ExtensionRefused { lapsed, clocks }),
        (ground, any_reference(), any_change()).prop_map(|(ground, reference, clocks)| {
            Event::HandlingPaused { ground, reference, clocks }
        }),
        lapsed().prop_map(|(lapsed, clocks)| Event::HandlingResumed { lapsed, clocks }),
        (any_clock_id(), any_unit(), any_sealed(), any_change()).prop_map(
            |(task, unit, ask, clocks)| Event::CoHandlingRequested { task, unit, ask, clocks }
        ),
        (any_clock_id(), any_unit(), any_sealed(), any_change()).prop_map(
            |(task, unit, answer, clocks)| Event::CoHandlingAnswered { task, unit, answer, clocks }
        ),
        any_change().prop_map(|clocks| Event::MediationOpened { clocks }),
        lapsed().prop_map(|(agreed, clocks)| Event::MediationEnded { agreed, clocks }),
        (any_clock_id(), vec(any_step(), 0..4), any_change())
            .prop_map(|(clock, steps, clocks)| Event::ClockStepsTaken { clock, steps, clocks }),
        (any::<u32>(), any_change()).prop_map(|(calendar_version, clocks)| {
            Event::DeadlinesRecomputed { calendar_version, clocks }
        }),
    ]
    .boxed()
}

/// Towards the end, and back.
fn closing_event() -> BoxedStrategy<Event> {
    let outcome = select(vec![
        Outcome::Solved,
        Outcome::Explained,
        Outcome::Unfounded,
        Outcome::LawfulChannel,
    ]);
    let how =
        select(vec![Closing::Confirmed, Closing::CalledBack, Closing::Silent, Closing::Erased]);
    prop_oneof![
        (outcome, any_sealed(), any_change()).prop_map(|(outcome, reply, clocks)| {
            Event::AppealResolved { outcome, reply, clocks }
        }),
        any_change().prop_map(|clocks| Event::ResolutionConfirmed { clocks }),
        (any_sealed(), any_change())
            .prop_map(|(reason, clocks)| Event::ResolutionObjected { reason, clocks }),
        (any_callback(), any_change())
            .prop_map(|(callback, clocks)| Event::CallbackRecorded { callback, clocks }),
        any_change().prop_map(|clocks| Event::EnterpriseSilent { clocks }),
        any::<(bool, bool, bool)>().prop_map(|(responded, resolved, satisfied)| {
            Event::AppealRated { rating: Rating { responded, resolved, satisfied } }
        }),
        (how, any_change()).prop_map(|(how, clocks)| Event::AppealClosed { how, clocks }),
        (any_sealed(), any_change())
            .prop_map(|(reason, clocks)| Event::AppealReopened { reason, clocks }),
    ]
    .boxed()
}

/// Beside the life of the case.
fn event_around() -> BoxedStrategy<Event> {
    let silence = select(vec![Silence::NoClock, Silence::OwnerGone]);
    let units = (vec(any_unit(), 0..3), any::<u16>());
    prop_oneof![
        any_note().prop_map(|note| Event::NoteAdded { note }),
        any_file().prop_map(|file| Event::FileAttached { file }),
        (any_appeal(), any_change())
            .prop_map(|(into, clocks)| Event::AppealMerged { into, clocks }),
        Just(Event::MergeDelivered {}),
        (any_appeal(), any::<u32>()).prop_map(|(from, merge)| Event::MergeDeclined { from, merge }),
        any_appeal().prop_map(|from| Event::AppealAbsorbed { from }),
        (any_appeal(), any_submission(), any_change()).prop_map(|(part, submission, clocks)| {
            Event::AppealSplit { part, submission, clocks }
        }),
        any_appeal().prop_map(|part| Event::PartSubmitted { part }),
        (any_diagnosis(), units, any_sealed(), any_change()).prop_map(
            |(diagnosis, (units, quorum), question, clocks)| Event::DiagnosisConvened {
                diagnosis,
                units,
                quorum,
                question,
                clocks
            }
        ),
        any_diagnosis().prop_map(|diagnosis| Event::DiagnosisOpened { diagnosis }),
        any_diagnosis().prop_map(|diagnosis| Event::DiagnosisAbandoned { diagnosis }),
        any_diagnosis().prop_map(|diagnosis| Event::DiagnosisDiscontinued { diagnosis }),
        (any_diagnosis(), any_sealed(), vec(any_order(), 0..3), any_change()).prop_map(
            |(diagnosis, conclusion, orders, clocks)| Event::ConclusionTaken {
                diagnosis,
                conclusion,
                orders,
                clocks
            }
        ),
        (silence, option::of(any_route()), any_change())
            .prop_map(|(found, route, clocks)| { Event::AppealRepaired { found, route, clocks } }),
        "[a-z0-9:-]{1,40}".prop_map(|subject| Event::PersonalDataErased { subject }),
        Just(Event::KeyDestroyed {}),
        Just(Event::VisitsHeld {}),
        Just(Event::HoldEnded {}),
        Just(Event::HoldLifted {}),
    ]
    .boxed()
}

pub(in crate::laws) fn appeal_event() -> impl Strategy<Value = Event> {
    prop_oneof![routing_event(), handling_event(), closing_event(), event_around()]
}
