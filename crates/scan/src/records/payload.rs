//! The fields of a record in their order; the bounds are those of the reading side.

use ciborium::Value;

use super::{Anchored, COUNTER_MAX, CheckIn, CheckOut, Record, Unplanned, What};
use crate::{
    cbor::{self, Fields, Malformed},
    codes::TEXT_MAX,
    place,
};

/// The longest id, in bytes: of an enterprise, an officer, an item, a ground.
const ID_MAX: usize = 64;
const OFFICERS_MAX: usize = 16;
const ITEMS_MAX: usize = 32;
const EVIDENCE_MAX: usize = 512;
const REASON_MAX: usize = 2_000;
/// Ten years.
const ELAPSED_MAX_MS: u64 = 10 * 366 * 86_400 * 1_000;

const CHECK_IN: u64 = 1;
const CHECK_OUT: u64 = 2;

pub(super) fn write(record: &Record) -> Vec<Value> {
    vec![
        cbor::uuid(record.device),
        Value::from(record.counter),
        Value::Bytes(record.previous.to_vec()),
        Value::from(record.recorded_at),
        cbor::optional(record.anchor.as_ref(), |anchor| {
            let text = Value::from(anchor.text.as_str());
            Value::Array(vec![text, Value::from(anchor.elapsed_ms)])
        }),
        Value::Array(match &record.what {
            What::CheckIn(check_in) => write_check_in(check_in),
            What::CheckOut(check_out) => vec![
                Value::from(CHECK_OUT),
                Value::from(check_out.enterprise.as_str()),
                cbor::uuid(check_out.visit),
                Value::from(check_out.occurred_at),
            ],
        }),
    ]
}

fn write_check_in(check_in: &CheckIn) -> Vec<Value> {
    vec![
        Value::from(CHECK_IN),
        Value::from(check_in.enterprise.as_str()),
        cbor::uuid(check_in.visit),
        Value::from(check_in.occurred_at),
        cbor::texts(&check_in.officers),
        cbor::optional(check_in.code.as_deref(), Value::from),
        cbor::optional(check_in.place, place::write),
        cbor::optional(check_in.unplanned.as_ref(), |unplanned| {
            Value::Array(vec![
                cbor::texts(&unplanned.items),
                Value::from(unplanned.ground.as_str()),
                cbor::optional(unplanned.evidence.as_deref(), Value::from),
                Value::from(unplanned.reason.as_str()),
            ])
        }),
    ]
}

pub(super) fn read(mut fields: Fields) -> Result<Record, Malformed> {
    let record = Record {
        device: fields.uuid()?,
        counter: fields.integer(1, COUNTER_MAX)?,
        previous: fields.bytes()?,
        recorded_at: fields.milliseconds()?,
        anchor: fields.optional(|fields| fields.nested(read_anchored))?,
        what: fields.nested(read_what)?,
    };
    fields.end()?;
    Ok(record)
}

fn read_anchored(fields: &mut Fields) -> Result<Anchored, Malformed> {
    Ok(Anchored { text: fields.text(TEXT_MAX)?, elapsed_ms: fields.integer(0, ELAPSED_MAX_MS)? })
}

fn read_what(fields: &mut Fields) -> Result<What, Malformed> {
    let number = fields.integer(CHECK_IN, CHECK_OUT)?;
    let enterprise = fields.text(ID_MAX)?;
    let visit = fields.uuid()?;
    let occurred_at = fields.milliseconds()?;
    if number == CHECK_OUT {
        return Ok(What::CheckOut(CheckOut { enterprise, visit, occurred_at }));
    }
    Ok(What::CheckIn(CheckIn {
        enterprise,
        visit,
        occurred_at,
        officers: fields.texts(OFFICERS_MAX, ID_MAX)?,
        code: fields.optional(|fields| fields.text(TEXT_MAX))?,
        place: fields.optional(place::read)?,
        unplanned: fields.optional(|fields| fields.nested(read_unplanned))?,
    }))
}

fn read_unplanned(fields: &mut Fields) -> Result<Unplanned, Malformed> {
    Ok(Unplanned {
        items: fields.texts(ITEMS_MAX, ID_MAX)?,
        ground: fields.text(ID_MAX)?,
        evidence: fields.optional(|fields| fields.text(EVIDENCE_MAX))?,
        reason: fields.text(REASON_MAX)?,
    })
}
