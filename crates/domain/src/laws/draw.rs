//! Random draws under random pools and seeds: fair in number, and the same however the pool came together.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::cases;
use crate::{
    CertificateNumber, EnterpriseId,
    draw::{
        Candidate, Command, Counts, Done, Draw, Drawn, Opening, Outcome, RatioTable, Ratios, Seed,
        Share, officers_for, outcome,
    },
    enterprise::CreditGrade,
    kit::{World, accepted, catalogue, certificate, name, unit},
};

const GRADES: [CreditGrade; 4] = [CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D];

fn any_opening() -> impl Strategy<Value = Opening> {
    let ratios = (0..=5_u8, 5..=20_u8, 21..=60_u8, 61..=100_u8);
    (ratios, 5..9_usize, 2..4_u8).prop_map(|((a, b, c, d), officers, per_visit)| Opening {
        title: name("双随机抽查"),
        unit: unit("market-regulation"),
        campaign: None,
        ratios: Ratios { a, b, c, d },
        officers: (1..=officers).map(certificate).collect(),
        per_visit,
    })
}

/// Candidates of any grade, each of which at most two officers must avoid.
fn any_pool(most: usize) -> impl Strategy<Value = Vec<Candidate>> {
    let grade = option::weighted(0.8, select(GRADES.to_vec()));
    let avoid = vec((1..6_usize).prop_map(certificate), 0..3);
    vec((grade, avoid), 1..most).prop_map(|all| {
        let candidate = |(n, (grade, avoid)): (usize, (_, Vec<CertificateNumber>))| Candidate {
            enterprise: EnterpriseId::parse(&format!("L-{n}")).unwrap(),
            grade,
            avoid: avoid.into_iter().collect(),
        };
        all.into_iter().enumerate().map(candidate).collect()
    })
}

fn by_id(pool: &[Candidate]) -> BTreeMap<EnterpriseId, Candidate> {
    pool.iter().map(|found| (found.enterprise.clone(), found.clone())).collect()
}

fn made_of(opening: &Opening, chunks: &[Vec<Candidate>], seed: Seed) -> Done {
    let world = World { catalogues: vec![catalogue("market-regulation")], ..World::default() };
    let context = world.at("2025-03-03T09:00+08:00");
    let unit = || unit("market-regulation");
    let open = Command::Open { opening: opening.clone(), table: RatioTable::default() };
    let add =
        |chunk: &Vec<Candidate>| Command::AddCandidates { unit: unit(), candidates: chunk.clone() };
    let make = Command::Make { unit: unit(), seed };
    let commands = std::iter::once(open).chain(chunks.iter().map(add)).chain([make]);
    let state = commands.fold(Draw::Absent, |state, command| accepted(state, &context, &command));
    match state {
        Draw::Made(done) => *done,
        Draw::Absent | Draw::Open(_) => panic!("it was made"),
    }
}

/// How far the drawn of a grade are from their exact share, in hundredths of an enterprise.
fn error(ratios: &Ratios, grade: CreditGrade, share: Share) -> u64 {
    let exact = u64::from(share.candidates) * u64::from(ratios.of(grade));
    exact.abs_diff(u64::from(share.drawn) * 100)
}

fn counted(pool: &[Candidate], drawn: &[Drawn], grade: CreditGrade) -> Share {
    let is = |found: Option<CreditGrade>| found.unwrap_or(CreditGrade::B) == grade;
    let count = |count: usize| u32::try_from(count).unwrap();
    Share {
        candidates: count(pool.iter().filter(|found| is(found.grade)).count()),
        drawn: count(drawn.iter().filter(|found| is(found.grade)).count()),
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn neither_the_order_of_the_candidates_nor_their_chunks_matter(
        opening in any_opening(),
        (pool, shuffled) in any_pool(60).prop_flat_map(|pool| {
            (Just(pool.clone()), Just(pool).prop_shuffle())
        }),
        size in 1..20_usize,
        seed in any::<[u8; 32]>().prop_map(Seed),
    ) {
        let chunks: Vec<Vec<Candidate>> = shuffled.chunks(size).map(<[_]>::to_vec).collect();
        let whole = made_of(&opening, std::slice::from_ref(&pool), seed);
        let in_chunks = made_of(&opening, &chunks, seed);
        prop_assert_eq!(&in_chunks, &whole);

        // Whoever redoes it finds what was recorded, and what is shown.
        let Outcome { made, drawn } = outcome(&opening, &by_id(&pool), seed);
        prop_assert_eq!(&made, &whole.made);
        let shown = whole.drawn.values().map(|candidate| Drawn {
            enterprise: candidate.enterprise.clone(),
            grade: candidate.grade,
            officers: officers_for(&opening, candidate, seed),
        });
        prop_assert_eq!(drawn, shown.collect::<Vec<_>>());
    }

    #[test]
    fn of_each_grade_its_share_is_drawn_to_half_an_enterprise(
        opening in any_opening(),
        pool in any_pool(200),
        seed in any::<[u8; 32]>().prop_map(Seed),
    ) {
        let Outcome { made, drawn } = outcome(&opening, &by_id(&pool), seed);
        let Counts { a, b, c, d } = made.counts;
        for (grade, share) in GRADES.into_iter().zip([a, b, c, d]) {
            prop_assert_eq!(share, counted(&pool, &drawn, grade));
            prop_assert!(error(&opening.ratios, grade, share) <= 50, "{:?} {:?}", grade, share);
        }
    }

    #[test]
    fn each_drawn_enterprise_has_its_number_of_officers_and_none_that_must_avoid_it(
        opening in any_opening(),
        pool in any_pool(80),
        seed in any::<[u8; 32]>().prop_map(Seed),
    ) {
        let pool = by_id(&pool);
        for Drawn { enterprise, grade, officers } in outcome(&opening, &pool, seed).drawn {
            let candidate = &pool[&enterprise];
            prop_assert_eq!(grade, candidate.grade);
            let distinct: BTreeSet<CertificateNumber> = officers.iter().cloned().collect();
            prop_assert_eq!(officers.len(), usize::from(opening.per_visit));
            prop_assert_eq!(distinct.len(), officers.len());
            prop_assert!(distinct.is_subset(&opening.officers));
            prop_assert!(candidate.avoid.iter().all(|officer| !distinct.contains(officer)));
        }
    }

    #[test]
    fn who_is_drawn_of_one_grade_does_not_depend_on_the_others(
        opening in any_opening(),
        pool in any_pool(80),
        grade in select(GRADES.to_vec()),
        seed in any::<[u8; 32]>().prop_map(Seed),
    ) {
        let alone: Vec<Candidate> =
            pool.iter().filter(|found| found.grade == Some(grade)).cloned().collect();
        // Those without a grade are drawn as B are.
        let graded: Vec<Candidate> =
            pool.iter().filter(|found| found.grade.is_some()).cloned().collect();
        let of_grade = |pool: &[Candidate]| -> Vec<Drawn> {
            let drawn = outcome(&opening, &by_id(pool), seed).drawn;
            drawn.into_iter().filter(|found| found.grade == Some(grade)).collect()
        };
        prop_assert_eq!(of_grade(&graded), of_grade(&alone));
    }

    /// Half of a hundred can be drawn in about 10^29 ways.
    #[test]
    fn another_seed_draws_others(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
        prop_assume!(one != other);
        let candidate = |n| Candidate {
            enterprise: EnterpriseId::parse(&format!("L-{n}")).unwrap(),
            grade: Some(CreditGrade::C),
            avoid: [].into(),
        };
        let pool: Vec<Candidate> = (0..100).map(candidate).collect();
        let opening = Opening {
            title: name("双随机抽查"),
            unit: unit("market-regulation"),
            campaign: None,
            ratios: Ratios { a: 0, b: 5, c: 50, d: 61 },
            officers: (1..=4).map(certificate).collect(),
            per_visit: 2,
        };
        let [one, other] = [one, other].map(|seed| outcome(&opening, &by_id(&pool), Seed(seed)));
        prop_assert_eq!(one.made.pool, other.made.pool);
        prop_assert_ne!(one.made.result, other.made.result);
        let drawn = |from: &Outcome| -> Vec<EnterpriseId> {
            from.drawn.iter().map(|found| found.enterprise.clone()).collect()
        };
        prop_assert_ne!(drawn(&one), drawn(&other));
    }
}

proptest! {
    #![proptest_config(cases(4))]

    /// Over many seeds each of twenty is drawn about as often as any other.
    #[test]
    fn nobody_is_favoured(first in any::<u64>()) {
        let candidate = |n| Candidate {
            enterprise: EnterpriseId::parse(&format!("L-{n}")).unwrap(),
            grade: Some(CreditGrade::C),
            avoid: [].into(),
        };
        let pool = by_id(&(0..20).map(candidate).collect::<Vec<_>>());
        let opening = Opening {
            title: name("双随机抽查"),
            unit: unit("market-regulation"),
            campaign: None,
            ratios: Ratios { a: 0, b: 5, c: 50, d: 61 },
            officers: (1..=2).map(certificate).collect(),
            per_visit: 2,
        };
        let mut times: BTreeMap<EnterpriseId, u32> = BTreeMap::new();
        for n in 0..400_u64 {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&first.wrapping_add(n).to_le_bytes());
            for found in outcome(&opening, &pool, Seed(seed)).drawn {
                *times.entry(found.enterprise).or_default() += 1;
            }
        }
        // 200 of 400 are expected; ten standard deviations of ten lie on each side.
        prop_assert_eq!(times.len(), 20);
        for (enterprise, drawn) in times {
            prop_assert!((100..=300).contains(&drawn), "{enterprise}: {drawn}");
        }
    }
}
