//! Builds views from the log, which is read and decoded once for all of them, each on a task of its own.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Object, Pool};
use doudi_journal::{FollowError, Journal, Position, Record};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinSet,
    time::timeout,
};

use super::{DOING, failed};
use crate::{
    Checkpoint, ViewError, ViewName, db,
    parked::{self, Reading},
    project::take_in,
};

/// How many records are taken in with one transaction, as far as the log has them; fewer where so many bytes are
/// reached before.
const BATCH_RECORDS: usize = 2000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How many batches wait at most for a view that is slower than the log. Faster ones wait for it then, so that
/// none of them needs a reading of its own.
const WAITING_MAX: usize = 2;
/// How long the log may take to give what it has.
const LOG_WITHIN: Duration = Duration::from_secs(30);

/// What is told after every batch: the view, the position that it reached, and the end.
pub(super) type Report<'a> = dyn FnMut(ViewName, Position, Position) + Send + 'a;

/// Records that follow each other.
struct Batch {
    positions: Vec<Position>,
    /// Of those that some view wants.
    readings: Vec<Reading>,
}

/// What is built, on connections of the pool.
#[derive(Clone)]
pub(super) struct Build {
    pub(super) pool: Pool,
    pub(super) view: ViewName,
    pub(super) known: Checkpoint,
}

/// Builds each until it reflects `until`.
pub(super) async fn advance(
    journal: &Journal,
    builds: &mut [&mut Build],
    until: Position,
    report: &mut Report<'_>,
) -> Result<(), ViewError> {
    let after = builds.iter().map(|build| build.known.position).min();
    let Some(after) = after.filter(|after| *after < until) else {
        return Ok(());
    };
    let mut tasks = JoinSet::new();
    let (tell, mut told) = mpsc::channel(builds.len());
    let mut builders = Vec::new();
    for (at, build) in builds.iter().enumerate() {
        let (give, given) = mpsc::channel(WAITING_MAX);
        builders.push(give);
        tasks.spawn(Build::clone(build).follow(given, at, tell.clone()));
    }
    drop(tell);
    let views = builds.iter().map(|build| build.view).collect();
    tasks.spawn(read(journal.clone(), after, until, views, builders));
    while let Some((at, reached)) = told.recv().await {
        builds[at].known.position = reached;
        report(builds[at].view, reached, until);
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    }
    Ok(())
}

/// Reads the records after `after` until `until` and gives those that one of `views` wants to each of `builders`,
/// until one of them is gone, which says why itself.
async fn read(
    journal: Journal,
    after: Position,
    until: Position,
    views: Vec<ViewName>,
    builders: Vec<Sender<Arc<Batch>>>,
) -> Result<(), ViewError> {
    let fault = |source| ViewError::Journal { doing: DOING, source };
    let mut follow = journal.follow(after);
    let mut reached = after;
    while reached < until {
        let (mut records, mut bytes) = (Vec::<Record>::new(), 0);
        // What the log gives at once is what happened to have come.
        while reached < until && records.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let late =
                |_| fault(format!("the log does not go on at {reached}, before {until}").into());
            let read = timeout(LOG_WITHIN, follow.next()).await.map_err(late)?;
            let given = read.map_err(|error: FollowError| fault(error.into()))?;
            bytes += given.iter().map(|record| record.payload.len()).sum::<usize>();
            reached = given.last().map_or(reached, |last| last.position);
            records.extend(given);
        }
        records.retain(|record| record.position <= until);
        let positions = records.iter().map(|record| record.position).collect();
        let batch = Arc::new(Batch { positions, readings: parked::read(&views, &records) });
        for builder in &builders {
            if builder.send(Arc::clone(&batch)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Batch {
    /// What `view` wants of it after `after` until `to`.
    fn readings(&self, view: ViewName, after: Position, to: Position) -> Vec<Reading> {
        let from = self.readings.partition_point(|reading| reading.position <= after);
        let there = self.readings[from..].iter().take_while(|reading| reading.position <= to);
        there.filter(|reading| reading.concerns(view)).cloned().collect()
    }
}

impl Build {
    /// Takes in what it is given, and tells how far it is after each batch, as the one of that number.
    async fn follow(
        mut self,
        mut given: Receiver<Arc<Batch>>,
        at: usize,
        tell: Sender<(usize, Position)>,
    ) -> Result<(), ViewError> {
        while let Some(batch) = given.recv().await {
            let taken = self.take(&batch).await;
            // Where nobody listens any more, this is given up.
            let _ = tell.send((at, self.known.position)).await;
            taken?;
        }
        Ok(())
    }

    /// Takes a batch in, or what of it it does not reflect yet, where others began earlier; one by one where
    /// PostgreSQL refuses something, so that only that is parked.
    async fn take(&mut self, batch: &Batch) -> Result<(), ViewError> {
        let Some(to) = batch.positions.last().filter(|to| **to > self.known.position) else {
            return Ok(());
        };
        match self.commit(batch, *to, None).await {
            Err(error) if error.content_refusal().is_some() => {}
            done => return done,
        }
        let from = batch.positions.partition_point(|position| *position <= self.known.position);
        for to in &batch.positions[from..] {
            if let Err(error) = self.commit(batch, *to, None).await {
                let reason = error.content_refusal().ok_or(error)?;
                self.commit(batch, *to, Some(&reason)).await?;
            }
        }
        Ok(())
    }

    /// Takes in what the view wants of a batch until `to`.
    async fn commit(
        &mut self,
        batch: &Batch,
        to: Position,
        refused: Option<&str>,
    ) -> Result<(), ViewError> {
        let readings = batch.readings(self.view, self.known.position, to);
        // Others may be at work on all connections that there are.
        let mut client = db::connect_patiently(&self.pool).await?;
        let done = self.commit_on(&mut client, to, readings, refused).await;
        db::give_back(client, &done);
        done
    }

    async fn commit_on(
        &mut self,
        client: &mut Object,
        to: Position,
        readings: Vec<Reading>,
        refused: Option<&str>,
    ) -> Result<(), ViewError> {
        let view = self.view;
        let transaction = db::write(client, &view.next_schema()).await?;
        // A batch is large, and nobody waits for it.
        let patience =
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        transaction.batch_execute(patience).await.map_err(failed)?;
        if !take_in(&transaction, &self.known, to, readings, refused).await? {
            return Err(ViewError::RebuildRunning { view });
        }
        transaction.commit().await.map_err(failed)?;
        self.known.position = to;
        Ok(())
    }
}
