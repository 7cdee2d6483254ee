//! What the tables said in the course of a simulated year, asked again at its end as of then.

use std::time::Duration;

use doudi_domain::{EnterpriseId, UnitId, calendar::civil_date};
use doudi_views::{
    AsOf, Fresh, PAGE_MAX, Scope, ViewError, alerts, appeals, inbox, measures, page, ratings,
    timeline, visits,
};
use jiff::{SignedDuration, Timestamp};

use super::{SimulateError, boards, step};
use crate::parts::Parts;

/// How often something is asked.
const EVERY: SignedDuration = SignedDuration::from_hours(24 * 15);
/// How long the tables may take to come to the end of the log.
const WITHIN: Duration = Duration::from_secs(60);

/// What was said, and when.
#[derive(Debug)]
struct Memory {
    now: Timestamp,
    position: doudi_engine::Position,
    said: Vec<String>,
}

/// What was said in the course of the year.
pub(super) struct Memories {
    parts: Parts,
    memories: Vec<Memory>,
}

impl Memories {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, memories: vec![] }
    }

    /// Asks, unless that was done lately.
    pub(super) async fn look(&mut self, now: Timestamp) -> Result<(), SimulateError> {
        let last = self.memories.last().map(|memory| memory.now);
        if last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return Ok(());
        }
        let position = self.parts.journal.last_position().await.map_err(step)?;
        let said = self.ask(now, Fresh::at(position, WITHIN)).await.map_err(step)?;
        self.memories.push(Memory { now, position, said });
        Ok(())
    }

    /// Asks everything again as of then, and says how much there was.
    pub(super) async fn compare(&self) -> Result<(), SimulateError> {
        for Memory { now, position, said } in &self.memories {
            let fresh = Fresh::at(*position, WITHIN).as_of(Some(AsOf::Recorded(*position)));
            let again = self.ask(*now, fresh).await.map_err(step)?;
            if *said != again {
                eprintln!("said at {position}: {said:#?}\nsaid of {position}: {again:#?}");
                return Err(SimulateError::Forgotten(position.0));
            }
        }
        let answers: usize = self.memories.iter().map(|memory| memory.said.len()).sum();
        let times = self.memories.len();
        println!("{answers} answers of {times} earlier positions asked for again: 0 differ");
        if let Some(Memory { now, position, .. }) = self.memories.last() {
            let fresh = Fresh::at(*position, WITHIN).as_of(Some(AsOf::Recorded(*position)));
            boards::check(&self.parts.views, *now, fresh).await?;
        }
        Ok(())
    }

    async fn ask(&self, now: Timestamp, fresh: Fresh) -> Result<Vec<String>, ViewError> {
        let views = &self.parts.views;
        let mut said = vec![];
        let all = appeals::Query::all(Scope::All, PAGE_MAX);
        let appeals = views.appeals(&all, fresh).await?;
        let inbox = inbox::Filter::all(Scope::All);
        said.push(format!("{:?}", views.count_inbox(&inbox, fresh).await?));
        let due = inbox::Query { filter: inbox, after: None, limit: PAGE_MAX };
        let due = views.inbox(&due, fresh).await?;
        // Who takes part is told as of now.
        let owed = due.entries.iter().map(|entry| (entry.diagnosis, &entry.clock, &entry.row));
        said.push(format!("{:?} {:?} {}", owed.collect::<Vec<_>>(), due.next, due.position));
        let stuck = inbox::StuckQuery {
            reason: None,
            idle_since: now - SignedDuration::from_hours(24 * 10),
            area: None,
            unit: None,
            scope: Scope::All,
            after: None,
            limit: PAGE_MAX,
        };
        said.push(format!("{:?}", views.stuck(&stuck, fresh).await?));
        let (from, until) =
            (civil_date(now).saturating_sub(jiff::Span::new().days(400)), civil_date(now));
        let flow = measures::FlowQuery { from, until, area: None, scope: Scope::All };
        said.push(format!("{:?}", views.flow(&flow, fresh).await?));
        let rates = measures::RatesQuery {
            group: measures::RateGroup::Unit,
            from,
            until,
            unit: None,
            area: None,
            topic: None,
            scope: Scope::All,
        };
        said.push(format!("{:?}", views.rates(&rates, fresh).await?));
        let filter = visits::Filter::all(Scope::All);
        said.push(format!("{:?}", views.count_visits(&filter, fresh).await?));
        let order = timeline::Order::NewestFirst;
        let list = visits::Query { filter, order, after: None, limit: PAGE_MAX };
        let visits = views.visits(&list, fresh).await?;
        let alerts = alerts::Filter::all(Scope::All);
        said.push(format!("{:?}", views.count_alerts(&alerts, fresh).await?));
        let seen = visits.visits.iter().map(|row| (&row.enterprise, row.unit().clone()));
        let appealed = appeals
            .appeals
            .iter()
            .filter_map(|row| row.unit.clone().map(|unit| (&row.enterprise, unit)));
        for (enterprise, unit) in seen.take(3).chain(appealed.take(3)) {
            self.ask_of(enterprise, unit, now, fresh, &mut said).await?;
        }
        said.extend([format!("{visits:?}"), format!("{appeals:?}")]);
        said.extend(boards::ask(views, now, fresh).await?);
        Ok(said)
    }

    /// The page of an enterprise, and the ledger and the ratings of a unit.
    async fn ask_of(
        &self,
        enterprise: &EnterpriseId,
        unit: UnitId,
        now: Timestamp,
        fresh: Fresh,
        said: &mut Vec<String>,
    ) -> Result<(), ViewError> {
        let on = civil_date(now);
        let ledger = visits::ledger::Query {
            unit: unit.clone(),
            year: on.year(),
            scope: Scope::All,
            after: None,
            limit: PAGE_MAX,
        };
        said.push(format!("{:?}", self.parts.views.ledger(&ledger, fresh).await?));
        let ratings = ratings::Query { unit: unit.clone(), from: on.first_of_year(), until: on };
        said.push(format!("{:?}", self.parts.views.ratings(&ratings, fresh).await?));
        let page = page::Query {
            enterprise: enterprise.clone(),
            unit: Some(unit),
            on,
            known_only: false,
            enterprises: Scope::All,
            scope: Scope::All,
            entries_max: PAGE_MAX,
        };
        said.push(format!("{:?}", self.parts.views.enterprise_page(&page, fresh).await?));
        Ok(())
    }
}
