//! Each command on a random draw in each phase, bounds, shares, and one draw counted elsewhere.

use super::*;
use crate::kit::{World, accepted, catalogue, certificate, name, names, unit, when};

const MONDAY: &str = "2025-03-03T09:00+08:00";

fn world() -> World {
    World { catalogues: vec![catalogue("market-regulation")], ..World::default() }
}

fn opening() -> Opening {
    Opening {
        title: name("2025年第一季度双随机抽查"),
        unit: unit("market-regulation"),
        campaign: None,
        ratios: Ratios { a: 5, b: 20, c: 50, d: 100 },
        officers: (1..=6).map(certificate).collect(),
        per_visit: 2,
    }
}

fn open(opening: Opening) -> Command {
    Command::Open { opening, table: RatioTable::default() }
}

fn enterprise(n: usize) -> EnterpriseId {
    EnterpriseId::parse(&format!("L-{n:04}")).unwrap()
}

fn candidate(n: usize, grade: Option<CreditGrade>) -> Candidate {
    Candidate { enterprise: enterprise(n), grade, avoid: [].into() }
}

/// Ten of each grade and ten without one, numbered on: A, B, C, D, none, A and so on.
fn candidates() -> Vec<Candidate> {
    let grades = [
        Some(CreditGrade::A),
        Some(CreditGrade::B),
        Some(CreditGrade::C),
        Some(CreditGrade::D),
        None,
    ];
    (0..50).map(|n| candidate(n, grades[n % grades.len()])).collect()
}

fn add(candidates: Vec<Candidate>) -> Command {
    Command::AddCandidates { unit: unit("market-regulation"), candidates }
}

fn seed(n: u8) -> Seed {
    Seed(std::array::from_fn(|at| n.wrapping_add(u8::try_from(at).unwrap())))
}

fn make(n: u8) -> Command {
    Command::Make { unit: unit("market-regulation"), seed: seed(n) }
}

#[track_caller]
fn after(commands: &[Command]) -> Draw {
    let world = world();
    commands.iter().fold(Draw::Absent, |state, command| accepted(state, &world.at(MONDAY), command))
}

fn in_phase(phase: &str) -> Draw {
    match phase {
        "absent" => Draw::Absent,
        "empty" => after(&[open(opening())]),
        "open" => after(&[open(opening()), add(candidates())]),
        "made" => after(&[open(opening()), add(candidates()), make(1)]),
        other => panic!("no phase {other}"),
    }
}

fn done(state: &Draw) -> &Done {
    match state {
        Draw::Made(done) => done,
        Draw::Absent | Draw::Open(_) => panic!("it is not made"),
    }
}

#[track_caller]
fn refused(state: &Draw, command: &Command) -> Rejection {
    when(state, &world().at(MONDAY), command).expect_err("it is out of order")
}

#[test]
fn a_draw_is_opened_filled_and_made_once() {
    let told = |command: &Command| {
        ["absent", "empty", "open", "made"].map(|phase| {
            match when(&in_phase(phase), &world().at(MONDAY), command) {
                Ok(events) => names(&events),
                Err(rejection) => rejection.to_string(),
            }
        })
    };
    let unknown = "there is no such draw";
    assert_eq!(told(&open(opening())), ["DrawOpened", "nothing", "nothing", "nothing"]);
    let closed = "the draw is made, its pool is closed";
    assert_eq!(told(&add(candidates())), [unknown, "CandidatesAdded", "nothing", closed]);
    assert_eq!(told(&make(1)), [unknown, "the pool is empty", "DrawMade", "nothing"]);
}

#[test]
fn there_is_no_second_draw_from_the_same_pool() {
    let state = in_phase("made");
    let again = when(&state, &world().at(MONDAY), &make(99)).unwrap();
    assert_eq!(again, []);
    assert_eq!(done(&state).made.seed, seed(1));
}

#[test]
fn the_seed_is_no_part_of_what_was_asked() {
    let [one, other] = [make(1), make(2)].map(|command| serde_json::to_string(&command).unwrap());
    assert_eq!(one, other);
    let add = |count: usize| {
        serde_json::to_string(&add(candidates().into_iter().take(count).collect())).unwrap()
    };
    assert_ne!(add(1), add(2));
}

#[test]
fn another_content_under_the_same_id_is_refused() {
    let other = Opening { per_visit: 3, ..opening() };
    assert_eq!(refused(&in_phase("open"), &open(other)), Rejection::OpenedDifferently);
}

#[test]
fn only_the_unit_that_opened_it_goes_on() {
    let by = || unit("tax");
    let expected = Rejection::OtherUnit { unit: unit("market-regulation") };
    let add = Command::AddCandidates { unit: by(), candidates: candidates() };
    assert_eq!(refused(&in_phase("open"), &add), expected);
    let make = Command::Make { unit: by(), seed: seed(1) };
    assert_eq!(refused(&in_phase("open"), &make), expected);
    assert_eq!(refused(&in_phase("made"), &make), expected);
}

#[test]
fn each_ratio_lies_within_its_bounds() {
    let opened = |ratios| {
        when(&Draw::Absent, &world().at(MONDAY), &open(Opening { ratios, ..opening() }))
            .map(|events| names(&events))
    };
    for ratios in [Ratios { a: 0, b: 5, c: 21, d: 61 }, Ratios { a: 5, b: 20, c: 60, d: 100 }] {
        assert_eq!(opened(ratios), Ok("DrawOpened".to_owned()));
    }
    let fit = Ratios { a: 5, b: 20, c: 60, d: 100 };
    for (ratios, grade, percent, min, max) in [
        (Ratios { a: 6, ..fit }, CreditGrade::A, 6, 0, 5),
        (Ratios { b: 4, ..fit }, CreditGrade::B, 4, 5, 20),
        (Ratios { b: 21, ..fit }, CreditGrade::B, 21, 5, 20),
        (Ratios { c: 20, ..fit }, CreditGrade::C, 20, 21, 60),
        (Ratios { d: 60, ..fit }, CreditGrade::D, 60, 61, 100),
        (Ratios { d: 101, ..fit }, CreditGrade::D, 101, 61, 100),
    ] {
        let bounds = Bounds { min, max };
        assert_eq!(opened(ratios), Err(Rejection::RatioOutside { grade, percent, bounds }));
    }
}

#[test]
fn the_bounds_of_the_ratios_are_given_with_the_draw() {
    let none = Bounds { min: 0, max: 0 };
    let table = RatioTable { a: none, ..RatioTable::default() };
    let open = |a| {
        let opening = Opening { ratios: Ratios { a, ..opening().ratios }, ..opening() };
        Command::Open { opening, table }
    };
    after(&[open(0)]);
    let outside = Rejection::RatioOutside { grade: CreditGrade::A, percent: 5, bounds: none };
    assert_eq!(refused(&Draw::Absent, &open(5)), outside);
}

#[test]
fn officers_are_enough_and_the_unit_s_own() {
    let opened = |officers: &[usize], per_visit| {
        let officers = officers.iter().copied().map(certificate).collect();
        let opening = Opening { officers, per_visit, ..opening() };
        when(&Draw::Absent, &world().at(MONDAY), &open(opening)).map(|events| names(&events))
    };
    assert_eq!(opened(&[1, 2], 2), Ok("DrawOpened".to_owned()));
    assert_eq!(opened(&[1, 2], 1), Err(Rejection::OfficersPerVisit { found: 1 }));
    assert_eq!(opened(&[1, 2], 11), Err(Rejection::OfficersPerVisit { found: 11 }));
    assert_eq!(opened(&[1, 2], 3), Err(Rejection::OfficerCount { found: 2, min: 3 }));
    let many: Vec<usize> = (1..=501).collect();
    assert_eq!(opened(&many, 2), Err(Rejection::OfficerCount { found: 501, min: 2 }));
    assert_eq!(opened(&[1, 77], 2), Err(Rejection::OfficerInvalid(certificate(77))));

    let mut expired = world();
    expired.catalogues[0].officers[0].valid_until = "2025-03-02".parse().unwrap();
    let found = when(&Draw::Absent, &expired.at(MONDAY), &open(opening()));
    assert_eq!(found, Err(Rejection::OfficerInvalid(certificate(1))));
    let elsewhere = World { catalogues: vec![catalogue("tax")], ..World::default() };
    let found = when(&Draw::Absent, &elsewhere.at(MONDAY), &open(opening()));
    assert_eq!(found, Err(Rejection::CatalogueMissing { unit: unit("market-regulation") }));
}

#[test]
fn a_candidate_is_in_the_pool_once() {
    let half: Vec<Candidate> = candidates().into_iter().take(25).collect();
    let state = after(&[open(opening()), add(half.clone())]);
    let events = when(&state, &world().at(MONDAY), &add(candidates())).unwrap();
    let fresh: Vec<Candidate> = candidates().into_iter().skip(25).collect();
    assert_eq!(events, [Event::CandidatesAdded { candidates: fresh }]);
    let twice = [half[0].clone(), half[0].clone(), candidate(900, None), candidate(900, None)];
    let events = when(&state, &world().at(MONDAY), &add(twice.to_vec())).unwrap();
    assert_eq!(events, [Event::CandidatesAdded { candidates: vec![candidate(900, None)] }]);

    let regraded = candidate(0, Some(CreditGrade::D));
    let expected = Rejection::CandidateTwice(enterprise(0));
    assert_eq!(refused(&state, &add(vec![regraded.clone()])), expected);
    let avoided =
        Candidate { avoid: [certificate(1)].into(), ..candidate(0, Some(CreditGrade::A)) };
    assert_eq!(refused(&state, &add(vec![avoided])), expected);
    let both = add(vec![candidate(0, Some(CreditGrade::A)), regraded]);
    assert_eq!(refused(&in_phase("empty"), &both), expected);
}

#[test]
fn a_command_adds_only_so_many() {
    let pool = |count: usize| (0..count).map(|n| candidate(n, None)).collect::<Vec<_>>();
    let empty = in_phase("empty");
    assert_eq!(refused(&empty, &add(vec![])), Rejection::AddedCount { found: 0 });
    assert_eq!(refused(&empty, &add(pool(2_001))), Rejection::AddedCount { found: 2_001 });
    let shy = |n| Candidate { avoid: (1..=3).map(certificate).collect(), ..candidate(n, None) };
    let found = refused(&empty, &add((0..667).map(shy).collect()));
    assert_eq!(found, Rejection::AvoidCount { found: 2_001 });
    let full = after(&[open(opening()), add(pool(2_000))]);
    let Draw::Open(full) = full else { panic!("it is open") };
    assert_eq!(full.candidates.len(), 2_000);
    assert_eq!(full.counts.total(), Share { candidates: 2_000, drawn: 400 });
}

#[test]
fn a_pool_keeps_its_bounds() {
    let filled = |count: usize, ratios, officers: usize| {
        let candidates = (0..count).map(|n| candidate(n, Some(CreditGrade::D)));
        let opening =
            Opening { ratios, officers: (1..=officers).map(certificate).collect(), ..opening() };
        let mut open = Open { opening, candidates: [].into(), counts: Counts::default() };
        candidates.for_each(|candidate| open.add(candidate));
        Draw::Open(Box::new(open))
    };
    let one_more = add(vec![candidate(900_000, Some(CreditGrade::D))]);
    let ratios = Ratios { d: 61, ..opening().ratios };
    let found = refused(&filled(200_000, ratios, 2), &one_more);
    assert_eq!(found, Rejection::PoolTooLarge { found: 200_001 });
    let ratios = Ratios { d: 100, ..ratios };
    let found = refused(&filled(4_000, ratios, 500), &one_more);
    assert_eq!(found, Rejection::DrawTooLarge { drawn: 4_001, officers: 500 });
    accepted(filled(3_999, ratios, 500), &world().at(MONDAY), &one_more);
}

#[test]
fn no_enterprise_is_left_without_officers() {
    let avoids = |count: usize| Candidate {
        avoid: (1..=count).map(certificate).collect(),
        ..candidate(1, Some(CreditGrade::D))
    };
    let refusal = refused(&in_phase("empty"), &add(vec![avoids(5)]));
    let enterprise = enterprise(1);
    assert_eq!(refusal, Rejection::TooFewFree { enterprise, free: 1, min: 2 });

    let state = after(&[open(opening()), add(vec![avoids(4)]), make(1)]);
    let Done { opening, made, drawn } = done(&state);
    let candidate = drawn.values().next().unwrap();
    let mut officers = officers_for(opening, candidate, made.seed);
    officers.sort();
    assert_eq!(officers, [certificate(5), certificate(6)]);
}

#[test]
fn the_share_is_rounded_to_the_nearest_and_a_half_upwards() {
    let ratios = Ratios { a: 5, b: 20, c: 50, d: 100 };
    for (grade, of, drawn) in [
        (CreditGrade::A, 0, 0),
        (CreditGrade::A, 9, 0),
        (CreditGrade::A, 10, 1),
        (CreditGrade::A, 29, 1),
        (CreditGrade::A, 30, 2),
        (CreditGrade::B, 2, 0),
        (CreditGrade::B, 3, 1),
        (CreditGrade::C, 1, 1),
        (CreditGrade::D, 7, 7),
        (CreditGrade::D, u32::MAX, u32::MAX),
    ] {
        assert_eq!(ratios.share(grade, of), drawn, "{grade:?} of {of}");
    }
}

#[test]
fn whoever_has_no_grade_is_drawn_as_b_is() {
    let state = in_phase("made");
    let counts = done(&state).made.counts;
    assert_eq!(counts.b, Share { candidates: 20, drawn: 4 });
    assert_eq!(counts.a, Share { candidates: 10, drawn: 1 });
    assert_eq!(counts.total(), Share { candidates: 50, drawn: 20 });
}

/// Counted by a script on Python's `hashlib`, which shares nothing with this program.
#[test]
fn a_draw_counted_elsewhere_comes_out_the_same() {
    let mut pool = candidates();
    pool[3].avoid = [certificate(1), certificate(4)].into();
    let state = after(&[open(opening()), add(pool), make(1)]);
    let Done { opening, made, drawn } = done(&state);
    assert_eq!(
        made.pool.to_string(),
        "c258f826f371f7dba55ee3904177d6fc3f73abe38a994388c689e41c73801c3d"
    );
    assert_eq!(
        made.result.to_string(),
        "b7c873d4b61cea5dce158f7448f62fd89cd7c3d9a1a4c2b5683d6aa200c1d98c"
    );
    let ids: Vec<&str> = drawn.keys().map(EnterpriseId::as_str).collect();
    assert_eq!(
        ids.join(" "),
        "L-0002 L-0003 L-0007 L-0008 L-0011 L-0012 L-0013 L-0017 L-0018 L-0023 L-0028 L-0032 L-0033 L-0034 L-0035 L-0038 L-0039 L-0043 L-0048 L-0049"
    );
    let officers = officers_for(opening, &drawn[&enterprise(3)], made.seed);
    let officers: Vec<&str> = officers.iter().map(CertificateNumber::as_str).collect();
    assert_eq!(officers.join(" "), "2102-0003 2102-0005");
}

#[test]
fn seeds_are_64_digits_in_lower_case() {
    let text = seed(7).to_string();
    assert_eq!(Seed::try_from(text.clone()), Ok(seed(7)));
    for wrong in ["", &text[1..], &text.to_uppercase(), &text.replace('0', "g")] {
        assert_eq!(Seed::try_from(wrong.to_owned()), Err(SeedError), "{wrong}");
    }
    assert_eq!(Seed::try_from(format!("{text}0")), Err(SeedError));
}
