//! Which webhooks there are. How each of them stands is read from its own stream.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use doudi_domain::{WebhookId, webhook::Event};
use uuid::Uuid;

use crate::{
    Fresh, ViewError, ViewName, Views,
    db::{applying, column},
    fact::{Content, Fact},
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 1;

/// The most webhooks that are answered with, the oldest ones.
pub const WEBHOOKS_MAX: i64 = 200;

impl Views {
    /// The webhooks that are not retired, the oldest first, at most [`WEBHOOKS_MAX`].
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn webhooks(&self) -> Result<Vec<WebhookId>, ViewError> {
        let mut reader = self.reader(&[ViewName::Webhooks], Fresh::ANY).await?;
        let snapshot = reader.once();
        let statement = format!(
            "SELECT webhook FROM webhook WHERE NOT retired ORDER BY registered LIMIT {WEBHOOKS_MAX}"
        );
        let rows = snapshot.rows("listing webhooks", &statement, &[]).await?;
        rows.iter().map(|row| column(row, "webhook").map(WebhookId)).collect()
    }
}

/// Takes the webhooks of `facts` in.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let (mut registered, mut retired) = (BTreeMap::new(), BTreeSet::new());
    for fact in facts {
        let Content::Webhook(WebhookId(id), events) = &*fact.content else { continue };
        for event in events {
            match event {
                Event::WebhookRegistered { .. } => _ = registered.insert(*id, fact.position),
                Event::WebhookRetired {} => _ = retired.insert(*id),
                Event::WebhookPaused { .. }
                | Event::WebhookResumed {}
                | Event::SecretRotated { .. }
                | Event::DeliveryStalled { .. }
                | Event::DeliveryAdvanced { .. }
                | Event::EventSetAside { .. }
                | Event::EventsWithheld { .. }
                | Event::RedriveOrdered { .. }
                | Event::EventsRedriven { .. } => {}
            }
        }
    }
    if !registered.is_empty() {
        let statement = "INSERT INTO webhook (webhook, registered, retired) \
             SELECT *, false FROM unnest($1::uuid[], $2::bigint[]) ON CONFLICT DO NOTHING";
        let (ids, positions): (Vec<Uuid>, Vec<i64>) = registered.into_iter().unzip();
        let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
        transaction.execute(&statement, &[&ids, &positions]).await.map_err(applying)?;
    }
    if !retired.is_empty() {
        let statement = "UPDATE webhook SET retired = true WHERE webhook = ANY($1)";
        let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
        let ids: Vec<Uuid> = retired.into_iter().collect();
        transaction.execute(&statement, &[&ids]).await.map_err(applying)?;
    }
    Ok(())
}
