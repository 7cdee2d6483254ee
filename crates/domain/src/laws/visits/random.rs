//! Random commands on a dozen visits of three units, some of them joint.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{FIELDS, officers, unit_of, visit};
use crate::{
    AppealId, CodeId, DeviceId, EnterpriseId, FewSet, ItemId, UnitId,
    clock::ClockId,
    frequency::Ground,
    kit::{day, item, reference, unit},
    visits::{
        CancelReason, CheckIn, Command, ItemResult, Kept, Manner, Outcome, Plan, Proof,
        RefusalReason, Share, Visit, What,
    },
};

/// The visits are numbered from 1 and fewer than that, but for a few that follow another one.
const VISITS: u8 = 10;

/// One command, and by how many hours the clock moves before it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) hours: i64,
    pub(super) visit: u8,
    act: Act,
}

#[derive(Debug, Clone, Copy)]
struct Planned {
    ground: Ground,
    days_ahead: i32,
    /// 1 to 7: which of the three items.
    items: u8,
    pair: usize,
    /// Whether the next unit takes part, and with which items.
    joint: Option<u8>,
    justified: bool,
    /// The visit whose findings are looked at again.
    recheck_of: Option<u8>,
}

/// How a scan reaches us.
#[derive(Debug, Clone, Copy)]
enum How {
    Live,
    Replayed,
    Entered,
}

#[derive(Debug, Clone)]
enum Act {
    Plan(Planned),
    Approve { by_other: bool },
    Notify,
    Merge { into: u8 },
    CheckIn { pair: usize, few: bool, hours_ago: i64, how: How, improvised: Option<Planned> },
    Admit,
    Refuse,
    TakeIn { hours_ago: i64, out_first: bool, improvised: Option<Planned> },
    CheckOut,
    Report { found: u8, by_other: bool },
    Tell,
    Accept { by_other: bool },
    Cancel { by_other: bool },
    Expire,
    TakeSteps { clock: u32 },
    MarkOverdue,
    Hold { lift: bool },
}

fn odd() -> impl Strategy<Value = bool> {
    prop_oneof![3 => Just(false), 1 => Just(true)]
}

fn any_planned() -> impl Strategy<Value = Planned> {
    let ground = select(vec![Ground::Routine, Ground::Random, Ground::Complaint, Ground::Urgent]);
    let days_ahead = prop_oneof![3 => 0..5_i32, 2 => 0..60_i32, 1 => 0..400_i32];
    let joint = option::weighted(0.3, 1..8_u8);
    let recheck_of = option::weighted(0.05, 1..VISITS);
    (ground, days_ahead, 1..8_u8, 0..3_usize, joint, any::<bool>(), recheck_of).prop_map(
        |(ground, days_ahead, items, pair, joint, justified, recheck_of)| Planned {
            ground,
            days_ahead,
            items,
            pair,
            joint,
            justified,
            recheck_of,
        },
    )
}

/// A visit that is made on the spot, mostly because it cannot wait.
fn any_improvised() -> impl Strategy<Value = Planned> {
    (any_planned(), odd()).prop_map(|(planned, other)| {
        let ground = if other { planned.ground } else { Ground::Urgent };
        Planned { ground, days_ahead: 0, recheck_of: None, ..planned }
    })
}

fn any_act() -> BoxedStrategy<Act> {
    let hours_ago = || prop_oneof![3 => Just(0_i64), 1 => 0..2000_i64];
    let few = prop_oneof![9 => Just(false), 1 => Just(true)];
    let how = prop_oneof![4 => Just(How::Live), 1 => Just(How::Replayed), 4 => Just(How::Entered)];
    let scan = (0..3_usize, few, hours_ago(), how, option::weighted(0.3, any_improvised()));
    let records = (hours_ago(), any::<bool>(), option::weighted(0.3, any_improvised()));
    prop_oneof![
        6 => any_planned().prop_map(Act::Plan),
        4 => odd().prop_map(|by_other| Act::Approve { by_other }),
        1 => Just(Act::Notify),
        3 => (1..VISITS).prop_map(|into| Act::Merge { into }),
        4 => scan.prop_map(|(pair, few, hours_ago, how, improvised)| Act::CheckIn {
            pair,
            few,
            hours_ago,
            how,
            improvised
        }),
        1 => Just(Act::Admit),
        1 => Just(Act::Refuse),
        2 => records.prop_map(|(hours_ago, out_first, improvised)| Act::TakeIn {
            hours_ago,
            out_first,
            improvised
        }),
        2 => Just(Act::CheckOut),
        3 => (0..3_u8, odd()).prop_map(|(found, by_other)| Act::Report { found, by_other }),
        2 => Just(Act::Tell),
        2 => odd().prop_map(|by_other| Act::Accept { by_other }),
        1 => odd().prop_map(|by_other| Act::Cancel { by_other }),
        1 => Just(Act::Expire),
        1 => (1..9_u32).prop_map(|clock| Act::TakeSteps { clock }),
        1 => Just(Act::MarkOverdue),
        1 => any::<bool>().prop_map(|lift| Act::Hold { lift }),
    ]
    .boxed()
}

/// What two units do at the door and after it, without anything in the way.
fn carried_out(n: u8, pair: usize, found: u8) -> Vec<(u8, Act)> {
    let (few, hours_ago, how) = (false, 0, How::Live);
    let units = [false, true];
    let approved = units.map(|by_other| Act::Approve { by_other });
    let came = Act::CheckIn { pair, few, hours_ago, how, improvised: None };
    let reported = units.map(|by_other| Act::Report { found, by_other });
    let acts = [approved.to_vec(), vec![came, Act::CheckOut], reported.to_vec(), vec![Act::Tell]];
    acts.concat().into_iter().map(|act| (n, act)).collect()
}

/// A visit that could not wait, approved once everything else is done.
fn could_not_wait(n: u8, planned: Planned, found: u8) -> Vec<(u8, Act)> {
    let (pair, few, hours_ago, how) = (planned.pair, false, 0, How::Live);
    let improvised = Some(Planned { ground: Ground::Urgent, recheck_of: None, ..planned });
    let came = Act::CheckIn { pair, few, hours_ago, how, improvised };
    let units = [false, true];
    let reported = units.map(|by_other| Act::Report { found, by_other });
    let approved = units.map(|by_other| Act::Approve { by_other });
    let acts = [vec![came, Act::CheckOut], reported.into(), vec![Act::Tell], approved.into()];
    acts.concat().into_iter().map(|act| (n, act)).collect()
}

/// Something that is seldom come upon by chance: a visit that is carried out, a merge, a withdrawal, a
/// recheck, a hold, a visit that could not wait.
fn any_course() -> impl Strategy<Value = Vec<(u8, Act)>> {
    let own = 1..VISITS;
    (0..6_u8, own, any_planned(), any_planned(), 0..3_usize, 0..3_u8, any::<bool>()).prop_map(
        |(course, n, planned, other, pair, found, goes_on)| {
            let today = |planned: Planned| Act::Plan(Planned { days_ahead: 0, ..planned });
            let first = (n, today(planned));
            let after = if goes_on { carried_out(n, pair, found) } else { vec![] };
            let course = match course {
                0 => vec![first],
                1 => {
                    let alone = Planned { joint: None, ..other };
                    let ground = planned.ground;
                    let second = (n + 1, Act::Plan(Planned { ground, ..alone }));
                    let first = (n, today(Planned { joint: None, ..planned }));
                    vec![first, second, (n + 1, Act::Merge { into: n })]
                }
                2 => {
                    let joint = Some(planned.joint.unwrap_or(1));
                    let first = (n, today(Planned { joint, ..planned }));
                    vec![first, (n, Act::Cancel { by_other: true })]
                }
                3 => {
                    let ground = Ground::Complaint;
                    let again = Planned { recheck_of: Some(n), items: 7, ground, ..other };
                    let all = Planned { joint: None, ..again };
                    let recheck = [vec![(n + 3, today(all))], carried_out(n + 3, pair, 0)].concat();
                    return [vec![first], carried_out(n, pair, 2), recheck].concat();
                }
                4 => vec![first, (n + 3, today(other)), (n + 3, Act::Hold { lift: false })],
                _ => return could_not_wait(n, Planned { days_ahead: 0, ..planned }, found),
            };
            [course, after].concat()
        },
    )
}

/// One command, or several in one go.
fn any_stretch() -> impl Strategy<Value = Vec<Step>> {
    let hours = prop_oneof![3 => Just(0_i64), 3 => 0..200_i64, 1 => 0..4000_i64];
    let acts = prop_oneof![
        6 => (1..VISITS, any_act()).prop_map(|(visit, act)| vec![(visit, act)]),
        1 => any_course(),
    ];
    (hours, acts).prop_map(|(hours, acts)| {
        let step = |(at, (visit, act))| Step { hours: if at == 0 { hours } else { 0 }, visit, act };
        acts.into_iter().enumerate().map(step).collect()
    })
}

pub(super) fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    vec(any_stretch(), 1..50).prop_map(|stretches| stretches.concat())
}

fn share(items: u8, pair: usize) -> Share {
    let listed = FIELDS.iter().enumerate();
    let listed = listed.filter(|(at, _)| items & (1 << at) != 0);
    let items = listed.map(|(_, (id, _))| item(id)).collect();
    Share { officers: officers(pair, 2), items }
}

fn plan(n: u8, planned: &Planned, today: Date) -> Plan {
    let Planned { ground, days_ahead, items, pair, joint, justified, recheck_of } = planned;
    let Share { officers, items } = share(*items, *pair);
    let other = |items: u8| (unit_of(n + 1), share(items, pair + 2));
    Plan {
        visit: visit(n),
        unit: unit_of(n),
        officers,
        items,
        shares: joint.map(other).into_iter().collect(),
        ground: *ground,
        evidence: Some(reference("12345-20250301-0077")),
        justification: justified.then(|| reference("大政办批〔2025〕7号")),
        on_site_reason: None,
        campaign: None,
        recheck_of: recheck_of.map(visit),
        on: today.saturating_add(days_ahead.days()),
    }
}

/// Where a command is given: when, on which day, as the how-manieth, and what is known of its visit.
pub(super) struct Place<'a> {
    pub(super) at: Timestamp,
    pub(super) today: Date,
    pub(super) nth: u64,
    pub(super) known: Option<&'a Visit>,
}

impl Place<'_> {
    /// A scan of two officers, or one, that happened so many hours ago.
    fn scan(&self, pair: usize, few: bool, hours_ago: i64, manner: Manner, code: u64) -> CheckIn {
        CheckIn {
            officers: officers(pair, if few { 1 } else { 2 }),
            occurred_at: self.at - SignedDuration::from_hours(hours_ago),
            manner,
            proof: Proof::RotatingCode { code: CodeId(Uuid::from_u128(u128::from(code))) },
            place: None,
        }
    }

    /// What one unit of the visit found on its items.
    fn results(&self, unit: &UnitId, found: u8) -> Vec<ItemResult> {
        let outcome = match found {
            0 => Outcome::Pass,
            1 => Outcome::CaseFiled,
            _ => Outcome::RectifyBy(self.today.saturating_add(20.days())),
        };
        let share = self.known.and_then(|known| known.shares.get(unit));
        let items = share.into_iter().flat_map(|share| share.items.iter().cloned());
        items.map(|item| ItemResult { item, outcome, unmet: [].into() }).collect()
    }

    /// The item that is to be rectified, or any.
    fn open(&self) -> ItemId {
        let mut open = self.known.into_iter().flat_map(|known| known.rectifications.keys());
        open.next().map_or_else(|| item("SC-0101"), |(_, item)| item.clone())
    }
}

/// Two records of one device on a visit, in whichever order.
fn records(n: u8, nth: u64, check_in: CheckIn, plan: Option<Plan>, out_first: bool) -> Vec<Kept> {
    let occurred_at = check_in.occurred_at + SignedDuration::from_mins(30);
    let kept = |counter, what| Kept {
        device: DeviceId(Uuid::from_u128(77)),
        counter,
        unit: unit_of(n),
        enterprise: EnterpriseId::parse("L-1").unwrap(),
        visit: visit(n),
        what,
        doubts: [].into(),
    };
    let came = kept(2 * nth + 1, What::CheckedIn { check_in, improvised: plan });
    let left = kept(2 * nth + 2, What::CheckedOut { occurred_at });
    if out_first { vec![left, came] } else { vec![came, left] }
}

/// The command of a step.
pub(super) fn command(step: &Step, there: &Place<'_>) -> Command {
    let Step { visit: n, act, .. } = step;
    let (visit, appeal) = (visit(*n), AppealId(Uuid::from_u128(u128::from(*n))));
    let by = |other: bool| unit_of(if other { n + 1 } else { *n });
    let made = |planned: &Planned| plan(*n, planned, there.today);
    let unit = by(false);
    match act {
        Act::Plan(planned) => Command::Plan(made(planned)),
        Act::Approve { by_other } => Command::Approve { visit, unit: by(*by_other) },
        Act::Notify => Command::Notify { visit, unit },
        Act::Merge { into } => Command::Merge { visit, into: self::visit(*into), unit },
        Act::CheckIn { pair, few, hours_ago, how, improvised } => {
            let (manner, code) = match how {
                How::Live => (Manner::Live, there.nth + 100),
                How::Replayed => (Manner::Live, 1),
                How::Entered => (Manner::Stated, there.nth + 100),
            };
            let check_in = there.scan(*pair, *few, *hours_ago, manner, code);
            Command::CheckIn { visit, unit, check_in, improvised: improvised.as_ref().map(made) }
        }
        Act::Admit => {
            let code = CodeId(Uuid::from_u128(u128::from(there.nth + 100)));
            Command::Admit { visit, code, place: None, units: [].into() }
        }
        Act::Refuse => Command::Refuse { visit, reason: RefusalReason::TooOften, shown: true },
        Act::TakeIn { hours_ago, out_first, improvised } => {
            let device = DeviceId(Uuid::from_u128(77));
            let manner = Manner::Kept { device, counter: 2 * there.nth + 1 };
            let scan = there.scan(0, false, *hours_ago + 1, manner, there.nth + 100);
            let plan = improvised.as_ref().map(made);
            Command::TakeIn { records: records(*n, there.nth, scan, plan, *out_first) }
        }
        Act::CheckOut => Command::CheckOut { visit, unit, occurred_at: there.at },
        Act::Report { found, by_other } => {
            let unit = by(*by_other);
            let results = there.results(&unit, *found);
            Command::ReportResult { visit, unit, results }
        }
        Act::Tell => Command::Tell { visit, unit, document: reference("告知书〔2025〕3号") },
        Act::Accept { by_other } => {
            Command::AcceptRectification { visit, unit: by(*by_other), item: there.open() }
        }
        Act::Cancel { by_other } => {
            Command::Cancel { visit, unit: by(*by_other), reason: CancelReason::TaskWithdrawn }
        }
        Act::Expire => Command::Expire { visit },
        Act::TakeSteps { clock } => Command::TakeSteps { clock: ClockId(*clock) },
        Act::MarkOverdue => Command::MarkOverdue { visit, unit, item: there.open() },
        Act::Hold { lift: true } => Command::LiftHold { appeal },
        Act::Hold { lift: false } => Command::Hold { visit, appeal },
    }
}

/// A plan with anything wrong or missing, in a context where anything may be missing.
pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    let defects = (option::weighted(0.1, -9..600_i32), 0..9_u8, 0..14_u8);
    (1..9_u8, any_planned(), defects).prop_map(|(n, planned, (days, paper, listed))| {
        let mut plan = plan(n, &planned, day("2025-03-03"));
        if let Some(days) = days {
            plan.on = day("2025-03-03").saturating_add(days.days());
        }
        if paper == 0 {
            plan.evidence = None;
        }
        let other = plan.shares.values_mut().next();
        match (listed, other) {
            (0, _) => plan.items = [item("SC-9999")].into(),
            (1, _) => plan.items = FewSet::new(),
            (2, _) => plan.officers = officers(0, 1),
            (3, _) => plan.officers = officers(90, 2),
            (4, _) => plan.unit = unit("customs"),
            (5, Some(share)) => share.items = [item("SC-9999")].into(),
            (6, Some(share)) => share.items = FewSet::new(),
            (7, Some(share)) => share.officers = officers(0, 1),
            (8, Some(share)) => share.officers = officers(90, 2),
            _ => {}
        }
        plan
    })
}
