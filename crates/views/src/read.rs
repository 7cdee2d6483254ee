//! Reading views: one snapshot of one view or of several, as fresh as was asked, or as they were.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::Poll,
    time::Duration,
};

use deadpool_postgres::{Object, Pool};
use doudi_journal::Position;
use futures::FutureExt;
use tokio::{runtime::Handle, sync::OnceCell, time::timeout};
use tokio_postgres::{Client, NoTls, Row};

use crate::{
    AsOf, Behind, Fresh, ViewError, ViewName, Views, checkpoint,
    db::{self, Value},
    history,
    predicate::{Held, Predicate, Tense},
};

/// How long a question that was given up may still take before it is cancelled.
const ENDS_WITHIN: Duration = Duration::from_millis(50);

/// How long PostgreSQL has to cancel a question before its connection is closed all the same.
const CANCEL_WITHIN: Duration = Duration::from_secs(5);

/// A connection on which some views are going to be read.
pub(crate) struct Reader {
    connection: Connection,
    views: Vec<ViewName>,
    fresh: Fresh,
}

/// A connection that goes back to the pool only when everything asked on it was answered.
struct Connection {
    /// There until it is dropped.
    client: Option<Object>,
    /// How much that was asked is not answered yet.
    unanswered: AtomicUsize,
}

/// One snapshot of the live tables of some views. It is taken together with the first statement, in
/// one round trip; where there is one statement alone, by it.
pub(crate) struct Snapshot<'a> {
    connection: &'a Connection,
    client: &'a Object,
    views: &'a [ViewName],
    fresh: Fresh,
    /// Whose tables statements mean.
    turned_to: ViewName,
    /// Whether there is one statement alone.
    once: bool,
    begun: AtomicBool,
    taken: OnceCell<Taken>,
}

/// What is known once a snapshot is taken.
#[derive(Clone, Copy)]
struct Taken {
    position: Position,
    /// As when statements ask.
    as_of: Option<AsOf>,
    /// By what was known where statements ask, if views know more.
    known: Option<Position>,
}

impl Views {
    /// Waits until each of `views` is as fresh as asked, and takes a connection.
    pub(crate) async fn reader(
        &self,
        views: &[ViewName],
        fresh: Fresh,
    ) -> Result<Reader, ViewError> {
        for view in views {
            self.wait(*view, fresh.reflecting(), fresh.within).await?;
        }
        let connection = Connection::of(&self.pool).await?;
        Ok(Reader { connection, views: views.to_vec(), fresh })
    }
}

impl Reader {
    /// On a connection of the pool, however fresh the view is.
    pub(crate) async fn of(pool: &Pool, view: ViewName) -> Result<Self, ViewError> {
        let connection = Connection::of(pool).await?;
        Ok(Self { connection, views: vec![view], fresh: Fresh::ANY })
    }

    /// The snapshot; statements mean the tables of the first view.
    pub(crate) fn snapshot(&mut self) -> Snapshot<'_> {
        self.of_statements(false)
    }

    /// A snapshot for one statement, which costs no transaction.
    pub(crate) fn once(&mut self) -> Snapshot<'_> {
        self.of_statements(true)
    }

    fn of_statements(&mut self, once: bool) -> Snapshot<'_> {
        Snapshot {
            once,
            connection: &self.connection,
            client: self.connection.client(),
            turned_to: self.views[0],
            views: &self.views,
            fresh: self.fresh,
            begun: AtomicBool::new(false),
            taken: OnceCell::new(),
        }
    }
}

impl Connection {
    async fn of(pool: &Pool) -> Result<Self, ViewError> {
        let client = Some(db::connect(pool).await?);
        Ok(Self { client, unanswered: AtomicUsize::new(0) })
    }

    #[expect(clippy::expect_used, reason = "it is taken only when this is dropped")]
    fn client(&self) -> &Object {
        self.client.as_ref().expect("there until it is dropped")
    }

    /// The answer to what is asked. A caller that gives up before it is there leaves it owing.
    async fn answered<T>(&self, asked: impl Future<Output = T>) -> T {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let answer = asked.await;
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        answer
    }
}

impl Drop for Connection {
    /// Whoever had the connection next would wait for what nobody wants to know any more. So it keeps its place in the
    /// pool until that is over, by itself or because it was cancelled: however many questions are given up, there are
    /// never more connections than that, and those that cancel.
    fn drop(&mut self) {
        let client = self.client.take().filter(|_| self.unanswered.load(Ordering::Relaxed) > 0);
        if let (Some(client), Ok(runtime)) = (client, Handle::try_current()) {
            runtime.spawn(async move {
                if !is_over(&client).await {
                    drop(Object::take(client));
                }
            });
        }
    }
}

/// Whether all that was asked ends soon by itself, so that the connection is of use again. Else it is cancelled; as the
/// cancel may come late, and meet what is asked next, nothing more is asked on that connection.
async fn is_over(client: &Object) -> bool {
    // It is answered after all that was asked before.
    let mut over = pin!(client.batch_execute("SELECT"));
    if let Ok(over) = timeout(ENDS_WITHIN, &mut over).await {
        return over.is_ok();
    }
    let cancelled = async {
        client.cancel_token().cancel_query(NoTls).await?;
        over.await
    };
    if !matches!(timeout(CANCEL_WITHIN, cancelled).await, Ok(Ok(()))) {
        tracing::warn!("a question that was given up was perhaps not cancelled");
    }
    false
}

impl Snapshot<'_> {
    /// As of when it was asked for, if not as of now.
    pub(crate) fn as_of(&self) -> Option<AsOf> {
        self.fresh.as_of
    }

    /// As when the rows are that it gives.
    pub(crate) fn tense(&self) -> Tense {
        match self.fresh.as_of {
            Some(AsOf::Recorded(_)) => Tense::Recorded,
            Some(AsOf::Occurred(_)) => Tense::Occurred,
            None => Tense::Present,
        }
    }

    /// The name of a table as it is now, also where statements ask as of earlier. In a statement that is asked once it
    /// is the plain one, so that all tables are locked in their order.
    pub(crate) fn now(&self, table: &str) -> String {
        if self.once && self.fresh.as_of.is_none() {
            table.to_owned()
        } else {
            format!("{}.{table}", self.turned_to.schema())
        }
    }

    /// The position that the answers reflect, those of every view.
    pub(crate) async fn position(&self) -> Result<Position, ViewError> {
        Ok(self.taken().await?.position)
    }

    async fn taken(&self) -> Result<Taken, ViewError> {
        self.taken.get_or_try_init(|| self.take()).await.copied()
    }

    async fn take(&self) -> Result<Taken, ViewError> {
        // The lock comes before the snapshot: the switch of a rebuild waits for whoever reads, and
        // whoever comes after it takes what it switched to.
        let begin = format!(
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
             LOCK TABLE {} IN ACCESS SHARE MODE",
            self.views.iter().flat_map(|view| named(*view)).collect::<Vec<_>>().join(", ")
        );
        let turn = search_path(self.turned_to);
        self.begun.store(true, Ordering::Relaxed);
        let begin = async { self.client.batch_execute(&begin).await.map_err(failed) };
        // After the checkpoints, whose plan would be made anew where the path is another one.
        let turn = async { self.client.batch_execute(&turn).await.map_err(failed) };
        let checkpoints = futures::future::join_all(
            self.views.iter().map(|view| checkpoint::load(self.client, *view)),
        );
        // All are sent at once and answered in order, whatever the first answer is.
        let all = futures::future::join3(begin, checkpoints, turn);
        let (begun, checkpoints, turned) = self.connection.answered(all).await;
        begun?;
        let checkpoints = checkpoints.into_iter().collect::<Result<Vec<_>, _>>()?;
        turned?;
        for checkpoint in &checkpoints {
            self.is_reached(checkpoint.view, checkpoint.position)?;
        }
        let positions = checkpoints.iter().map(|checkpoint| checkpoint.position);
        let lowest = positions.clone().min().unwrap_or_default();
        // Views that are not equally far are all asked as of the one that is furthest behind.
        let apart = positions.max().is_some_and(|highest| highest > lowest);
        let known = apart.then_some(lowest);
        let as_of = self.fresh.as_of.or(known.map(AsOf::Recorded));
        let position = match as_of {
            Some(AsOf::Recorded(position)) => position,
            Some(AsOf::Occurred(_)) | None => lowest,
        };
        Ok(Taken { position, as_of, known })
    }

    /// A view whose log has lost records goes back when it is rebuilt.
    fn is_reached(&self, view: ViewName, reached: Position) -> Result<(), Behind> {
        let wanted = self.fresh.reflecting();
        if reached < wanted { Err(Behind { view, wanted, reached }) } else { Ok(()) }
    }

    /// Statements mean the tables of `view` from now on; it must be one of those asked for.
    pub(crate) async fn turn_to(&mut self, view: ViewName) -> Result<(), ViewError> {
        self.turned_to = view;
        match self.taken.get() {
            Some(_) => {
                let path = search_path(view);
                self.connection.answered(self.client.batch_execute(&path)).await.map_err(failed)
            }
            None => Ok(()),
        }
    }

    /// The rows that a statement gives, which only selects.
    pub(crate) async fn rows(
        &self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, ViewError> {
        self.ask(doing, (statement, None), values, true).await
    }

    /// The rows that a statement gives, which only selects and whose condition is `predicate`. A plan that is kept knows no value, and
    /// takes any range for a short one, so what has a range is planned for it.
    pub(crate) async fn meant(
        &self,
        doing: &'static str,
        statement: &str,
        predicate: &Predicate,
    ) -> Result<Vec<Row>, ViewError> {
        let statement = (statement, predicate.held());
        self.ask(doing, statement, &predicate.values(), !predicate.has_range).await
    }

    async fn ask(
        &self,
        doing: &'static str,
        statement: (&str, Option<&Held>),
        values: &[Value<'_>],
        keep: bool,
    ) -> Result<Vec<Row>, ViewError> {
        if self.once && self.fresh.as_of.is_none() {
            return self.ask_once(doing, statement.0, values, keep).await;
        }
        // As when one view is asked is known before its checkpoint is.
        if self.taken.get().is_none() && self.views.len() == 1 {
            let rows = async {
                self.begun().await;
                self.query((self.fresh.as_of, None), statement, values, keep).await
            };
            let (taken, rows) = futures::future::join(self.taken(), rows).await;
            return taken.and(rows.map_err(|error| ViewError::sql(doing, error)));
        }
        let Taken { as_of, known, .. } = self.taken().await?;
        let rows = self.query((as_of, known), statement, values, keep).await;
        rows.map_err(|error| ViewError::sql(doing, error))
    }

    /// The rows beside the checkpoint as the same statement sees it. PostgreSQL takes what a statement sees once it
    /// has the locks, and finds the tables anew where a rebuild has switched them, as in [`Snapshot::take`].
    async fn ask_once(
        &self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
        keep: bool,
    ) -> Result<Vec<Row>, ViewError> {
        if self.taken.initialized() {
            return Err(ViewError::fault(doing, "a second statement was asked of one snapshot"));
        }
        let view = self.turned_to;
        let statement = beside_checkpoint(view, statement);
        let rows = async {
            match keep {
                true => db::query(self.client, &statement, values).await,
                false => self.client.query_typed(&statement, values).await,
            }
        };
        let rows = self.connection.answered(rows).await;
        let mut rows = rows.map_err(|error| ViewError::sql(doing, error))?;
        let Some(first) = rows.first() else {
            return Err(ViewError::fault(doing, "the view has no checkpoint"));
        };
        let position = db::position(db::column(first, REACHED)?);
        self.is_reached(view, position)?;
        if db::column::<Option<bool>>(first, IS_ROW)?.is_none() {
            rows.clear();
        }
        let _ = self.taken.set(Taken { position, as_of: None, known: None });
        Ok(rows)
    }

    /// Waits until the transaction has been asked for, which no statement may overtake: a task that has done much
    /// has to give way before it may take the snapshot.
    async fn begun(&self) {
        poll_fn(|context| {
            if self.begun.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn query(
        &self,
        (as_of, known): (Option<AsOf>, Option<Position>),
        (statement, held): (&str, Option<&Held>),
        values: &[Value<'_>],
        keep: bool,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let prefix = as_of.map(|as_of| history::prefix(self.turned_to, as_of, known, held));
        let prefix = prefix.unwrap_or_default();
        // Each moment makes a statement of its own, which nobody asks again.
        if keep && prefix.is_empty() {
            return self.connection.answered(db::query(self.client, statement, values)).await;
        }
        let statement = format!("{prefix}{statement}");
        self.connection.answered(self.client.query_typed(&statement, values)).await
    }

    /// The connection within the snapshot, for what is no query of rows.
    pub(crate) async fn client(&self) -> Result<&Client, ViewError> {
        self.taken().await?;
        Ok(self.client)
    }
}

impl Drop for Snapshot<'_> {
    /// Sent without waiting: whoever has the connection next is answered after it.
    fn drop(&mut self) {
        if self.begun.load(Ordering::Relaxed) {
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// The columns beside those of a statement that is asked once: how far the view is, and whether there is a row at all.
const REACHED: &str = "reached_by_view";
const IS_ROW: &str = "is_row_of_answer";

/// A statement of the tables of `view`, each row with how far the view is; one row without the statement's
/// columns where that has none. The rows stay in the statement's order, as there is one checkpoint.
fn beside_checkpoint(view: ViewName, statement: &str) -> String {
    let (name, version, schema) = (view.as_str(), view.version(), view.schema());
    let named = view.tables().iter().filter(|table| statement.contains(**table));
    let named = named
        .map(|table| format!("{table} AS NOT MATERIALIZED (SELECT * FROM {schema}.{table})"))
        .collect::<Vec<_>>();
    format!(
        "WITH {} SELECT answer.*, reached.position AS {REACHED} FROM doudi.checkpoint AS reached \
         LEFT JOIN (SELECT true AS {IS_ROW}, asked.* FROM ({statement}) AS asked) AS answer ON true \
         WHERE reached.view = '{name}' AND reached.version = {version}",
        named.join(", ")
    )
}

fn search_path(view: ViewName) -> String {
    format!("SET LOCAL search_path = {}, doudi", view.schema())
}

fn named(view: ViewName) -> impl Iterator<Item = String> {
    let schema = view.schema();
    view.tables().iter().map(move |table| format!("{schema}.{table}"))
}

fn failed(error: tokio_postgres::Error) -> ViewError {
    ViewError::sql("reading a view", error)
}
