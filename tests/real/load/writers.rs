//! Writers that go on whatever is killed, and send the same command again until they know what became of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doudi_api::proto::{Ground, PlanVisitRequest, PlanVisitResponse, SubmitAppealRequest};
use doudi_server::client::Client;
use doudi_tests::until;
use tokio::{task::JoinHandle, time::interval};
use tonic::{Response, Status};

use super::{
    super::{
        requests::{accept, approve, backfilled, in_days, now, plan, submit, tax_share},
        views::killed::Chance,
    },
    Acked, BOUND, ENTERPRISES, Enterprise, People, open,
};

const WRITERS: usize = 4;
/// How often each writer begins something.
const PACE: Duration = Duration::from_millis(150);

/// Writers at work.
pub(in crate::real) struct Writers {
    pub(in crate::real) acked: Acked,
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

impl Writers {
    pub(in crate::real) fn start(people: &People, chance: &mut Chance) -> Self {
        let (acked, stop) = (Acked::default(), Arc::new(AtomicBool::new(false)));
        let writer = |_| {
            let (people, mut chance) = (people.clone(), chance.split());
            let (acked, stop) = (acked.clone(), stop.clone());
            tokio::spawn(async move {
                let mut pace = interval(PACE);
                while !stop.load(Ordering::Relaxed) {
                    pace.tick().await;
                    something(&people, &mut chance, &acked).await;
                }
            })
        };
        let writers = (0..WRITERS).map(writer).collect();
        Self { acked, stop, writers }
    }

    /// Lets the writers end what they began.
    pub(in crate::real) async fn stop(self) -> Acked {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap();
        }
        self.acked
    }
}

/// One last visit once nobody else writes; answers with the position that is the end of the log.
pub(in crate::real) async fn last(people: &People, acked: &Acked) -> String {
    let planned = planned(&people.market, tomorrow(ENTERPRISES[0].0), acked).await;
    planned.receipt.unwrap().position
}

/// A visit on the day after, so that it can still be planned when the answer to the first try came before midnight
/// and that to the last one after it.
fn tomorrow(enterprise: &str) -> PlanVisitRequest {
    let planned_on = Some(in_days(1));
    PlanVisitRequest { planned_on, ..plan(enterprise, Ground::Complaint) }
}

/// An appeal that is accepted, a visit of one unit or of two that is approved, or one that is recorded late.
async fn something(people: &People, chance: &mut Chance, acked: &Acked) {
    let all = people.enterprises.len() as u64;
    let enterprise = &people.enterprises[usize::try_from(chance.up_to(all)).unwrap() - 1];
    let visit = tomorrow(&enterprise.id);
    match chance.up_to(5) {
        1 => appealed(people, enterprise, acked).await,
        2 => visited(&people.market, visit, acked).await,
        3 => came(&people.tax, &enterprise.id, acked).await,
        4 => {
            let share = tax_share();
            let own = PlanVisitRequest { officers: share.officers, items: share.items, ..visit };
            visited(&people.tax, own, acked).await;
        }
        _ => {
            let joint = PlanVisitRequest { shares: vec![tax_share()], ..visit };
            visited(&people.market, joint, acked).await;
        }
    }
}

async fn appealed(people: &People, enterprise: &Enterprise, acked: &Acked) {
    let Enterprise { id, area, own } = enterprise;
    let request = SubmitAppealRequest { area: (*area).to_owned(), ..submit(id, "T06", "") };
    let submitted = answered(&request.command_id, acked, || {
        let (mut own, request) = (own.appeals.clone(), request.clone());
        async move { own.submit_appeal(request).await }
    });
    let request = accept(id, &submitted.await.appeal_id);
    let accepted = answered(&request.command_id, acked, || {
        let (mut desk, request) = (people.dispatcher.appeals.clone(), request.clone());
        async move { desk.accept_appeal(request).await }
    });
    accepted.await;
}

async fn visited(unit: &Client, visit: PlanVisitRequest, acked: &Acked) {
    let enterprise = visit.enterprise_id.clone();
    let request = approve(&enterprise, &planned(unit, visit, acked).await.visit_id);
    let approved = answered(&request.command_id, acked, || {
        let (mut head, request) = (unit.inspections.clone(), request.clone());
        async move { head.approve_visit(request).await }
    });
    approved.await;
}

async fn planned(unit: &Client, request: PlanVisitRequest, acked: &Acked) -> PlanVisitResponse {
    let planned = answered(&request.command_id, acked, || {
        let (mut head, request) = (unit.inspections.clone(), request.clone());
        async move { head.plan_visit(request).await }
    });
    planned.await
}

/// The tax bureau's officers came unplanned: several events in one commit.
async fn came(tax: &Client, enterprise: &str, acked: &Acked) {
    let request = backfilled(enterprise, now());
    let came = answered(&request.command_id, acked, || {
        let (mut head, request) = (tax.inspections.clone(), request.clone());
        async move { head.backfill_check_in(request).await }
    });
    came.await;
}

/// Sends a command until its outcome is known, and takes note that it was carried out.
async fn answered<A, F>(command: &str, acked: &Acked, call: impl Fn() -> F) -> A
where
    F: Future<Output = Result<Response<A>, Status>>,
{
    let outcome = until(BOUND, || async {
        let answer = call().await;
        if answer.as_ref().is_err_and(open) { None } else { Some(answer) }
    });
    let answer = outcome.await.expect("a definite answer in time");
    let answer = answer.expect("nothing that is refused").into_inner();
    acked.lock().unwrap().insert(command.to_owned());
    answer
}
