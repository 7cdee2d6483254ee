//! The loop of the simulated year: what falls into the same ten minutes is done at once, in turn at each
//! enterprise, and the log says what came of it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use doudi_domain::{
    CheckDigit, Decider, EnterpriseId, Name, UnitId, VisitId, appeal, device, diagnosis,
    draw::RatioTable,
    enterprise, policy,
    visits::{self, Visits},
};
use doudi_engine::{Position, streams};
use doudi_journal::Record;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use super::{
    Plan,
    deeds::{Deed, Hand, Named, Note, Tally},
    devices::{Devices, Door},
    intentions,
    people::{Next, Scene},
    register::Register,
    summary,
};
use crate::simulate::{
    SimulateError,
    agenda::{Agenda, decoded},
    chance::Chance,
    memories::Memories,
    step,
};

/// Records read at a time.
const PAGE: usize = 1000;
/// What falls into as much time is done at once.
const TICK: SignedDuration = SignedDuration::from_mins(10);
/// Enterprises at which something is done at once.
const AT_ONCE: usize = 64;
/// How long after the last day on which somebody sets out time still runs.
const AFTER: SignedDuration = SignedDuration::from_hours(24 * 120);
/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// The simulated year.
pub(super) struct Year {
    hand: Hand,
    plan: Plan,
    register: Register,
    chance: Chance,
    devices: Devices,
    happenings: BTreeMap<(Timestamp, u64), Deed>,
    numbered: u64,
    agenda: Agenda,
    read: Position,
    places: HashMap<EnterpriseId, usize>,
    hung: HashMap<EnterpriseId, String>,
    pub(super) visits: HashMap<EnterpriseId, Visits>,
    pub(super) draws: u64,
    pub(super) campaigns: u64,
    /// Visits that overshot a limit though nothing had happened yet.
    pub(super) overshot: u64,
    pub(super) tally: Tally,
    pub(super) memories: Memories,
}

impl Year {
    pub(super) fn of(
        hand: Hand,
        plan: Plan,
        table: RatioTable,
        grace_days: u16,
        memories: Memories,
    ) -> Result<Self, SimulateError> {
        let register = Register::of(plan.seed, plan.enterprises)?;
        let grace = SignedDuration::from_hours(24 * i64::from(grace_days));
        let places = register.enterprises.iter().enumerate();
        let mut year = Self {
            hand,
            plan,
            chance: Chance::from_seed(plan.seed),
            devices: Devices::default(),
            happenings: BTreeMap::new(),
            numbered: 0,
            agenda: Agenda::with_grace(grace),
            read: Position::START,
            places: places.map(|(at, enterprise)| (enterprise.id.clone(), at)).collect(),
            hung: HashMap::new(),
            visits: HashMap::new(),
            draws: 0,
            campaigns: 0,
            overshot: 0,
            tally: Tally::default(),
            memories,
            register,
        };
        let (register, seed) = (&year.register, plan.seed);
        let mut next = vec![];
        for enterprise in &register.enterprises {
            next.extend(intentions::at(register, seed, enterprise)?);
        }
        let draws = intentions::draws(register, seed, table)?;
        let campaigns = intentions::campaigns(register, seed)?;
        let count = |next: &[Next], is: fn(&Deed) -> bool| {
            next.iter().filter(|(_, deed)| is(deed)).count() as u64
        };
        year.draws = count(&draws, |deed| {
            matches!(deed, Deed::Draw(_, doudi_domain::draw::Command::Make { .. }))
        });
        year.campaigns = count(&campaigns, |deed| {
            matches!(deed, Deed::Campaign(_, doudi_domain::campaign::Command::Publish { .. }))
        });
        next.into_iter().chain(draws).chain(campaigns).for_each(|next| year.put(next));
        Ok(year)
    }

    fn put(&mut self, (at, deed): Next) {
        self.numbered += 1;
        self.happenings.insert((at, self.numbered), deed);
    }

    /// On the first day everything is published, enrolled and registered.
    pub(super) async fn begin(&mut self) -> Result<(), SimulateError> {
        let first = self.happenings.keys().next().map(|(at, _)| *at);
        let first = first.ok_or_else(|| step("nobody means to do anything"))?;
        self.hand.hands.set(first - SignedDuration::from_hours(1));
        let mut deeds = vec![];
        for document in &self.register.documents {
            let name = document.name();
            let draft = policy::Command::Draft(document.clone());
            deeds.push(Deed::Policy(name.clone(), draft));
            deeds.push(Deed::Policy(name, policy::Command::Publish { version: 1 }));
        }
        let units: Vec<UnitId> =
            self.register.catalogues.iter().map(|catalogue| catalogue.unit.clone()).collect();
        for unit in &units {
            deeds.extend(self.devices.issue(unit, &mut self.chance)?);
        }
        // Nobody is registered before the areas are known.
        self.act(deeds).await?;
        let issuer = units.first().cloned().ok_or_else(|| step("no unit may inspect"))?;
        let mut deeds = vec![];
        for enterprise in &self.register.enterprises {
            let register = enterprise::Command::Register {
                name: Name::parse("示例企业（模拟）").map_err(step)?,
                area: enterprise.area.clone(),
                check_digit: CheckDigit::Correct,
            };
            deeds.push(Deed::Profile(enterprise.id.clone(), register));
            deeds.extend(enterprise.grade.map(|grade| {
                let (issuer, assessed_on) = (issuer.clone(), intentions::FIRST);
                let assess = enterprise::Command::AssessCreditGrade {
                    grade,
                    issuer,
                    assessed_on,
                    valid_until: None,
                };
                Deed::Profile(enterprise.id.clone(), assess)
            }));
        }
        self.act(deeds).await
    }

    /// Lets the year pass, and the time in which what was begun comes to an end.
    pub(super) async fn pass(&mut self) -> Result<(), SimulateError> {
        let ends = |key: Option<&(Timestamp, u64)>| key.map_or(Timestamp::MIN, |(at, _)| *at);
        let (begin, last) =
            (ends(self.happenings.keys().next()), ends(self.happenings.keys().next_back()));
        let end = last + AFTER;
        let days = |from: Timestamp, to: Timestamp| {
            u64::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(0)
        };
        let style = "{msg} {wide_bar} day {pos} of {len}, {elapsed} gone";
        let bar = ProgressBar::new(days(begin, end))
            .with_style(ProgressStyle::with_template(style).map_err(step)?)
            .with_message("a year of inspections");
        bar.enable_steady_tick(DRAWN_EVERY);
        loop {
            self.listen().await?;
            let person = self.happenings.keys().next().map(|(at, _)| *at);
            let Some(first) = person.into_iter().chain(self.agenda.next()).min() else {
                break;
            };
            if first > end {
                break;
            }
            // The agenda may hold what was due long ago.
            let now = (first + TICK).max(self.hand.hands.clock().now());
            self.hand.hands.set(now);
            bar.set_position(days(begin, now));
            let deeds = self.due(now)?;
            self.act(deeds).await?;
            self.memories.look(now).await?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// What is to be done by now, in the order of its instants.
    fn due(&mut self, now: Timestamp) -> Result<Vec<Deed>, SimulateError> {
        let mut due = vec![];
        while let Some(duty) = self.agenda.take_due(now) {
            due.push((duty.at, Deed::Duty(Box::new(duty))));
        }
        while let Some(first) = self.happenings.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), deed) = first.remove_entry();
            if let Deed::Keep(enterprise, visit, note) = deed {
                self.keep(&enterprise, visit, note, at)?;
            } else if let Deed::Send(unit, number) = deed {
                let uploads = self.devices.send(&unit, number, &mut self.chance);
                due.extend(uploads.into_iter().map(|upload| (at, upload)));
            } else {
                due.push((at, deed));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        Ok(due.into_iter().map(|(_, deed)| deed).collect())
    }

    /// A device of the unit that leads writes down what happened at the door.
    fn keep(
        &mut self,
        enterprise: &EnterpriseId,
        visit: VisitId,
        note: Note,
        at: Timestamp,
    ) -> Result<(), SimulateError> {
        let Some(visit) = self.visits.get(enterprise).and_then(|all| all.get(visit)) else {
            return Ok(());
        };
        let door = Door {
            enterprise,
            visit: visit.plan.visit,
            officers: visit.officers().iter().map(ToString::to_string).collect(),
            code: self.hung.get(enterprise).cloned(),
        };
        self.devices.keep(&visit.plan.unit, door, note, at)
    }

    /// Does it all, in turn at each place.
    async fn act(&mut self, deeds: Vec<Deed>) -> Result<(), SimulateError> {
        let mut places: BTreeMap<String, Vec<Named>> = BTreeMap::new();
        for deed in deeds {
            places.entry(deed.place()).or_default().push((self.chance.id(), deed));
        }
        let hand = &self.hand;
        let done = stream::iter(places.into_values()).map(|deeds| hand.take_turns(deeds));
        let done: Vec<Tally> = done.buffer_unordered(AT_ONCE).try_collect().await?;
        for tally in done {
            self.tally.add(tally);
        }
        self.hung.extend(std::mem::take(&mut self.tally.hung));
        Ok(())
    }

    /// Takes in what is new in the log.
    async fn listen(&mut self) -> Result<(), SimulateError> {
        loop {
            let journal = self.hand.engines[0].journal();
            let records = journal.read(self.read, PAGE).await.map_err(step)?;
            for record in &records {
                self.read = record.position;
                self.hear(record)?;
            }
            if records.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn hear(&mut self, record: &Record) -> Result<(), SimulateError> {
        let commit = record.commit().map_err(step)?;
        match record.stream.kind() {
            "visits" => {
                let events: Vec<visits::Event> = decoded(&commit)?;
                self.agenda.note(record, &commit, &events);
                self.hear_of_visits(record, &events)?;
            }
            "appeal" => self.agenda.note(record, &commit, &decoded::<appeal::Event>(&commit)?),
            "diagnosis" => {
                self.agenda.note(record, &commit, &decoded::<diagnosis::Event>(&commit)?);
            }
            "device" => self.agenda.note(record, &commit, &decoded::<device::Event>(&commit)?),
            _ => {}
        }
        Ok(())
    }

    fn hear_of_visits(
        &mut self,
        record: &Record,
        events: &[visits::Event],
    ) -> Result<(), SimulateError> {
        let enterprise = streams::owner(&record.stream);
        let at = enterprise.and_then(|enterprise| self.places.get(&enterprise));
        let enterprise = at.and_then(|at| self.register.enterprises.get(*at));
        let enterprise = enterprise.ok_or_else(|| step("a visit to nobody"))?;
        let known = self.visits.entry(enterprise.id.clone()).or_default();
        *known = events.iter().fold(std::mem::take(known), Visits::evolve);
        let mut next = vec![];
        for event in events {
            let about = if let visits::Event::VisitsMerged { into, .. } = event {
                *into
            } else {
                event.visit()
            };
            let Some(visit) = known.get(about) else { continue };
            self.overshot += u64::from(summary::overshoots(event, visit));
            let turn = format!("{event:?}");
            let mut scene = Scene {
                register: &self.register,
                enterprise,
                visits: known,
                now: self.hand.hands.clock().now(),
                chance: Chance::of(self.plan.seed, visit.plan.visit.0, &turn),
                next: vec![],
            };
            scene.follows(event, visit)?;
            next.append(&mut scene.next);
        }
        next.into_iter().for_each(|next| self.put(next));
        Ok(())
    }
}
