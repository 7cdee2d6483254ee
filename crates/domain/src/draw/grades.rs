//! What share of each credit grade is drawn, and within which bounds.

use serde::{Deserialize, Serialize};

use crate::enterprise::CreditGrade;

/// The share of each grade that is drawn, in percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratios {
    /// Of grade A.
    pub a: u8,
    /// Of grade B, and of those that have no grade.
    pub b: u8,
    /// Of grade C.
    pub c: u8,
    /// Of grade D.
    pub d: u8,
}

/// The least and the greatest share, in percent, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The least.
    pub min: u8,
    /// The greatest, at most 100.
    pub max: u8,
}

/// Within which bounds the share of each grade lies (分级抽查比例).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatioTable {
    /// Of grade A.
    pub a: Bounds,
    /// Of grade B, and of those that have no grade.
    pub b: Bounds,
    /// Of grade C.
    pub c: Bounds,
    /// Of grade D.
    pub d: Bounds,
}

/// The published defaults: the better the credit, the fewer are drawn.
impl Default for RatioTable {
    fn default() -> Self {
        Self {
            a: Bounds { min: 0, max: 5 },
            b: Bounds { min: 5, max: 20 },
            c: Bounds { min: 21, max: 60 },
            d: Bounds { min: 61, max: 100 },
        }
    }
}

impl RatioTable {
    /// The first share that lies outside its bounds.
    #[must_use]
    pub fn outside(&self, ratios: &Ratios) -> Option<(CreditGrade, u8, Bounds)> {
        let mut all = [CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D]
            .map(|grade| (grade, ratios.of(grade), self.of(grade)))
            .into_iter();
        all.find(|(_, percent, bounds)| !(bounds.min..=bounds.max.min(100)).contains(percent))
    }

    fn of(&self, grade: CreditGrade) -> Bounds {
        match grade {
            CreditGrade::A => self.a,
            CreditGrade::B => self.b,
            CreditGrade::C => self.c,
            CreditGrade::D => self.d,
        }
    }
}

impl Ratios {
    /// The share of a grade, in percent.
    #[must_use]
    pub fn of(&self, grade: CreditGrade) -> u8 {
        match grade {
            CreditGrade::A => self.a,
            CreditGrade::B => self.b,
            CreditGrade::C => self.c,
            CreditGrade::D => self.d,
        }
    }

    /// How many of so many of a grade are drawn: the share of them, rounded to the nearest whole
    /// number, a half upwards.
    #[must_use]
    pub fn share(&self, grade: CreditGrade, of: u32) -> u32 {
        let hundredths = u64::from(of) * u64::from(self.of(grade).min(100));
        u32::try_from((hundredths + 50) / 100).unwrap_or(of)
    }
}

/// How many of one grade there are, and are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many are in the pool.
    pub candidates: u32,
    /// How many of them are drawn.
    pub drawn: u32,
}

/// How many of each grade there are, and are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Of grade A.
    pub a: Share,
    /// Of grade B, and of those that have no grade.
    pub b: Share,
    /// Of grade C.
    pub c: Share,
    /// Of grade D.
    pub d: Share,
}

impl Counts {
    /// All grades together.
    #[must_use]
    pub fn total(&self) -> Share {
        let all = [self.a, self.b, self.c, self.d];
        Share {
            candidates: all.iter().map(|share| share.candidates).sum(),
            drawn: all.iter().map(|share| share.drawn).sum(),
        }
    }

    /// One more of that grade.
    pub(super) fn add(&mut self, grade: Option<CreditGrade>, ratios: &Ratios) {
        let grade = drawn_as(grade);
        let share = match grade {
            CreditGrade::A => &mut self.a,
            CreditGrade::B => &mut self.b,
            CreditGrade::C => &mut self.c,
            CreditGrade::D => &mut self.d,
        };
        share.candidates += 1;
        share.drawn = ratios.share(grade, share.candidates);
    }
}

/// The grade that one without a grade is drawn as: B, neither trusted nor suspected.
pub(super) fn drawn_as(grade: Option<CreditGrade>) -> CreditGrade {
    grade.unwrap_or(CreditGrade::B)
}
