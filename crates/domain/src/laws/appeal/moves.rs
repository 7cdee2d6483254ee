//! What happens to an appeal at random: commands of every kind, time, and changes of the world.

use jiff::civil::Date;
use proptest::{prelude::*, sample::select};
use uuid::Uuid;

use crate::{
    AppealId, CaseTypeId, ClassId, DiagnosisId, NoteId, TopicId, UnitId,
    appeal::{
        Callback, Case, Channel, Command, Confidentiality, File, LawfulChannel, Note, Order,
        Outcome, Rating, Standing, Submission, Visibility,
    },
    calendar::{DayKind, Exception},
    cases::Level,
    clock::{ClockId, PauseGround},
    kit::{
        World, area, day, moment, name, plan_of_the_city, published_calendar, reference, sealed,
        unit,
    },
    routing::UnitStatus,
};

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Move {
    /// Somebody asks for something; in the name of whoever leads, if so.
    Ask(Box<Command>, bool),
    /// So many hours pass, and the scheduler is there or not.
    Wait(i64, bool),
    /// Time passes up to the next step of a clock.
    WaitForTheNextStep,
    /// The scheduler and the independent look catch up.
    Sweep,
    /// The routing table is published or not.
    Routing(bool),
    /// A unit is abolished or comes back.
    Unit(UnitId, bool),
    /// A day becomes a holiday or a working day in a new calendar, and deadlines are derived anew.
    Calendar(Date, DayKind),
}

pub(super) fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

fn any_unit() -> impl Strategy<Value = UnitId> {
    let units = vec!["power-supply", "tax", "gas", "justice", "desk-210212", "desk-city", "nobody"];
    select(units).prop_map(unit)
}

fn any_text() -> impl Strategy<Value = crate::Sealed> {
    select(vec!["YQ==", "Yg==", "Yw=="]).prop_map(sealed)
}

fn any_uuid() -> impl Strategy<Value = Uuid> {
    (1..4_u128).prop_map(Uuid::from_u128)
}

pub(super) fn any_submission() -> impl Strategy<Value = Submission> {
    let kind = select(vec![None, None, Some("tax-dispute"), Some("fair-competition")]);
    let about = select(vec!["T06", "T05", "X99"]);
    let level = select(vec![Confidentiality::Internal, Confidentiality::Strict]);
    let place = select(vec!["210212", "999999"]);
    let body = select(vec![None, Some(Level::City), Some(Level::Province)]);
    let all = (kind, about, place, level, body);
    all.prop_map(|(kind, about, place, confidentiality, about_level)| Submission {
        case_type: kind.map(|kind| CaseTypeId::parse(kind).unwrap()),
        about_level,
        confidentiality,
        ..Submission::new(Channel::Web, topic(about), area(place), sealed("ZGVzY3JpcHRpb24="))
    })
}

fn between_units() -> BoxedStrategy<Command> {
    let to = || proptest::option::weighted(0.5, any_unit());
    prop_oneof![
        3 => Just(Command::Accept),
        1 => any_text().prop_map(|guidance| {
            Command::Redirect { channel: LawfulChannel::Review, guidance }
        }),
        5 => to().prop_map(|to| Command::Dispatch { to }),
        5 => any_unit().prop_map(|unit| Command::SignFor { unit }),
        2 => any_unit().prop_map(|unit| Command::RecordContact { unit }),
        6 => (any_unit(), any_text(), to())
            .prop_map(|(unit, reason, proposed)| Command::Contest { unit, reason, proposed }),
        3 => to().prop_map(|to| Command::Rule { to }),
    ]
    .boxed()
}

fn within_a_unit() -> BoxedStrategy<Command> {
    let class = select(vec!["general", "complex", "several-units", "red", "blue"]);
    let task = || (any_unit(), 1..14_u32, any_text());
    prop_oneof![
        class.prop_map(|class| Command::Reclassify { class: ClassId::parse(class).unwrap() }),
        (any_unit(), 0..7_u16, any_text()).prop_map(|(unit, working_days, reason)| {
            Command::AskExtension { unit, working_days, reason }
        }),
        any::<bool>().prop_map(|granted| Command::AnswerExtension { granted }),
        any_unit().prop_map(|unit| {
            let reference = reference("asked");
            Command::Pause { unit, ground: PauseGround::LegalStep, reference }
        }),
        Just(Command::Resume),
        (any_unit(), any_unit(), any_text())
            .prop_map(|(unit, of, ask)| Command::RequestCoHandling { unit, of, ask }),
        task().prop_map(|(unit, task, answer)| {
            Command::AnswerCoHandling { unit, task: ClockId(task), answer }
        }),
        Just(Command::OpenMediation),
        any::<bool>().prop_map(|agreed| Command::EndMediation { agreed }),
        (any_unit(), any_text()).prop_map(|(unit, reply)| {
            Command::Resolve { unit, outcome: Outcome::Explained, reply }
        }),
        (any_unit(), any_text()).prop_map(|(unit, reply)| {
            Command::Resolve { unit, outcome: Outcome::Solved, reply }
        }),
    ]
    .boxed()
}

fn towards_the_end() -> BoxedStrategy<Command> {
    let said = || proptest::option::of(any::<bool>());
    prop_oneof![
        Just(Command::Confirm),
        any_text().prop_map(|reason| Command::Object { reason }),
        any_text().prop_map(|reason| Command::Object { reason }),
        (any::<bool>(), said(), said()).prop_map(|(reached, resolved, satisfied)| {
            Command::RecordCallback(Callback { reached, resolved, satisfied, note: None })
        }),
        any::<bool>().prop_map(|satisfied| {
            Command::Rate(Rating { responded: true, resolved: true, satisfied })
        }),
        Just(Command::Close),
        any_text().prop_map(|reason| Command::Reopen { reason }),
    ]
    .boxed()
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let due = select(vec![None, Some("2025-05-06T17:00+08:00"), Some("2025-06-06T17:00+08:00")]);
    let days = select(vec![5, 15]);
    (due, 0..2_u32, 0..2_u16, days).prop_map(|(due, objections, bounces, resolve_days)| Standing {
        confidentiality: Confidentiality::Internal,
        submitted_at: moment("2025-04-25T09:00+08:00"),
        objections,
        bounces,
        resolve_due: due.map(moment),
        resolve_days,
    })
}

fn beside_it() -> BoxedStrategy<Command> {
    let note = (any_uuid(), any_text()).prop_map(|(id, text)| {
        let visibility = Visibility::Internal;
        Command::AddNote(Note { id: NoteId(id), unit: None, visibility, text })
    });
    let file = (any_uuid(), any_text()).prop_map(|(id, text)| {
        Command::Attach(File {
            id: NoteId(id),
            unit: None,
            visibility: Visibility::Public,
            name: text,
            media_type: name("image/png"),
            bytes: 1,
            object: reference("0"),
        })
    });
    prop_oneof![
        3 => note,
        3 => file,
        2 => any_uuid().prop_map(|id| Command::Merge { into: AppealId(id) }),
        2 => (any_uuid(), 1..3_u32, any_standing()).prop_map(|(id, merge, standing)| {
            Command::Absorb { from: AppealId(id), merge, standing }
        }),
        3 => Just(Command::UndoMerge),
        1 => Just(Command::MarkMergeDelivered),
        2 => (any_uuid(), any_submission())
            .prop_map(|(id, submission)| Command::Split { part: AppealId(id), submission }),
        1 => any_uuid().prop_map(|id| Command::MarkPartSubmitted { part: AppealId(id) }),
        1 => Just(Command::ErasePersonalData { subject: "appeal:1".to_owned() }),
        1 => Just(Command::MarkKeyDestroyed),
        1 => Just(Command::MarkVisitsHeld),
        1 => Just(Command::MarkHoldLifted),
    ]
    .boxed()
}

fn jointly() -> BoxedStrategy<Command> {
    let order =
        (any_unit(), any_text()).prop_map(|(unit, task)| Order { unit, task, working_days: 2 });
    let units = select(vec![vec!["tax"], vec!["tax", "gas"], vec!["nobody"]]);
    let id = || any_uuid().prop_map(DiagnosisId);
    prop_oneof![
        2 => (any_unit(), id(), units, any_text()).prop_map(|(by, diagnosis, units, question)| {
            let units = units.into_iter().map(unit).collect();
            Command::Convene { unit: by, diagnosis, units, quorum: 1, question }
        }),
        1 => id().prop_map(|diagnosis| Command::MarkDiagnosisOpened { diagnosis }),
        1 => id().prop_map(|diagnosis| Command::MarkDiagnosisDiscontinued { diagnosis }),
        2 => (id(), any_text(), proptest::collection::vec(order, 0..3)).prop_map(
            |(diagnosis, conclusion, orders)| Command::TakeConclusion {
                diagnosis,
                conclusion,
                orders
            }
        ),
    ]
    .boxed()
}

fn by_the_system() -> BoxedStrategy<Command> {
    prop_oneof![
        4 => (1..14_u32).prop_map(|clock| Command::TakeSteps { clock: ClockId(clock) }),
        1 => Just(Command::Recompute),
        1 => Just(Command::Repair),
    ]
    .boxed()
}

pub(super) fn any_move() -> impl Strategy<Value = Move> {
    let command = prop_oneof![
        6 => between_units(),
        6 => within_a_unit(),
        4 => towards_the_end(),
        2 => beside_it(),
        2 => jointly(),
        2 => by_the_system(),
    ];
    let day = (0..40_i32).prop_map(|n| day("2025-04-25").saturating_add(jiff::Span::new().days(n)));
    let units = select(vec!["power-supply", "tax", "justice", "desk-210212", "desk-city"]);
    prop_oneof![
        30 => (command, prop::bool::weighted(0.85))
            .prop_map(|(command, led)| Move::Ask(Box::new(command), led)),
        8 => (0..30_i64, any::<bool>()).prop_map(|(hours, awake)| Move::Wait(hours, awake)),
        1 => (0..900_i64, any::<bool>()).prop_map(|(hours, awake)| Move::Wait(hours, awake)),
        4 => Just(Move::WaitForTheNextStep),
        2 => Just(Move::Sweep),
        1 => prop::bool::weighted(0.7).prop_map(Move::Routing),
        1 => (units.prop_map(unit), prop::bool::weighted(0.6))
            .prop_map(|(unit, back)| Move::Unit(unit, back)),
        1 => (day, select(vec![DayKind::Holiday, DayKind::Workday]))
            .prop_map(|(day, kind)| Move::Calendar(day, kind)),
    ]
}

/// How a life begins: some way along one of the usual ways, so that histories reach every corner.
pub(super) fn any_opening() -> impl Strategy<Value = Vec<Move>> {
    let lead = || unit("nobody");
    let dispatch = || Command::Dispatch { to: None };
    let contest = || Command::Contest { unit: lead(), reason: sealed("YQ=="), proposed: None };
    let to = |id| Some(unit(id));
    let sign = || Command::SignFor { unit: lead() };
    let resolve =
        || Command::Resolve { unit: lead(), outcome: Outcome::Solved, reply: sealed("YQ==") };
    let object = Command::Object { reason: sealed("YQ==") };
    let accept = Command::Accept;
    let (right, wrong) = (Command::Rule { to: to("gas") }, Command::Rule { to: None });
    let send = Command::Dispatch { to: to("tax") };
    let ways = [
        vec![accept.clone(), dispatch(), sign(), resolve(), object, sign(), resolve()],
        vec![accept.clone(), dispatch(), contest(), right],
        vec![accept.clone(), dispatch(), sign(), contest(), wrong],
        vec![accept, dispatch(), contest(), send, contest()],
    ];
    (select(ways.to_vec()), 0..8_usize).prop_map(|(way, far)| {
        way.into_iter().take(far).map(|command| Move::Ask(Box::new(command), true)).collect()
    })
}

/// The city's plan with a guarantee unit of its own, and the work calendar.
pub(super) fn world() -> World {
    World { routing: Some(table()), calendar: Some(published_calendar()), ..World::default() }
}

fn table() -> crate::routing::RoutingTable {
    let mut table = plan_of_the_city();
    table.guarantee = Some(unit("justice"));
    table
}

pub(super) fn publish(world: &mut World, is_published: bool) {
    world.routing = is_published.then(table);
}

pub(super) fn change_unit(world: &mut World, id: &UnitId, is_back: bool) {
    let units = world.routing.iter_mut().flat_map(|table| &mut table.units);
    for unit in units.filter(|listed| listed.id == *id) {
        unit.status = if is_back { UnitStatus::Active } else { UnitStatus::Abolished };
    }
}

pub(super) fn change_day(world: &mut World, date: Date, kind: DayKind) {
    let exceptions = &mut world.calendar.as_mut().unwrap().exceptions;
    exceptions.retain(|exception| exception.date != date);
    exceptions.push(Exception { date, kind, name: "x".to_owned(), hours: None });
    exceptions.sort_by_key(|exception| exception.date);
}

/// The command in the name of the unit that leads, and on a task of whoever has one.
pub(super) fn by_the_lead(command: Command, case: &Case) -> Command {
    let Some(lead) = case.phase.route().map(|route| route.unit.clone()) else {
        return command;
    };
    match command {
        Command::SignFor { .. } => Command::SignFor { unit: lead },
        Command::RecordContact { .. } => Command::RecordContact { unit: lead },
        Command::Contest { reason, proposed, .. } => {
            Command::Contest { unit: lead, reason, proposed }
        }
        Command::AskExtension { working_days, reason, .. } => {
            Command::AskExtension { unit: lead, working_days, reason }
        }
        Command::Pause { ground, reference, .. } => {
            Command::Pause { unit: lead, ground, reference }
        }
        Command::RequestCoHandling { of, ask, .. } => {
            Command::RequestCoHandling { unit: lead, of, ask }
        }
        Command::Resolve { outcome, reply, .. } => Command::Resolve { unit: lead, outcome, reply },
        Command::Convene { diagnosis, units, quorum, question, .. } => {
            Command::Convene { unit: lead, diagnosis, units, quorum, question }
        }
        Command::AnswerCoHandling { unit, task, answer } => {
            let open = case.tasks.iter().find(|(_, task)| task.answer.is_none());
            match open {
                Some((id, task)) => {
                    Command::AnswerCoHandling { unit: task.unit.clone(), task: *id, answer }
                }
                None => Command::AnswerCoHandling { unit, task, answer },
            }
        }
        other => other,
    }
}
