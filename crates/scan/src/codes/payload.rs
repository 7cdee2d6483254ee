//! The fields of codes and anchors in their order; the bounds are those of the reading side.

use ciborium::Value;

use super::{Anchor, Code, EnterpriseCode, Form, VisitCode};
use crate::{
    cbor::{self, Fields, Malformed},
    envelope::Kind,
    place,
};

/// The longest id of an enterprise, in bytes.
const ENTERPRISE_MAX: usize = 64;

pub(super) fn is_code(kind: Kind) -> bool {
    match kind {
        Kind::EnterpriseCode | Kind::VisitCode => true,
        Kind::Anchor | Kind::Record => false,
    }
}

pub(super) fn is_anchor(kind: Kind) -> bool {
    kind == Kind::Anchor
}

/// What was written, to be read back before it is sealed: what cannot be opened is never sealed.
pub(super) fn fields(written: &[Value]) -> Result<Fields, Malformed> {
    Fields::of(Value::Array(written.to_vec()))
}

pub(super) fn write_code(code: &Code) -> (Kind, Vec<Value>) {
    match code {
        Code::Enterprise(code) => (
            Kind::EnterpriseCode,
            vec![
                cbor::uuid(code.id),
                Value::from(code.enterprise.as_str()),
                Value::from(match code.form {
                    Form::Printed => 1,
                    Form::Rotating => 2,
                }),
                cbor::optional(code.place, place::write),
                Value::from(code.issued_at),
                Value::from(code.expires_at),
            ],
        ),
        Code::Visit(code) => (
            Kind::VisitCode,
            vec![
                cbor::uuid(code.id),
                Value::from(code.enterprise.as_str()),
                cbor::uuid(code.visit),
                Value::from(code.issued_at),
                Value::from(code.expires_at),
            ],
        ),
    }
}

pub(super) fn read_code(kind: Kind, mut fields: Fields) -> Result<Code, Malformed> {
    let id = fields.uuid()?;
    let enterprise = fields.text(ENTERPRISE_MAX)?;
    let code = if kind == Kind::EnterpriseCode {
        let form = match fields.integer(1, 2)? {
            1 => Form::Printed,
            _ => Form::Rotating,
        };
        let place = fields.optional(place::read)?;
        let (issued_at, expires_at) = validity(&mut fields)?;
        Code::Enterprise(EnterpriseCode { id, enterprise, form, place, issued_at, expires_at })
    } else {
        let visit = fields.uuid()?;
        let (issued_at, expires_at) = validity(&mut fields)?;
        Code::Visit(VisitCode { id, enterprise, visit, issued_at, expires_at })
    };
    fields.end()?;
    Ok(code)
}

fn validity(fields: &mut Fields) -> Result<(i64, i64), Malformed> {
    let (issued_at, expires_at) = (fields.seconds()?, fields.seconds()?);
    if issued_at >= expires_at {
        return Err(Malformed("it expires before it is issued"));
    }
    Ok((issued_at, expires_at))
}

pub(super) fn write_anchor(anchor: &Anchor) -> (Kind, Vec<Value>) {
    (Kind::Anchor, vec![cbor::uuid(anchor.device), Value::from(anchor.at)])
}

pub(super) fn read_anchor(mut fields: Fields) -> Result<Anchor, Malformed> {
    let anchor = Anchor { device: fields.uuid()?, at: fields.milliseconds()? };
    fields.end()?;
    Ok(anchor)
}
