//! One case as of earlier: what was said of it and of its joint diagnosis in the course of its life is said of it
//! again, to those who may see it now.

use doudi_api::proto::{
    AsOf, DayKind, ExplainDeadlineRequest, ExplainDeadlineResponse, GetAppealResponse,
    GetDiagnosisRequest, GetDiagnosisResponse, GetTimeLedgerRequest, GetTimeLedgerResponse,
    RuleOnContestRequest, Stance, as_of::Moment,
};
use doudi_tests::until;
use jiff::{SignedDuration, Timestamp};

use super::{
    deadlines::four_days,
    diagnosis::{PANEL, conclusion, convened, opinion},
    *,
};
use crate::real::requests::{at, between, now, stamp};

const ENTERPRISE: &str = "L-1";
/// The unit that handles what is submitted on `T06`.
const LEAD: &str = "power-supply";

/// What is said of a case: how it stands, why its next step is due by then, who had it how long. Of a refusal,
/// the reason.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    appeal: Result<GetAppealResponse, String>,
    deadline: Result<ExplainDeadlineResponse, String>,
    ledger: Result<GetTimeLedgerResponse, String>,
}

/// The answer, or the reason of the refusal.
fn told<T>(answer: Result<Response<T>, Status>) -> Result<T, String> {
    answer.map(Response::into_inner).map_err(|status| reason(&status))
}

async fn said(client: &Client, case: &Case, as_of: Option<AsOf>) -> Said {
    macro_rules! about {
        ($request:ident) => {
            $request {
                enterprise_id: case.enterprise.clone(),
                appeal_id: case.appeal.clone(),
                as_of: as_of.clone(),
                ..Default::default()
            }
        };
    }
    let (mut appeals, mut cases) = (client.appeals.clone(), client.cases.clone());
    Said {
        appeal: told(appeals.get_appeal(about!(GetAppealRequest)).await),
        deadline: told(cases.explain_deadline(about!(ExplainDeadlineRequest)).await),
        ledger: told(cases.get_time_ledger(about!(GetTimeLedgerRequest)).await),
    }
}

impl Said {
    fn refused(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { appeal: Err(reason.clone()), deadline: Err(reason.clone()), ledger: Err(reason) }
    }

    /// The position of the last change.
    fn position(&self) -> String {
        self.appeal.as_ref().unwrap().position.clone()
    }

    /// The working time in seconds that the case has taken.
    fn age(&self) -> u64 {
        self.ledger.as_ref().unwrap().age_working_seconds
    }

    /// All of it but how long the case has been with whom it is with, which goes by the very instant.
    fn lasting(&self) -> Self {
        let mut said = self.clone();
        let ledger = said.ledger.as_mut().unwrap();
        ledger.age_working_seconds = 0;
        ledger.entries.last_mut().unwrap().working_seconds = 0;
        said
    }
}

/// What was said, and an instant before and one after it with no record between them.
#[derive(Debug)]
struct Memory {
    before: Timestamp,
    said: Said,
    after: Timestamp,
}

impl Memory {
    async fn of(client: &Client, case: &Case) -> Self {
        let before = now();
        let said = said(client, case, None).await;
        Self { before, said, after: between().await }
    }

    /// Asks as of the last change and as of both instants, by what was known and by what was so.
    async fn is_said_again(&self, client: &Client, case: &Case) {
        let [before, after] = [self.before, self.after].map(stamp);
        for (first, last) in [
            (Moment::Position(self.said.position()), Moment::RecordedAt(after)),
            (Moment::RecordedAt(before), Moment::RecordedAt(after)),
            (Moment::OccurredAt(before), Moment::OccurredAt(after)),
        ] {
            let first = said(client, case, at(first)).await;
            let last = said(client, case, at(last)).await;
            assert_eq!(first.lasting(), self.said.lasting());
            assert_eq!(last.lasting(), self.said.lasting());
            let ages = first.age()..=last.age();
            assert!(ages.contains(&self.said.age()), "{ages:?}: {:?}", self.said);
        }
    }
}

/// Asks each side, and remembers what it is told.
async fn look<'a>(sides: &'a [Client], case: &Case, memories: &mut Vec<(&'a Client, Memory)>) {
    for side in sides {
        memories.push((side, Memory::of(side, case).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_a_case_in_the_course_of_its_life_is_said_of_it_again() {
    let world = World::start().await;
    world.publish(four_days(DayKind::Workday)).await;
    let early = stamp(between().await);
    let sides = [world.role(Role::Auditor), world.enterprise(ENTERPRISE)];
    let (auditor, mut memories) = (&sides[0], vec![]);
    let case = Case::submit(&world, submission(ENTERPRISE, "T06")).await;
    look(&sides, &case, &mut memories).await;
    case.accept(&world).await;
    look(&sides, &case, &mut memories).await;
    case.dispatch(&world, "").await;
    look(&sides, &case, &mut memories).await;
    case.sign(&world, LEAD).await;
    case.ask(&world, LEAD, "tax").await;
    let aged = until(BOUND, || async {
        let ledger = said(auditor, &case, None).await;
        (ledger.age() >= 2).then_some(())
    });
    aged.await.expect("a case gets older");
    look(&sides, &case, &mut memories).await;
    case.resolve(&world, LEAD).await;
    look(&sides, &case, &mut memories).await;
    case.close(&world).await;
    look(&sides, &case, &mut memories).await;

    // By the calendar that is in force from now on nobody has worked.
    world.publish(four_days(DayKind::Holiday)).await;
    assert_eq!(said(auditor, &case, None).await.age(), 0);
    for (side, memory) in &memories {
        memory.is_said_again(side, &case).await;
    }
    let (side, closed) = memories.last().unwrap();
    assert!(closed.said.age() >= 2);
    let again = said(side, &case, at(Moment::Position(closed.said.position()))).await;
    assert_eq!(again, closed.said, "a closed case grows no older");

    let tomorrow = stamp(now() + SignedDuration::from_hours(24));
    for (moment, refused) in [
        (Moment::RecordedAt(early), "APPEAL_UNKNOWN"),
        (Moment::OccurredAt(early), "APPEAL_UNKNOWN"),
        (Moment::RecordedAt(tomorrow), "IN_FUTURE"),
        (Moment::OccurredAt(tomorrow), "IN_FUTURE"),
        (Moment::Position("AQAAAAAAD0JA".to_owned()), "POSITION_AHEAD"),
        (Moment::Position("AQAAAP________".to_owned()), "POSITION_INVALID"),
    ] {
        assert_eq!(said(auditor, &case, at(moment)).await, Said::refused(refused));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_a_case_then_is_told_nothing_of_it_and_who_has_it_now_what_was_said_then() {
    let world = World::start().await;
    let strict = confidential(ENTERPRISE, "T13", Confidentiality::Strict);
    let case = Case::submit(&world, strict).await;
    case.accept(&world).await;
    let then = case.dispatch(&world, "").await;
    let (former, present) = (world.unit("port-office"), world.unit("tax"));
    let live = said(&former, &case, None).await;
    assert_eq!(live.position(), then);
    assert_eq!(said(&present, &case, None).await, Said::refused("APPEAL_UNKNOWN"));

    case.contest(&world, "port-office", "tax").await;
    let ruling = request!(RuleOnContestRequest, case, to_unit: "tax".to_owned());
    world.role(Role::Dispatcher).appeals.rule_on_contest(ruling).await.unwrap();
    let as_of = at(Moment::Position(then));
    let again = said(&former, &case, as_of.clone()).await;
    assert_eq!(again, Said::refused("APPEAL_UNKNOWN"));
    let again = said(&present, &case, as_of).await;
    assert_eq!(again.lasting(), live.lasting());
    world.stop().await;
}

async fn of_diagnosis(
    client: &Client,
    case: &Case,
    id: &str,
    as_of: Option<AsOf>,
) -> Result<GetDiagnosisResponse, String> {
    let request = GetDiagnosisRequest {
        enterprise_id: case.enterprise.clone(),
        diagnosis_id: id.to_owned(),
        as_of,
        ..Default::default()
    };
    told(client.diagnoses.clone().get_diagnosis(request).await)
}

/// What is said of a joint diagnosis once it is at that version, which it does not leave by itself, and an instant
/// after that.
async fn remembered(
    client: &Client,
    case: &Case,
    id: &str,
    version: u64,
) -> (GetDiagnosisResponse, Timestamp) {
    let said = until(BOUND, || async {
        let said = of_diagnosis(client, case, id, None).await.ok();
        said.filter(|said| said.version == version)
    });
    (said.await.expect("it comes so far"), between().await)
}

/// The same without what somebody wrote.
fn without_texts(mut said: GetDiagnosisResponse) -> GetDiagnosisResponse {
    let diagnosis = said.diagnosis.as_mut().unwrap();
    diagnosis.question.clear();
    diagnosis.conclusion.clear();
    diagnosis.opinions.iter_mut().for_each(|opinion| opinion.text.clear());
    diagnosis.orders.iter_mut().for_each(|order| order.task.clear());
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_a_joint_diagnosis_is_said_of_it_again_but_what_was_erased_since() {
    let world = World::start().await;
    let case = Case::guaranteed(&world, ENTERPRISE).await;
    let early = stamp(between().await);
    let id = convened(&world, &case).await;
    let [mut market, mut power, tax] = PANEL.map(|unit| world.unit(unit));
    let mut memories = vec![remembered(&tax, &case, &id, 1).await];
    let support = opinion(&case, &id, Stance::Support, "同意");
    market.diagnoses.give_opinion(support).await.unwrap();
    memories.push(remembered(&tax, &case, &id, 2).await);
    let dissent = opinion(&case, &id, Stance::Dissent, "应由企业自行处理");
    power.diagnoses.give_opinion(dissent).await.unwrap();
    memories.push(remembered(&tax, &case, &id, 3).await);
    let mut guarantee = world.unit(GUARANTEE);
    let concluded = guarantee.diagnoses.conclude_diagnosis(conclusion(&case, &id)).await.unwrap();
    let concluded = left(concluded.into_inner().receipt);
    // Its orders were delivered and its rule was published.
    memories.push(remembered(&tax, &case, &id, 6).await);

    for (said, instant) in &memories {
        let instant = stamp(*instant);
        for moment in [
            Moment::Position(said.position.clone()),
            Moment::RecordedAt(instant),
            Moment::OccurredAt(instant),
        ] {
            let again = of_diagnosis(&tax, &case, &id, at(moment)).await.unwrap();
            assert_eq!(again, *said);
        }
    }
    let again = of_diagnosis(&tax, &case, &id, at(Moment::Position(concluded))).await.unwrap();
    let diagnosis = again.diagnosis.unwrap();
    assert_eq!((again.version, diagnosis.concluded, diagnosis.routing_version), (4, true, 0));
    let unknown = Err("DIAGNOSIS_UNKNOWN".to_owned());
    assert_eq!(of_diagnosis(&tax, &case, &id, at(Moment::RecordedAt(early))).await, unknown);
    let then = at(Moment::Position(memories[0].0.position.clone()));
    assert_eq!(of_diagnosis(&world.unit("gas"), &case, &id, then).await, unknown);

    case.erase(&world).await;
    for (said, _) in &memories {
        let position = Moment::Position(said.position.clone());
        let again = of_diagnosis(&tax, &case, &id, at(position)).await.unwrap();
        assert_eq!(again, without_texts(said.clone()));
    }
    world.stop().await;
}
