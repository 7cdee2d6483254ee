//! What stands against durability "group": a log on several servers, or a folder that is not the
//! server's or whose file system does not say what reached the disk.

use std::{path::PathBuf, time::Duration};

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, pull::Config},
    stream::Info,
};

use super::{GateRefusal, JetStream};
use crate::{
    Position, Source,
    jetstream::{
        barrier::Barrier,
        store::{Store, Unfit},
    },
};

/// After this long the server forgets the proof by itself, should we end before we delete it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

impl JetStream {
    /// The store of the log, proven and synced once; none when something stands against it.
    pub(super) async fn checked_store(
        &self,
        info: &Info,
        told: Option<PathBuf>,
        refusals: &mut Vec<GateRefusal>,
    ) -> Option<Store> {
        let found = match (&info.cluster, info.config.num_replicas) {
            (_, replicas @ 2..) => Some(format!("the log has {replicas} replicas")),
            (Some(cluster), _) => cluster.name.as_ref().map(|name| {
                format!("its server belongs to the cluster {name}, which may move the log")
            }),
            (None, _) => None,
        };
        if let Some(found) = found {
            refusals.push(GateRefusal::GroupClustered { found });
            return None;
        }
        let Some(folder) = self.shared.settings.store_dir.clone().or(told) else {
            refusals.push(GateRefusal::StoreUnknown);
            return None;
        };
        self.proven_store(folder).await.map_err(|refusal| refusals.push(refusal)).ok()
    }

    /// Makes a consumer whose name nobody knows, and looks for it in `folder`.
    async fn proven_store(&self, folder: PathBuf) -> Result<Store, GateRefusal> {
        let shared = &self.shared;
        let stream = shared.settings.stream.clone();
        // An inbox has a name that is nobody else's, so its last part makes another such name.
        let inbox = shared.client.new_inbox();
        let marker = format!("gate-{}", inbox.rsplit('.').next().unwrap_or(&inbox));
        let unproven = |source: Source| {
            let stream = stream.clone();
            GateRefusal::StoreUnproven { stream, source }
        };
        let config = Config {
            name: Some(marker.clone()),
            deliver_policy: DeliverPolicy::New,
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            ..Config::default()
        };
        let made = shared.context.create_consumer_on_stream(config, stream.as_str());
        let made = self.while_connected(made).await.map_err(|error| unproven(error.into()))?;
        made.map_err(|error| unproven(error.into()))?;
        let (below, named) = ((folder.clone(), stream.clone()), marker.clone());
        let opened = tokio::task::spawn_blocking(move || Store::open(&below.0, &below.1, &named));
        let opened = opened.await;
        let deleted = shared.context.delete_consumer_from_stream(&marker, &stream);
        match self.while_connected(deleted).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a consumer of the gate is left to expire"),
            Err(error) => tracing::warn!(%error, "a consumer of the gate is left to expire"),
        }
        opened.map_err(|ended| unproven(ended.into()))?.map_err(|unfit| match unfit {
            Unfit::Foreign => GateRefusal::StoreForeign { folder, stream },
            Unfit::Closed(source) => GateRefusal::StoreClosed { folder, source },
            Unfit::FileSystem(reason) => GateRefusal::StoreUnfit { folder, reason },
            Unfit::Sync(source) => GateRefusal::StoreSyncFailed { folder, source },
            Unfit::Doubtful(mark) => GateRefusal::StoreDoubtful { mark },
        })
    }

    /// Puts the barrier before everything that is handed out from now on; a first one stays, as long as
    /// the server keeps to its folder. All up to `last` was in the files before the store was opened and synced.
    pub(super) fn raise_barrier(&self, store: Store, last: Position) -> Result<(), GateRefusal> {
        let folder = store.folder.clone();
        if *self.shared.place.get_or_init(|| store.place) != store.place {
            return Err(GateRefusal::StoreMoved { folder });
        }
        if self.shared.barrier.get().is_some() {
            return Ok(());
        }
        let barrier = Barrier::new(last, move || store.sync());
        let barrier = barrier.map_err(|source| GateRefusal::StoreSyncFailed { folder, source })?;
        // Whoever was quicker proved the same.
        let _ = self.shared.barrier.set(barrier);
        Ok(())
    }
}
