//! Closed words that have the same names in the contract and in the domain, one for one in both directions.

/// Enums whose variants have the same names in the contract and in the domain.
macro_rules! alike {
    ($($theirs:ident = $ours:ident, $to:ident, $from:ident: $($name:ident)+;)+) => {$(
        pub(crate) fn $to(word: pb::$theirs) -> Option<$ours> {
            match word {
                pb::$theirs::Unspecified => None,
                $(pb::$theirs::$name => Some($ours::$name),)+
            }
        }

        pub(crate) fn $from(word: $ours) -> pb::$theirs {
            match word {
                $($ours::$name => pb::$theirs::$name,)+
            }
        }
    )+};
}

pub(crate) use alike;
