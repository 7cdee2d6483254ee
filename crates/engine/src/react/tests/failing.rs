//! What is in the way: streams that are damaged, entries that never leave, an agenda that lags behind
//! or does not answer.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_that_fails_holds_up_no_other_however_many_there_are() {
    let (journal, _, _) = prepared_for(100).await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let one = engine(&journal, &later);
    // More that fail than are carried out at once, all older than the one that can be done.
    for n in 10..30 {
        plan_at(&one, n, n, 6).await;
        let stream = StreamName::parse(&format!("ev.L-{n}.visits")).unwrap();
        let last = journal.load(&stream, Position::START, Position::START).await.unwrap();
        let last = last.last().unwrap().position;
        journal.append(&stream, "no commit".into(), last).await.unwrap();
    }
    plan_at(&one, 99, 99, 20).await;
    later.store(true, SeqCst);
    run_until_idle(&engine(&journal, &later), &agenda, settings()).await;
    assert_eq!(expired(&journal).await, [visit(99)]);
    // Those that fail are tried again less and less often.
    let asked = agenda.asked.load(Relaxed);
    assert!(asked < 450, "{asked} pages were asked for in 30 seconds");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_stays_although_it_was_carried_out_is_not_carried_out_without_end() {
    let (journal, _, stream) = prepared().await;
    let (later, agenda) = (Arc::new(AtomicBool::new(false)), Folded::of(&journal));
    let one = engine(&journal, &later);
    plan_one(&one, &stream, 9).await;
    // From here on the agenda never hears of anything.
    agenda.still_at.store(journal.last_position().await.unwrap().0, SeqCst);
    later.store(true, SeqCst);
    run_until_idle(&one, &agenda, settings()).await;
    assert_eq!(expired(&journal).await, [visit(9)]);
    let asked = agenda.asked.load(Relaxed);
    assert!(asked < 200, "{asked} pages were asked for in 30 seconds");
}

#[tokio::test(start_paused = true)]
async fn an_agenda_that_lags_behind_is_waited_for_and_one_that_stands_still_is_not() {
    let (journal, _, stream) = prepared().await;
    let (later, agenda) = (Arc::new(AtomicBool::new(true)), Folded::of(&journal));
    let early = engine(&journal, &Arc::default());
    plan_one(&early, &stream, 9).await;
    let planned = journal.last_position().await.unwrap();
    plan_at(&early, 5, 55, 7).await;
    let (shutdown, vault) = (watch::Sender::new(false), Vault::memory());
    agenda.still_at.store(planned.0 - 1, SeqCst);
    let one = engine(&journal, &later);
    let running = runner(&one, &agenda, &vault, settings(), &shutdown);
    pass(STANDSTILL_MAX / 2).await;
    assert_eq!((expired(&journal).await, agenda.asked.load(Relaxed)), (vec![], 0));
    // It comes nearer, and then no further.
    agenda.still_at.store(planned.0, SeqCst);
    until_expired(&journal, 1).await;
    assert_eq!(expired(&journal).await, [visit(9)]);
    agenda.still_at.store(u64::MAX, SeqCst);
    until_expired(&journal, 2).await;
    shutdown.send_replace(true);
    tokio::time::timeout(BOUND, running).await.unwrap().unwrap();
    assert_eq!(expired(&journal).await, [visit(9), visit(55)]);
}

#[tokio::test(start_paused = true)]
async fn a_duty_that_nobody_knows_how_to_carry_out_holds_up_no_other() {
    let (journal, _, stream) = prepared().await;
    let later = Arc::new(AtomicBool::new(false));
    let one = engine(&journal, &later);
    plan_one(&one, &stream, 9).await;
    later.store(true, SeqCst);
    let agenda = WithUnknown(Folded::of(&journal));
    let (shutdown, vault) = (watch::Sender::new(false), Vault::memory());
    let running = runner(&one, &agenda, &vault, settings(), &shutdown);
    until_expired(&journal, 1).await;
    shutdown.send_replace(true);
    tokio::time::timeout(BOUND, running).await.unwrap().unwrap();
}

/// The agenda with a duty at its head that stays there.
#[derive(Clone)]
struct WithUnknown(Folded);

impl Agenda for WithUnknown {
    async fn due(&self, query: &Query) -> Result<Page, AgendaError> {
        let mut page = self.0.due(query).await?;
        page.due.insert(
            0,
            Due {
                stream: StreamName::parse("ev.L-1.appeal.1").unwrap(),
                key: "conclusion".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                duty: Duty::DeliverConclusion {},
                cause: id(1),
                correlation: id(1),
                position: Position(1),
            },
        );
        Ok(page)
    }

    async fn wait_until(&self, position: Position, within: Duration) -> Position {
        self.0.wait_until(position, within).await
    }
}

/// An agenda that does not answer, or says that it cannot.
#[derive(Clone)]
struct Away {
    hangs: bool,
    asked: Arc<AtomicUsize>,
}

impl Agenda for Away {
    async fn due(&self, _: &Query) -> Result<Page, AgendaError> {
        self.asked.fetch_add(1, Relaxed);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err(AgendaError("PostgreSQL is away".into()))
    }

    async fn wait_until(&self, position: Position, _: Duration) -> Position {
        position
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_nothing_and_an_agenda_that_is_away_is_asked_now_and_then() {
    let (_, one, _) = prepared().await;
    for hangs in [true, false] {
        let agenda = Away { hangs, asked: Arc::default() };
        let (shutdown, vault) = (watch::Sender::new(false), Vault::memory());
        let running = runner(&one, &agenda, &vault, settings(), &shutdown);
        let minute = Duration::from_secs(60);
        pass(minute).await;
        shutdown.send_replace(true);
        tokio::time::timeout(Duration::from_millis(1), running).await.unwrap().unwrap();
        let asked = agenda.asked.load(Relaxed);
        assert!(if hangs { asked == 1 } else { (10..30).contains(&asked) }, "{asked}");
    }
}
