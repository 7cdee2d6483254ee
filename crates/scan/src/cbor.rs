//! Reading and writing the one deterministic CBOR form (RFC 8949 section 4.2.1) of a value.
//!
//! A value has exactly one form here: what is not written back to the same bytes is refused, and so
//! are bytes after its end, lengths without an end, and nesting deeper than [`DEPTH_MAX`].

use ciborium::Value;
use uuid::Uuid;

/// How deep arrays, maps and tags may lie in each other; a record needs four.
const DEPTH_MAX: usize = 8;

/// The last second of the year 2999: later instants are refused, so that everybody's calendar
/// holds them.
const SECOND_MAX: i64 = 32_503_679_999;

/// What is wrong with a value, for a person to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(crate) &'static str);

/// Reads one value in its deterministic form, and nothing after it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, Malformed> {
    let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, DEPTH_MAX)
        .map_err(|_| Malformed("it is not CBOR, ends early, or is nested too deep"))?;
    if encode(&value)? != bytes {
        return Err(Malformed(
            "its CBOR is not in the deterministic form, or something follows it",
        ));
    }
    Ok(value)
}

/// Writes a value; the order of a map's keys is the caller's.
pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| Malformed("it cannot be written"))?;
    Ok(bytes)
}

/// The elements of an array, taken one after the other.
#[derive(Debug)]
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub(crate) fn of(value: Value) -> Result<Self, Malformed> {
        let array = value.into_array().map_err(|_| Malformed("an array was expected"))?;
        Ok(Self(array.into_iter()))
    }

    /// The next element, of any type.
    pub(crate) fn any(&mut self) -> Result<Value, Malformed> {
        self.0.next().ok_or(Malformed("an array is too short"))
    }

    /// That the array has no further element.
    pub(crate) fn end(mut self) -> Result<(), Malformed> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err(Malformed("an array is too long")),
        }
    }

    /// An integer of `T`'s range between `least` and `most`.
    pub(crate) fn integer<T>(&mut self, least: T, most: T) -> Result<T, Malformed>
    where
        T: TryFrom<i128> + PartialOrd,
    {
        let integer =
            self.any()?.into_integer().map_err(|_| Malformed("an integer was expected"))?;
        let integer = T::try_from(i128::from(integer)).ok();
        integer
            .filter(|integer| (least..=most).contains(integer))
            .ok_or(Malformed("a number is out of bounds"))
    }

    /// Seconds since 1970 in UTC, in the years 1970 to 2999.
    pub(crate) fn seconds(&mut self) -> Result<i64, Malformed> {
        self.integer(0, SECOND_MAX)
    }

    /// Milliseconds since 1970 in UTC, in the years 1970 to 2999.
    pub(crate) fn milliseconds(&mut self) -> Result<i64, Malformed> {
        self.integer(0, SECOND_MAX * 1_000 + 999)
    }

    /// A text of 1 to `bytes_max` bytes of UTF-8.
    pub(crate) fn text(&mut self, bytes_max: usize) -> Result<String, Malformed> {
        let text = self.any()?.into_text().map_err(|_| Malformed("a text was expected"))?;
        if text.is_empty() || text.len() > bytes_max {
            return Err(Malformed("a text is empty or too long"));
        }
        Ok(text)
    }

    /// At most `texts_max` texts of 1 to `bytes_max` bytes.
    pub(crate) fn texts(
        &mut self,
        texts_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<String>, Malformed> {
        let mut list = Self::of(self.any()?)?;
        if list.0.len() > texts_max {
            return Err(Malformed("a list is too long"));
        }
        (0..list.0.len()).map(|_| list.text(bytes_max)).collect()
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.any()?.into_bytes().map_err(|_| Malformed("bytes were expected"))?;
        bytes.try_into().map_err(|_| Malformed("a byte string has another length"))
    }

    /// A UUID as its 16 bytes.
    pub(crate) fn uuid(&mut self) -> Result<Uuid, Malformed> {
        self.bytes().map(Uuid::from_bytes)
    }

    /// Null, or what `read` takes from the array holding this one element.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        let value = self.any()?;
        if value.is_null() {
            return Ok(None);
        }
        read(&mut Self(vec![value].into_iter())).map(Some)
    }

    /// An array in the array, which `read` must take whole.
    pub(crate) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let mut inner = Self::of(self.any()?)?;
        let read = read(&mut inner)?;
        inner.end()?;
        Ok(read)
    }
}

/// A UUID as its 16 bytes.
pub(crate) fn uuid(id: Uuid) -> Value {
    Value::Bytes(id.as_bytes().to_vec())
}

/// The value, or null.
pub(crate) fn optional<T>(value: Option<T>, write: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, write)
}

/// A list of texts.
pub(crate) fn texts(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect())
}
