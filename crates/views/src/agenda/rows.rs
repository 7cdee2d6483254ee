//! The rows of the agenda: at most one statement for what goes and one for what comes.

use deadpool_postgres::Transaction;

use super::fold;
use crate::{ViewError, db::applying, fact::Fact};

/// Takes facts into the agenda.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let changed = fold::fold(facts);
    let gone = changed.iter().filter(|(_, entry)| entry.is_none());
    let (streams, keys): (Vec<&str>, Vec<&str>) =
        gone.map(|((stream, key), _)| (*stream, key.as_str())).unzip();
    if !streams.is_empty() {
        let statement = "DELETE FROM duty USING unnest($1::text[], $2::text[]) AS gone (stream, key) \
             WHERE duty.stream = gone.stream AND duty.key = gone.key";
        let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
        transaction.execute(&statement, &[&streams, &keys]).await.map_err(applying)?;
    }
    let put: Vec<_> = changed.values().flatten().collect();
    if put.is_empty() {
        return Ok(());
    }
    let streams: Vec<&str> = put.iter().map(|(_, fact)| fact.stream.as_str()).collect();
    let keys: Vec<&str> = put.iter().map(|(entry, _)| entry.key.as_str()).collect();
    let kinds: Vec<&str> = put.iter().map(|(entry, _)| entry.duty.kind()).collect();
    let at: Vec<_> = put.iter().map(|(entry, _)| entry.at).collect();
    let causes: Vec<_> = put.iter().map(|(_, fact)| fact.command).collect();
    let correlations: Vec<_> = put.iter().map(|(_, fact)| fact.correlation).collect();
    let positions: Vec<i64> = put.iter().map(|(_, fact)| fact.position).collect();
    let duties = put.iter().map(|(entry, _)| serde_json::to_string(&entry.duty));
    let duties = duties
        .collect::<Result<Vec<String>, _>>()
        .map_err(|error| ViewError::fault("writing a duty", error))?;
    let statement = transaction.prepare_cached(PUT).await.map_err(applying)?;
    transaction
        .execute(
            &statement,
            &[&streams, &keys, &kinds, &at, &causes, &correlations, &positions, &duties],
        )
        .await
        .map_err(applying)?;
    Ok(())
}

/// Writes whole rows: an entry takes the place of one of the same key.
const PUT: &str = "INSERT INTO duty (stream, key, kind, at, cause, correlation, position, duty) \
     SELECT a, b, c, d, e, f, g, h::jsonb FROM unnest($1::text[], $2::text[], $3::text[], \
     $4::timestamptz[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[]) \
     AS t(a, b, c, d, e, f, g, h) ON CONFLICT (stream, key) DO UPDATE SET kind = excluded.kind, \
     at = excluded.at, cause = excluded.cause, correlation = excluded.correlation, \
     position = excluded.position, duty = excluded.duty";
