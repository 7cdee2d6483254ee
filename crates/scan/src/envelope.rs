//! COSE_Sign1 (RFC 9052 section 4.2) around a payload `[version, kind, …]`, signed with Ed25519.
//!
//! The kind stands in the payload and, as external data, in what is signed: nothing that was sealed
//! for one use verifies for another. The headers hold the algorithm and the key's name, protected,
//! and nothing else, so that there is one form of bytes for what was signed.

use ciborium::Value;
use coset::{
    AsCborValue as _, CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable,
    iana::{Algorithm, EnumI64 as _, HeaderParameter},
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::cbor::{self, Fields, Malformed};

/// The version of every payload, raised when its shape changes.
const VERSION: u64 = 1;

/// What a payload is sealed for; its number is the payload's second element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    EnterpriseCode = 1,
    VisitCode = 2,
    Anchor = 3,
    Record = 4,
}

impl Kind {
    const ALL: [Self; 4] = [Self::EnterpriseCode, Self::VisitCode, Self::Anchor, Self::Record];

    fn number(self) -> u64 {
        self as u64
    }

    /// The external data (`external_aad`) that is signed with a payload of this kind.
    fn external(self) -> &'static [u8] {
        match self {
            Self::EnterpriseCode => b"doudi.enterprise-code.1",
            Self::VisitCode => b"doudi.visit-code.1",
            Self::Anchor => b"doudi.anchor.1",
            Self::Record => b"doudi.record.1",
        }
    }
}

/// Why bytes are not an envelope that this version can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnvelopeError {
    Malformed(Malformed),
    VersionUnknown,
    AlgorithmUnknown,
    KindUnknown,
}

impl From<Malformed> for EnvelopeError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// What was read, and is not to be believed before [`Envelope::verify`].
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    pub(crate) kid: Vec<u8>,
    cose: CoseSign1,
    fields: Fields,
}

/// Signs the fields of a payload.
pub(crate) fn seal(
    kind: Kind,
    fields: Vec<Value>,
    kid: &[u8],
    key: &SigningKey,
) -> Result<Vec<u8>, Malformed> {
    let mut payload = vec![Value::from(VERSION), Value::from(kind.number())];
    payload.extend(fields);
    let protected = HeaderBuilder::new().algorithm(Algorithm::EdDSA).key_id(kid.to_vec()).build();
    CoseSign1Builder::new()
        .protected(protected)
        .payload(cbor::encode(&Value::Array(payload))?)
        .create_signature(kind.external(), |signed| key.sign(signed).to_vec())
        .build()
        .to_tagged_vec()
        .map_err(|_| Malformed("it cannot be written"))
}

impl Envelope {
    /// Reads the bytes. The caller has bounded their number.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let tagged = cbor::decode(bytes)?.into_tag();
        let (tag, value) = tagged.map_err(|_| Malformed("the tag of COSE_Sign1 is missing"))?;
        if tag != CoseSign1::TAG {
            return Err(Malformed("it has the tag of something else than COSE_Sign1").into());
        }
        if let Some(Value::Bytes(protected)) = value.as_array().and_then(|array| array.first()) {
            // Before the library reads them, since it knows neither our depth nor every algorithm.
            headers(protected)?;
        }
        let cose = CoseSign1::from_cbor_value(*value)
            .map_err(|_| Malformed("it is not of the form of COSE_Sign1"))?;
        if !cose.unprotected.is_empty() {
            return Err(Malformed("it has unprotected headers").into());
        }
        let kid = cose.protected.header.key_id.clone();
        let payload = cose.payload.as_deref().ok_or(Malformed("it has no payload"))?;
        let mut fields = Fields::of(cbor::decode(payload)?)?;
        if fields.integer(0, u64::MAX)? != VERSION {
            return Err(EnvelopeError::VersionUnknown);
        }
        let number = fields.integer(0, u64::MAX)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.number() == number);
        Ok(Self { kind: kind.ok_or(EnvelopeError::KindUnknown)?, kid, cose, fields })
    }

    /// The payload's fields after version and kind, if `key` signed them.
    pub(crate) fn verify(self, key: &VerifyingKey) -> Option<Fields> {
        let signature = Signature::from_slice(&self.cose.signature).ok()?;
        let signed = self.cose.tbs_data(self.kind.external());
        key.verify_strict(&signed, &signature).ok().map(|()| self.fields)
    }
}

/// That the protected header is `{1: -8, 4: kid}`: above all without `crit`.
fn headers(protected: &[u8]) -> Result<(), EnvelopeError> {
    let header = cbor::decode(protected)?.into_map();
    let header = header.map_err(|_| Malformed("its protected header is no map"))?;
    let [(first, algorithm), (second, _)] = header.as_slice() else {
        return Err(Malformed("its protected header must hold alg and kid alone").into());
    };
    let labels = [first, second];
    if labels != [HeaderParameter::Alg, HeaderParameter::Kid].map(label).each_ref() {
        return Err(Malformed("its protected header must hold alg and kid alone").into());
    }
    if !algorithm.is_integer() && !algorithm.is_text() {
        return Err(Malformed("its algorithm is neither a number nor a name").into());
    }
    if *algorithm != Value::from(Algorithm::EdDSA.to_i64()) {
        return Err(EnvelopeError::AlgorithmUnknown);
    }
    Ok(())
}

fn label(parameter: HeaderParameter) -> Value {
    Value::from(parameter.to_i64())
}
