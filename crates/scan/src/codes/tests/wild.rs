//! Laws over random texts: nothing panics, nothing but what was sealed opens.

use proptest::prelude::*;

use super::*;

fn codes() -> impl Strategy<Value = Code> {
    let place = (-90_000_000..=90_000_000, -180_000_000..=180_000_000, 0..=100_000_u32).prop_map(
        |(latitude_e6, longitude_e6, accuracy_m)| Place { latitude_e6, longitude_e6, accuracy_m },
    );
    let common = (any::<u128>(), "[A-Z0-9-]{1,64}", 0..2_000_000_000_i64, 1..100_000_000_i64);
    let own = (any::<bool>(), any::<bool>(), proptest::option::of(place), any::<u128>());
    (common, own).prop_map(
        |((id, enterprise, issued_at, lasts), (visit, printed, place, other))| {
            let (id, expires_at) = (Uuid::from_u128(id), issued_at + lasts);
            if visit {
                let visit = Uuid::from_u128(other);
                return Code::Visit(VisitCode { id, enterprise, visit, issued_at, expires_at });
            }
            let form = if printed { Form::Printed } else { Form::Rotating };
            Code::Enterprise(EnterpriseCode { id, enterprise, form, place, issued_at, expires_at })
        },
    )
}

proptest! {
    #[test]
    fn codes_round_trip(code in codes()) {
        let now = match &code {
            Code::Enterprise(code) => code.issued_at,
            Code::Visit(code) => code.issued_at,
        };
        let text = one().seal(&code).unwrap();
        prop_assert!(text.len() <= TEXT_MAX);
        prop_assert_eq!(one().open(&text, now), Ok(code));
    }

    #[test]
    fn random_text_never_opens(text in "(DD1:)?\\PC{0,200}", now in any::<i64>()) {
        prop_assert!(one().open(&text, now).is_err());
        prop_assert!(one().open_anchor(&text).is_err());
    }

    #[test]
    fn random_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let text = format!("{PREFIX}{}", base45::encode(bytes));
        prop_assert!(one().open(&text, NOW).is_err());
        prop_assert!(one().open_anchor(&text).is_err());
    }

    #[test]
    fn text_with_one_other_character_never_opens(
        at in any::<proptest::sample::Index>(),
        other in "[0-9A-Z $%*+./:-]",
    ) {
        let text = one().seal(&Code::Enterprise(enterprise_code())).unwrap();
        let at = at.index(text.len());
        prop_assume!(text[at..=at] != other);
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        prop_assert!(one().open(&changed, NOW).is_err());
    }

    #[test]
    fn changed_bytes_never_open(
        cut in any::<proptest::sample::Index>(),
        removed in 0..8_usize,
        put in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let text = one().seal(&Code::Visit(visit_code())).unwrap();
        let bytes = base45::decode(&text[4..]).unwrap();
        let cut = cut.index(bytes.len());
        let mut changed = bytes.clone();
        changed.splice(cut..(cut + removed).min(bytes.len()), put);
        prop_assume!(changed != bytes);
        let changed = format!("{PREFIX}{}", base45::encode(changed));
        prop_assert!(one().open(&changed, NOW).is_err());
    }
}
