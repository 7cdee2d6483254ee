//! Every question within every shape of scope, as of now and as of then: as of the end it is answered as now,
//! nothing of an earlier time is told to who sees nothing of it now, and no list of then reads a table whole.

use std::{collections::HashSet, fs};

use doudi_domain::AppealId;
use doudi_tests::until;
use doudi_views::{
    AsOf, ViewSettings, Views, boards,
    boards::{Figure, Windows},
    deadpool_postgres::{Manager, Pool, Runtime},
    page, timeline,
    tokio_postgres::{Config, NoTls},
    visits::{self, ledger},
};

use super::{super::visits::visited, *};

/// What is asked within a scope, and what is answered, its position left out.
type Answers = Vec<(String, String)>;

fn scopes() -> Vec<Scope> {
    let codes: Vec<String> = (0..17).map(|n| (210_212 + n).to_string()).collect();
    let many: Vec<&str> = codes.iter().map(String::as_str).collect();
    let all = |own: Option<u64>, units: &[&str], desk| {
        let Scope::Within { enterprise, units, .. } = within(own, units, &[], desk) else {
            panic!("it is within");
        };
        Scope::Within { enterprise, units, areas: Areas::All, desk }
    };
    vec![
        Scope::All,
        within(None, &[], &[], false),
        within(Some(1), &[], &[], false),
        within(None, &["tax"], &[], false),
        within(None, &["power"], &[], false),
        within(None, &["tax", "power"], &[], false),
        within(None, &[], &[AREA], false),
        within(None, &[], &many, false),
        within(None, &[], &[AREA], true),
        within(None, &["tax"], &[AREA], false),
        within(Some(1), &["tax"], &[], false),
        within(Some(1), &["power"], &[AREA], false),
        all(None, &[], false),
        all(None, &["tax"], true),
        all(Some(1), &["tax"], false),
    ]
}

/// All pages of something, each asked for after the one before.
macro_rules! pages {
    ($query:expr, $rows:ident, $ask:expr) => {{
        let (mut query, mut rows) = ($query, vec![]);
        loop {
            let page = $ask(&query).await.unwrap();
            rows.extend(page.$rows);
            query.after = page.next;
            if query.after.is_none() {
                break rows;
            }
        }
    }};
}

/// Questions to views, within a scope and as of some time.
#[derive(Clone, Copy)]
struct Asking<'a> {
    views: &'a Views,
    scope: &'a Scope,
    fresh: Fresh,
}

impl Asking<'_> {
    async fn visits(&self, by: Option<&str>, order: timeline::Order) -> Vec<visits::Row> {
        let filter = visits::Filter::all(self.scope.clone());
        let filter = visits::Filter { unit: by.map(unit), ..filter };
        let query = visits::Query { filter, order, after: None, limit: 3 };
        pages!(query, visits, |query| self.views.visits(query, self.fresh))
    }

    async fn ledger(&self) -> Vec<ledger::Entry> {
        let (unit, scope) = (unit("tax"), self.scope.clone());
        let query = ledger::Query { unit, year: 2026, scope, after: None, limit: 1 };
        pages!(query, entries, |query| self.views.ledger(query, self.fresh))
    }

    async fn appeals(&self) -> Vec<appeals::Row> {
        let query = appeals::Query::all(self.scope.clone(), 2);
        pages!(query, appeals, |query| self.views.appeals(query, self.fresh))
    }

    async fn inbox(&self) -> Vec<inbox::Entry> {
        let filter = Filter::all(self.scope.clone());
        let query = inbox::Query { filter, after: None, limit: 3 };
        pages!(query, entries, |query| self.views.inbox(query, self.fresh))
    }

    async fn stuck(&self) -> Vec<(appeals::Row, Vec<StuckReason>)> {
        let query = stuck(None, "2026-06-01T00:00:00Z".parse().unwrap(), self.scope.clone());
        pages!(query, cases, |query| self.views.stuck(query, self.fresh))
    }

    /// The lists that are turned over.
    async fn lists(&self) -> Answers {
        use timeline::Order::{NewestFirst, OldestFirst};
        let mut told = vec![];
        for (by, order) in [
            (None, OldestFirst),
            (None, NewestFirst),
            (Some("tax"), OldestFirst),
            (Some("fire"), NewestFirst),
        ] {
            let visits = self.visits(by, order).await;
            told.push((format!("visits of {by:?}, {order:?}"), format!("{visits:?}")));
        }
        told.push(("ledger".to_owned(), format!("{:?}", self.ledger().await)));
        told.push(("appeals".to_owned(), format!("{:?}", self.appeals().await)));
        told.push(("inbox".to_owned(), format!("{:?}", self.inbox().await)));
        told.push(("stuck".to_owned(), format!("{:?}", self.stuck().await)));
        told
    }

    fn board(&self, figure: Figure) -> boards::Filter {
        let day = |text: &str| (figure.windows() != Windows::Standing).then(|| date(text));
        boards::Filter {
            figure,
            from: day("2025-01-01"),
            until: day("2026-12-31"),
            unit: None,
            area: None,
            idle_since: "2026-06-01T00:00:00Z".parse().unwrap(),
            cell: vec![],
            scope: self.scope.clone(),
        }
    }

    async fn rows(&self, figure: Figure) -> Vec<boards::Row> {
        let query = boards::PageQuery { filter: self.board(figure), after: None, limit: 4 };
        pages!(query, rows, |query| self.views.board_rows(query, self.fresh))
    }

    async fn everything(&self) -> Answers {
        let (views, fresh) = (self.views, self.fresh);
        let mut told = self.lists().await;
        let mut tell = |name: &str, answer: String| told.push((name.to_owned(), answer));
        let counts = views.count_visits(&visits::Filter::all(self.scope.clone()), fresh).await;
        tell("count of visits", format!("{:?}", counts.unwrap().counts));
        let counts = views.count_inbox(&Filter::all(self.scope.clone()), fresh).await;
        tell("count of an inbox", format!("{:?}", counts.unwrap().counts));
        for figure in Figure::ALL {
            let group_by = figure.usual().to_vec();
            let query = boards::Query { filter: self.board(figure), group_by };
            let board = views.board(&query, fresh).await.unwrap();
            tell(&format!("{figure:?}"), format!("{:?} {:?}", board.cells, board.total));
            let rows = self.rows(figure).await;
            assert_eq!(board.total.rows, rows.len() as u64, "{figure:?} {:?}", self.scope);
            let file = views.board_export(&query.filter, fresh).await.unwrap();
            assert_eq!(file.rows, rows, "{figure:?} {:?}", self.scope);
            tell(&format!("rows of {figure:?}"), format!("{rows:?}"));
        }
        let (from, until, scope) = (date("2025-01-01"), date("2026-12-31"), self.scope.clone());
        let flow = FlowQuery { from, until, area: None, scope: scope.clone() };
        tell("flow", format!("{:?}", views.flow(&flow, fresh).await.unwrap().cells));
        let (group, unit, area, topic) = (RateGroup::Unit, None, None, None);
        let rates = RatesQuery { group, from, until, unit, area, topic, scope: scope.clone() };
        tell("rates", format!("{:?}", views.rates(&rates, fresh).await.unwrap().rates));
        let query = page::Query {
            enterprise: enterprise(1),
            unit: None,
            on: date("2026-03-10"),
            known_only: false,
            enterprises: Scope::All,
            scope,
            entries_max: 100,
        };
        let page = views.enterprise_page(&query, fresh).await.unwrap().unwrap();
        let (open, entries) = ((page.visits.visits, page.appeals.appeals), page.timeline.entries);
        tell("page", format!("{:?} {open:?} {:?} {entries:?}", page.profile, page.places));
        told
    }
}

/// Visits of every kind, and appeals of every level whose clocks and leads change. Gives three positions of
/// before the end.
async fn story(city: &mut City) -> [Position; 3] {
    for n in 1..3 {
        city.log.append(&format!("ev.L-{n}.profile"), &[registered(AREA)]).await;
    }
    let levels =
        [Confidentiality::Internal, Confidentiality::Confidential, Confidentiality::Strict];
    for (n, level) in (0..).zip(levels.into_iter().chain(levels)) {
        city.dispatched(n, 1 + n % 2, of("T06", AREA, level)).await;
    }
    let first = visited(&mut city.log).await;
    for n in 0..3 {
        let (lead, asked) = (unit("power"), unit("tax"));
        let ask = Command::RequestCoHandling { unit: lead, of: asked, ask: sealed() };
        city.tell(n, ask).await;
    }
    let second = city.last;
    let contest = || Command::Contest { unit: unit("power"), reason: sealed(), proposed: None };
    for n in 3..6 {
        city.tell(n, contest()).await;
    }
    // A strict one goes to another unit.
    city.tell(5, Command::Rule { to: Some(unit("tax")) }).await;
    let third = city.last;
    city.resolved(0, "power").await;
    let told = doudi_domain::visits::Event::VisitNotified { visit: visit(3) };
    city.log.append("ev.L-1.visits", &[told]).await;
    // What is owed is late, also by who was asked.
    city.later(24 * 6);
    city.strike().await;
    city.submit(6, 1, internal()).await;
    [first, second, third]
}

/// An appeal and who owes something on it.
type Owed = (AppealId, Owner);

fn owed(entries: &[inbox::Entry]) -> HashSet<Owed> {
    entries.iter().map(|entry| (entry.appeal, entry.clock.owner.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn as_of_the_end_all_is_as_it_is_now_and_before_it_nobody_is_told_more_than_now() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    let earlier = story(&mut city).await;
    let (views, end) = (&fixture.views, city.last);
    let after: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    fixture.reach(end).await;
    let mut past = 0;
    let everybody = Scope::All;
    for scope in &scopes() {
        let ask = |as_of| Asking { views, scope, fresh: fresh(end).as_of(as_of) };
        let now = ask(None).everything().await;
        for as_of in [AsOf::Recorded(end), AsOf::Occurred(after)] {
            let then = ask(Some(as_of)).everything().await;
            for (now, then) in now.iter().zip(&then) {
                assert_eq!(then, now, "{as_of:?} {scope:?}");
            }
            assert_eq!(then.len(), now.len());
        }
        let now = ask(None);
        let order = timeline::Order::OldestFirst;
        let visits: HashSet<_> =
            now.visits(None, order).await.iter().map(visits::Row::id).collect();
        let appeals: HashSet<_> = now.appeals().await.iter().map(|row| row.appeal).collect();
        let own = owed(&now.inbox().await);
        for position in earlier {
            let then = ask(Some(AsOf::Recorded(position)));
            // Who is told of something now is told of it as it was then, and of nothing else.
            let all = Asking { scope: &everybody, ..then };
            for order in [order, timeline::Order::NewestFirst] {
                let mut rows = all.visits(None, order).await;
                rows.retain(|row| visits.contains(&row.id()));
                assert_eq!(then.visits(None, order).await, rows, "{scope:?} {order:?}");
            }
            let mut rows = all.appeals().await;
            rows.retain(|row| appeals.contains(&row.appeal));
            assert_eq!(then.appeals().await, rows, "{scope:?}");
            let entries = then.inbox().await;
            for (appeal, owner) in owed(&entries) {
                let is_own = own.contains(&(appeal, owner.clone()));
                assert!(appeals.contains(&appeal) || is_own, "{scope:?} {appeal} {owner:?}");
            }
            past += entries.len();
            let counts = views.count_inbox(&Filter::all(scope.clone()), then.fresh).await.unwrap();
            assert_eq!(counts.total(), entries.len() as u64, "{scope:?}");
            if !matches!(scope, Scope::Within { enterprise: Some(_), .. }) {
                assert_eq!(then.rows(Figure::Due).await.len(), entries.len(), "{scope:?}");
            }
        }
    }
    assert!(past > 0, "something was owed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_of_then_reads_a_table_whole_or_asks_again_for_each_row() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    let [_, then, _] = story(&mut city).await;
    fixture.reach(city.last).await;
    let mut connection: Config = fixture.server.url().parse().unwrap();
    // A small table would be read whole because it is small.
    connection.options(
        "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 \
         -c enable_seqscan=off",
    );
    let manager = Manager::new(connection.clone(), NoTls);
    let pool = Pool::builder(manager).max_size(1).runtime(Runtime::Tokio1).build().unwrap();
    let views = Views::open(pool.clone(), ViewSettings { connection }).await.unwrap();
    let mut asked = 0;
    for scope in &scopes() {
        let fresh = fresh(city.last).as_of(Some(AsOf::Recorded(then)));
        asked += Asking { views: &views, scope, fresh }.lists().await.len();
    }
    // What was asked last is told of when its transaction ends.
    drop(views);
    pool.close();
    let log = fixture.server.log_file();
    let of_then = |plan: &&str| plan.starts_with("WITH visit") || plan.starts_with("WITH appeal");
    let all = until(super::super::WITHIN, async || {
        let text = fs::read_to_string(log).unwrap();
        let plans = text.split("Query Text: ").skip(1).filter(of_then);
        let plans: Vec<String> = plans.map(str::to_owned).collect();
        (plans.len() >= asked).then_some(plans)
    });
    let all = all.await.expect("each list was explained");
    for plan in all {
        // What is under a condition that never holds is not carried out.
        let lines: Vec<&str> = plan.lines().collect();
        let done = lines.windows(2).filter(|pair| !pair[0].contains("One-Time Filter: false"));
        for word in ["Seq Scan", "SubPlan"] {
            assert!(!done.clone().any(|pair| pair[1].contains(word)), "{word}: {plan}");
        }
    }
    running.stop().await;
}
