//! Answers as fresh as they are asked for, or as of an earlier time.

use std::sync::Arc;

use doudi_domain::{Context, Decider};
use doudi_engine::{Folded, LoadError, Position, StreamName, Until};
use doudi_views::{AsOf, Fresh, ViewName};
use jiff::Timestamp;

use super::Api;
use crate::{
    call::Call,
    convert::{self, Reflect},
    error::{Failure, Reason, Refusal},
    proto as pb,
};

impl Api {
    /// How fresh an answer of `views` must be, and as when it is asked for. Refuses at once what the log
    /// has not reached.
    pub(super) async fn reflecting(
        &self,
        call: &Call,
        views: &[ViewName],
        asked: impl Into<Reflect>,
    ) -> Result<Fresh, Failure> {
        let Reflect { at_least, as_of } = asked.into();
        for view in views {
            self.reached(*view, "min_position", at_least).await?;
        }
        let as_of = match as_of {
            Some(as_of) => Some(self.moment(as_of).await?),
            None => None,
        };
        Ok(call.fresh(at_least).as_of(as_of))
    }

    /// The moment asked for, as views know it: an instant of recording is the position that the log had
    /// come to.
    async fn moment(&self, asked: convert::AsOf) -> Result<AsOf, Failure> {
        let past = |field: &str, at: Timestamp| {
            if at <= self.0.clock.now() {
                return Ok(());
            }
            let refusal = Refusal::new(Reason::InFuture).about(field);
            Err(Failure::from(refusal.instant("occurred_at", at)))
        };
        Ok(match asked {
            convert::AsOf::Position(position) => {
                // Every view goes through the whole log, so any of them tells how far that is.
                self.reached(ViewName::Timeline, "as_of.position", position).await?;
                AsOf::Recorded(position)
            }
            convert::AsOf::Recorded(at) => {
                past("as_of.recorded_at", at)?;
                let position = self.0.engine.journal().position_at(at).await;
                AsOf::Recorded(position.map_err(LoadError::Unavailable)?)
            }
            convert::AsOf::Occurred(at) => {
                past("as_of.occurred_at", at)?;
                AsOf::Occurred(at)
            }
        })
    }

    /// The instant that such a question calls now: what is overdue, idle or of today is so as of then. What
    /// cannot be asked is refused where it is read.
    pub(super) async fn instant(&self, as_of: Option<&pb::AsOf>) -> Result<Timestamp, Failure> {
        match convert::as_of(as_of) {
            None => Ok(self.0.engine.now()),
            Some(as_of) => self.instant_of(as_of).await,
        }
    }

    /// The same, once it is read.
    async fn instant_of(&self, as_of: convert::AsOf) -> Result<Timestamp, Failure> {
        let now = self.0.engine.now();
        Ok(match as_of {
            convert::AsOf::Recorded(at) | convert::AsOf::Occurred(at) => at.min(now),
            convert::AsOf::Position(position) => {
                let before = Position(position.0.saturating_sub(1));
                let read = self.0.engine.journal().read(before, 1).await;
                let read = read.map_err(LoadError::Unavailable)?;
                let commit = read.first().and_then(|record| record.commit().ok());
                commit.map_or(now, |commit| commit.recorded_at)
            }
        })
    }

    /// A stream as of then, folded again from the log; as it is `now` where no moment is asked for.
    pub(super) async fn folded_as_of<D: Decider>(
        &self,
        stream: &StreamName,
        now: &Arc<Folded<D>>,
        as_of: Option<convert::AsOf>,
    ) -> Result<Arc<Folded<D>>, Failure> {
        let Some(as_of) = as_of else {
            return Ok(Arc::clone(now));
        };
        let until = self.until(as_of).await?;
        Ok(Arc::new(self.0.engine.read_until::<D>(stream, until).await?))
    }

    /// What `judge` says of a stream and of all that a decision on `command` would read, as of then; as they
    /// are now where no moment is asked for.
    pub(super) async fn considered_as_of<D: Decider, T>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        as_of: Option<convert::AsOf>,
        judge: impl FnOnce(&Folded<D>, &Context<'_>) -> T,
    ) -> Result<T, Failure> {
        let Some(as_of) = as_of else {
            return Ok(self.0.engine.consider(stream, command, judge).await?);
        };
        let then = (self.until(as_of).await?, self.instant_of(as_of).await?);
        Ok(self.0.engine.consider_until(stream, command, then, judge).await?)
    }

    /// How far streams reach that are asked as of then.
    async fn until(&self, as_of: convert::AsOf) -> Result<Until, Failure> {
        Ok(match self.moment(as_of).await? {
            AsOf::Recorded(position) => Until::Position(position),
            AsOf::Occurred(at) => Until::Occurred(at),
        })
    }
}
