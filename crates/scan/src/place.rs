//! A place on the map, as a device measures it.

use ciborium::Value;

use crate::cbor::{Fields, Malformed};

/// A place on the map with how exactly it is known (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Millionths of a degree north, -90,000,000 to 90,000,000.
    pub latitude_e6: i32,
    /// Millionths of a degree east, -180,000,000 to 180,000,000.
    pub longitude_e6: i32,
    /// Radius in metres in which the place is believed to lie, at most 100,000.
    pub accuracy_m: u32,
}

pub(crate) fn write(place: Place) -> Value {
    Value::Array(vec![
        Value::from(place.latitude_e6),
        Value::from(place.longitude_e6),
        Value::from(place.accuracy_m),
    ])
}

pub(crate) fn read(fields: &mut Fields) -> Result<Place, Malformed> {
    fields.nested(|fields| {
        Ok(Place {
            latitude_e6: fields.integer(-90_000_000, 90_000_000)?,
            longitude_e6: fields.integer(-180_000_000, 180_000_000)?,
            accuracy_m: fields.integer(0, 100_000)?,
        })
    })
}
