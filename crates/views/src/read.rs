//! Reading views: one snapshot of one view or of several, as fresh as was asked.

use deadpool_postgres::{Object, Pool, Transaction};
use doudi_journal::Position;
use tokio_postgres::{
    IsolationLevel, Row,
    types::{ToSql, Type},
};

use crate::{Behind, Fresh, ViewError, ViewName, Views, checkpoint, db};

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
    /// The position that all of the views reflect.
    pub(crate) position: Position,
}

impl Views {
    /// Waits until each of `views` is as fresh as asked, and takes a connection.
    pub(crate) async fn reader(
        &self,
        views: &[ViewName],
        fresh: Fresh,
    ) -> Result<Reader, ViewError> {
        for view in views {
            self.wait(*view, fresh.at_least, fresh.within).await?;
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
        // The lock comes before the snapshot: a rebuild empties tables in a way that older snapshots
        // see, so it must wait for whoever reads.
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
            // A rebuild may have begun between the wait and the answer.
            let (wanted, reached) = (self.fresh.at_least, checkpoint.position);
            if reached < wanted {
                return Err(Behind { view: checkpoint.view, wanted, reached }.into());
            }
        }
        let lowest = checkpoints.iter().map(|checkpoint| checkpoint.position).min();
        Ok(Snapshot { transaction, position: lowest.unwrap_or_default() })
    }
}

impl Snapshot<'_> {
    /// Statements mean the tables of `view` from now on; it must be one of those asked for.
    pub(crate) async fn turn_to(&self, view: ViewName) -> Result<(), ViewError> {
        self.transaction.batch_execute(&search_path(view)).await.map_err(failed)
    }

    /// The rows that a statement gives.
    pub(crate) async fn rows(
        &self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, ViewError> {
        let rows = self.transaction.query_typed(statement, values).await;
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
