//! Who is drawn: ranks that anyone can count with `sha256sum`, and digests of what went in and came out.
//!
//! The rank of an id under a label is the SHA-256 of the 32 bytes of the seed, a zero byte, the label, a zero
//! byte and the id. Of each grade the lowest ranks are drawn under the label `A`, `B`, `C` or `D`; of the
//! officers the lowest under the enterprise's id. Equal ranks, which nobody will live to see, go by id.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    Candidate, CertificateNumber, Counts, Digest, EnterpriseId, Made, Opening, Ratios, Seed,
    grades::drawn_as,
};
use crate::enterprise::CreditGrade;

/// An enterprise that was drawn, with its officers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Its credit grade as recorded in the pool; none was drawn as B is.
    pub grade: Option<CreditGrade>,
    /// Its officers, the lowest rank first.
    pub officers: Vec<CertificateNumber>,
}

/// What comes out of a pool under a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What is recorded of it.
    pub made: Made,
    /// Who is drawn, by id.
    pub drawn: Vec<Drawn>,
}

/// Makes a draw.
#[must_use]
pub fn outcome(
    opening: &Opening,
    candidates: &BTreeMap<EnterpriseId, Candidate>,
    seed: Seed,
) -> Outcome {
    let mut counts = Counts::default();
    for candidate in candidates.values() {
        counts.add(candidate.grade, &opening.ratios);
    }
    let drawn = drawn(&opening.ratios, candidates.clone(), seed);
    let drawn: Vec<Drawn> =
        drawn.into_values().map(|candidate| with_officers(opening, candidate, seed)).collect();
    let (pool, result) = (pool_digest(opening, candidates), result_digest(&drawn));
    Outcome { made: Made { pool, seed, result, counts }, drawn }
}

fn with_officers(opening: &Opening, candidate: Candidate, seed: Seed) -> Drawn {
    let officers = officers_for(opening, &candidate, seed);
    let Candidate { enterprise, grade, .. } = candidate;
    Drawn { enterprise, grade, officers }
}

/// The officers of a drawn enterprise, without those that must avoid it, the lowest rank first.
#[must_use]
pub fn officers_for(
    opening: &Opening,
    candidate: &Candidate,
    seed: Seed,
) -> Vec<CertificateNumber> {
    let mut free: Vec<(Digest, &CertificateNumber)> = opening
        .free_for(candidate)
        .map(|officer| (rank(seed, candidate.enterprise.as_str(), officer.as_str()), officer))
        .collect();
    free.sort_unstable();
    free.into_iter().take(usize::from(opening.per_visit)).map(|(_, found)| found.clone()).collect()
}

/// The candidates that are drawn.
pub(super) fn drawn(
    ratios: &Ratios,
    mut candidates: BTreeMap<EnterpriseId, Candidate>,
    seed: Seed,
) -> BTreeMap<EnterpriseId, Candidate> {
    let mut left_out = BTreeSet::new();
    for grade in [CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D] {
        let of_grade = candidates.values().filter(|found| drawn_as(found.grade) == grade);
        let mut ranked: Vec<(Digest, &EnterpriseId)> = of_grade
            .map(|found| &found.enterprise)
            .map(|enterprise| (rank(seed, label(grade), enterprise.as_str()), enterprise))
            .collect();
        ranked.sort_unstable();
        let share = ratios.share(grade, u32::try_from(ranked.len()).unwrap_or(u32::MAX));
        let share = usize::try_from(share).unwrap_or(usize::MAX);
        left_out.extend(ranked.into_iter().skip(share).map(|(_, enterprise)| enterprise.clone()));
    }
    candidates.retain(|enterprise, _| !left_out.contains(enterprise));
    candidates
}

fn rank(seed: Seed, label: &str, id: &str) -> Digest {
    Digest::of(&[&seed.0, &[0], label.as_bytes(), &[0], id.as_bytes()])
}

fn label(grade: CreditGrade) -> &'static str {
    match grade {
        CreditGrade::A => "A",
        CreditGrade::B => "B",
        CreditGrade::C => "C",
        CreditGrade::D => "D",
    }
}

/// The SHA-256 of everything that the seed falls on, one line each, ended by a line feed, its words parted by
/// one space: `ratios` with the four shares, `per_visit` with their number, `officer` with each
/// certificate, `candidate` with each enterprise, its grade or `-`, and the officers that must avoid it;
/// ids in the order of their bytes.
fn pool_digest(opening: &Opening, candidates: &BTreeMap<EnterpriseId, Candidate>) -> Digest {
    let Opening { ratios: Ratios { a, b, c, d }, officers, per_visit, .. } = opening;
    let mut text = format!("ratios {a} {b} {c} {d}\nper_visit {per_visit}\n");
    for officer in officers {
        line(&mut text, ["officer", officer.as_str()], []);
    }
    for Candidate { enterprise, grade, avoid } in candidates.values() {
        let words = ["candidate", enterprise.as_str(), grade.map_or("-", label)];
        line(&mut text, words, avoid);
    }
    Digest::of(&[text.as_bytes()])
}

/// The SHA-256 of what came out, one line each as above: an enterprise, its grade or `-`, and its
/// officers, the lowest rank first; enterprises in the order of their bytes.
fn result_digest(drawn: &[Drawn]) -> Digest {
    let mut text = String::new();
    for Drawn { enterprise, grade, officers } in drawn {
        line(&mut text, [enterprise.as_str(), grade.map_or("-", label)], officers);
    }
    Digest::of(&[text.as_bytes()])
}

fn line<'a, const N: usize>(
    text: &mut String,
    words: [&str; N],
    more: impl IntoIterator<Item = &'a CertificateNumber>,
) {
    text.push_str(&words.join(" "));
    for word in more {
        // Writing to a text cannot fail.
        let _ = write!(text, " {word}");
    }
    text.push('\n');
}
