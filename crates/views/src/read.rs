//! Reading views: one snapshot of one view or of several, as fresh as was asked, or as they were.

use deadpool_postgres::{Object, Pool, Transaction};
use doudi_journal::Position;
use tokio_postgres::{
    IsolationLevel, Row,
    types::{ToSql, Type},
};

use crate::{AsOf, Behind, Fresh, ViewError, ViewName, Views, checkpoint, db, history};

/// A value of a statement with its type.
type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// A connection on which some views are going to be read.
pub(crate) struct Reader {
    client: Object,
    views: Vec<ViewName>,
    fresh: Fresh,
}

/// One snapshot of the live tables of some views.
pub(crate) struct Snapshot<'a> {
    /// Read-only, so it may simply be dropped.
    transaction: Transaction<'a>,
    /// The position that the answers reflect, those of every view.
    pub(crate) position: Position,
    /// As when statements ask.
    as_of: Option<AsOf>,
    /// What statements begin with, so that they mean the tables as they were.
    prefix: String,
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
        Ok(Reader { client: db::connect(&self.pool).await?, views: views.to_vec(), fresh })
    }
}

impl Reader {
    /// On a connection of the pool, however fresh the view is.
    pub(crate) async fn of(pool: &Pool, view: ViewName) -> Result<Self, ViewError> {
        Ok(Self { client: db::connect(pool).await?, views: vec![view], fresh: Fresh::ANY })
    }

    /// Takes the snapshot; statements then mean the tables of the first view.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot<'_>, ViewError> {
        let views = &self.views;
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(failed)?;
        // The lock comes before the snapshot: the switch of a rebuild waits for whoever reads, and
        // whoever comes after it takes what it switched to.
        // Compiling a statement takes longer than running it.
        let settings = format!(
            "SET LOCAL jit = off; LOCK TABLE {} IN ACCESS SHARE MODE; {}",
            views.iter().flat_map(|view| named(*view)).collect::<Vec<_>>().join(", "),
            views.first().map(|view| search_path(*view)).unwrap_or_default()
        );
        let prepare = async { transaction.batch_execute(&settings).await.map_err(failed) };
        let checkpoints = futures::future::try_join_all(
            views.iter().map(|view| checkpoint::load(&transaction, *view)),
        );
        // All are sent at once and answered in order.
        let ((), checkpoints) = futures::future::try_join(prepare, checkpoints).await?;
        for checkpoint in &checkpoints {
            // A view whose log has lost records goes back when it is rebuilt.
            let (wanted, reached) = (self.fresh.reflecting(), checkpoint.position);
            if reached < wanted {
                return Err(Behind { view: checkpoint.view, wanted, reached }.into());
            }
        }
        let positions = checkpoints.iter().map(|checkpoint| checkpoint.position);
        let lowest = positions.clone().min().unwrap_or_default();
        // Views that are not equally far are all asked as of the one that is furthest behind.
        let apart = positions.max().is_some_and(|highest| highest > lowest);
        let as_of = self.fresh.as_of.or(apart.then_some(AsOf::Recorded(lowest)));
        let position = match as_of {
            Some(AsOf::Recorded(position)) => position,
            Some(AsOf::Occurred(_)) | None => lowest,
        };
        let first = views.first().zip(as_of);
        let prefix = first.map(|(view, as_of)| history::prefix(*view, as_of)).unwrap_or_default();
        Ok(Snapshot { transaction, position, as_of, prefix })
    }
}

impl Snapshot<'_> {
    /// Statements mean the tables of `view` from now on; it must be one of those asked for.
    pub(crate) async fn turn_to(&mut self, view: ViewName) -> Result<(), ViewError> {
        let prefix = self.as_of.map(|as_of| history::prefix(view, as_of));
        self.prefix = prefix.unwrap_or_default();
        self.transaction.batch_execute(&search_path(view)).await.map_err(failed)
    }

    /// The rows that a statement gives, which begins with `SELECT`.
    pub(crate) async fn rows(
        &self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, ViewError> {
        let statement = format!("{}{statement}", self.prefix);
        let rows = self.transaction.query_typed(&statement, values).await;
        rows.map_err(|error| ViewError::sql(doing, error))
    }

    /// The transaction, for what is no query of rows.
    pub(crate) fn transaction(&self) -> &Transaction<'_> {
        &self.transaction
    }
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
