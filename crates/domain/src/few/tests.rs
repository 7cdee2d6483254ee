//! They behave as what the standard library has.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What is done to a map or a set.
#[derive(Debug, Clone)]
enum Step {
    Put(u8, u16),
    Take(u8),
    Change(u8),
    Extend(Vec<(u8, u16)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0_u8..12;
    let step = prop_oneof![
        (key(), any::<u16>()).prop_map(|(key, value)| Step::Put(key, value)),
        key().prop_map(Step::Take),
        key().prop_map(Step::Change),
        prop::collection::vec((key(), any::<u16>()), 0..6).prop_map(Step::Extend),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #[test]
    fn a_map_is_what_a_tree_is(begin in prop::collection::vec((0_u8..12, any::<u16>()), 0..20), steps in steps()) {
        let mut few: FewMap<u8, u16> = begin.iter().copied().collect();
        let mut tree: BTreeMap<u8, u16> = begin.into_iter().collect();
        for step in steps {
            match step {
                Step::Put(key, value) => prop_assert_eq!(few.insert(key, value), tree.insert(key, value)),
                Step::Take(key) => prop_assert_eq!(few.remove(&key), tree.remove(&key)),
                Step::Change(key) => {
                    let (own, theirs) = (few.get_mut(&key), tree.get_mut(&key));
                    prop_assert_eq!(own.is_some(), theirs.is_some());
                    own.into_iter().chain(theirs).for_each(|value| *value = value.wrapping_mul(3));
                }
                Step::Extend(entries) => {
                    few.extend(entries.clone());
                    tree.extend(entries);
                }
            }
            prop_assert!(few.iter().eq(tree.iter()) && few.keys().eq(tree.keys()));
            prop_assert!(few.values().eq(tree.values()) && few.len() == tree.len());
            prop_assert_eq!(few.is_empty(), tree.is_empty());
            prop_assert!((0..12).all(|key| few.get(&key) == tree.get(&key) && few.contains_key(&key) == tree.contains_key(&key)));
            prop_assert_eq!(format!("{few:?}"), format!("{tree:?}"));
            let text = serde_json::to_string(&few).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&tree).unwrap());
            prop_assert_eq!(&serde_json::from_str::<FewMap<u8, u16>>(&text).unwrap(), &few);
        }
        prop_assert!(few.into_iter().eq(tree));
    }

    #[test]
    fn a_set_is_what_a_tree_is(begin in prop::collection::vec(0_u8..12, 0..20), steps in steps()) {
        let mut few: FewSet<u8> = begin.iter().copied().collect();
        let mut tree: BTreeSet<u8> = begin.into_iter().collect();
        for step in steps {
            match step {
                Step::Put(value, _) | Step::Change(value) => prop_assert_eq!(few.insert(value), tree.insert(value)),
                Step::Take(value) => prop_assert_eq!(few.remove(&value), tree.remove(&value)),
                Step::Extend(entries) => {
                    few.extend(entries.iter().map(|(value, _)| *value));
                    tree.extend(entries.iter().map(|(value, _)| *value));
                }
            }
            prop_assert!(few.iter().eq(tree.iter()) && few.first() == tree.first());
            prop_assert_eq!((few.len(), few.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert!((0..12).all(|value| few.contains(&value) == tree.contains(&value)));
            prop_assert_eq!(format!("{few:?}"), format!("{tree:?}"));
            let text = serde_json::to_string(&few).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&tree).unwrap());
            prop_assert_eq!(&serde_json::from_str::<FewSet<u8>>(&text).unwrap(), &few);
        }
        prop_assert!(few.into_iter().eq(tree));
    }
}

#[test]
fn what_is_stored_in_any_order_and_twice_is_read_as_by_the_standard_library() {
    let text = r#"{"b":1,"a":2,"b":3}"#;
    let few: FewMap<String, u8> = serde_json::from_str(text).unwrap();
    let tree: BTreeMap<String, u8> = serde_json::from_str(text).unwrap();
    assert!(few.iter().eq(tree.iter()), "{few:?}");
    let few: FewSet<u8> = serde_json::from_str("[3,1,3,2]").unwrap();
    assert!(few.iter().eq(&[1, 2, 3]));
    assert_eq!(serde_json::to_string(&FewMap::<u8, u8>::new()).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&FewSet::<u8>::new()).unwrap(), "[]");
}

#[test]
fn it_takes_no_more_room_than_what_is_in_it() {
    let (mut few, mut set) = (FewMap::new(), FewSet::from([7, 7, 7]));
    for n in 0..5 {
        few.insert(n, n);
        set.insert(n);
        assert_eq!((few.0.capacity(), set.0.0.capacity()), (few.len(), set.len()));
    }
    for n in 0..5 {
        few.remove(&n);
        set.remove(&n);
        assert_eq!((few.0.capacity(), set.0.0.capacity()), (few.len(), set.len()));
    }
    let read: FewSet<u64> = serde_json::from_str("[1,2,3,4,5]").unwrap();
    assert_eq!(read.0.0.capacity(), 5);
}
