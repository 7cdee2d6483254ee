//! Inspection catalogues (行政检查清单): what one unit may inspect, by which right, and by whom.
//!
//! Each unit has one, published as a policy document. What is not in it is not inspected
//! (清单之外无检查): neither an item nor an officer nor the unit itself.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    frequency::Ground,
    ids::{CertificateNumber, FieldId, ItemId, Name, UnitId},
};

/// At which level a unit stands (层级), from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A central body.
    Nation,
    /// A body of the province.
    Province,
    /// A body of the city.
    City,
    /// A body of a district, county or county-level city.
    County,
    /// A body of a town or sub-district.
    Township,
}

/// By which right a unit inspects (检查主体资格; 行政处罚法 17 to 21 by analogy).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualification {
    /// An administrative organ with enforcement power of its own (行政机关).
    Organ,
    /// An organisation that a law or regulation authorises (法律法规授权的组织).
    Authorised {
        /// The law or regulation.
        basis: Name,
    },
    /// An organisation that an organ entrusted, within the entrustment (受委托组织).
    Entrusted {
        /// The organ that entrusted it, which answers for it.
        by: UnitId,
        /// The last day of the entrustment.
        until: Date,
    },
}

/// An officer (执法人员): the certificate alone, never the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// The number of the enforcement certificate.
    pub certificate: CertificateNumber,
    /// First day on which it is valid.
    pub valid_from: Date,
    /// Last day on which it is valid.
    pub valid_until: Date,
}

/// How an item is inspected (检查方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At the enterprise (现场检查).
    OnSite,
    /// From elsewhere, by documents, data or video (非现场检查).
    OffSite,
}

/// An inspection item (检查事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Names it.
    pub id: ItemId,
    /// Its title as published.
    pub title: Name,
    /// Its field.
    pub field: FieldId,
    /// The law that it rests on (检查依据).
    pub legal_basis: Name,
    /// How it can be inspected, at least one way.
    pub modes: BTreeSet<Mode>,
    /// Whether only a trigger opens it (触发式检查).
    #[serde(default)]
    pub trigger_only: bool,
    /// What is looked at (检查内容), in the order of the list; may be empty.
    #[serde(default)]
    pub checklist: Vec<Name>,
}

/// The catalogue of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The unit.
    pub unit: UnitId,
    /// Its level.
    pub level: Level,
    /// By which right it inspects.
    pub qualification: Qualification,
    /// Its officers, each certificate once.
    pub officers: Vec<Officer>,
    /// Its items, each once.
    pub items: Vec<Item>,
    /// The grounds that open an item that is trigger-only.
    pub triggers: BTreeSet<Ground>,
}

/// One problem of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueProblem {
    /// A certificate is listed twice.
    #[error("the certificate {0} is listed twice")]
    OfficerTwice(CertificateNumber),
    /// A certificate ends before it begins.
    #[error("the certificate {0} ends before it begins")]
    ValidityReversed(CertificateNumber),
    /// An item is listed twice.
    #[error("the item {0} is listed twice")]
    ItemTwice(ItemId),
    /// An item can be inspected in no way.
    #[error("the item {0} can be inspected in no way")]
    NoMode(ItemId),
    /// A trigger-only item that nothing opens.
    #[error("the item {0} is trigger-only, and no ground is a trigger")]
    NoTrigger(ItemId),
    /// A unit that entrusted itself.
    #[error("a unit cannot be entrusted by itself")]
    SelfEntrusted,
}

impl Catalogue {
    /// The item of that id.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// Whether the certificate is of this unit and valid on that day.
    #[must_use]
    pub fn is_valid(&self, certificate: &CertificateNumber, on: Date) -> bool {
        let valid = |officer: &Officer| officer.valid_from <= on && on <= officer.valid_until;
        self.officers.iter().any(|officer| officer.certificate == *certificate && valid(officer))
    }

    /// Whether the unit may inspect at all on that day.
    #[must_use]
    pub fn is_qualified(&self, on: Date) -> bool {
        match &self.qualification {
            Qualification::Organ | Qualification::Authorised { .. } => true,
            Qualification::Entrusted { until, .. } => on <= *until,
        }
    }

    /// Everything that is wrong with it; empty when it is sound.
    #[must_use]
    pub fn problems(&self) -> Vec<CatalogueProblem> {
        let mut problems = Vec::new();
        let mut certificates = BTreeSet::new();
        for Officer { certificate, valid_from, valid_until } in &self.officers {
            if !certificates.insert(certificate) {
                problems.push(CatalogueProblem::OfficerTwice(certificate.clone()));
            }
            if valid_until < valid_from {
                problems.push(CatalogueProblem::ValidityReversed(certificate.clone()));
            }
        }
        let mut items = BTreeSet::new();
        for item in &self.items {
            if !items.insert(&item.id) {
                problems.push(CatalogueProblem::ItemTwice(item.id.clone()));
            }
            if item.modes.is_empty() {
                problems.push(CatalogueProblem::NoMode(item.id.clone()));
            }
            if item.trigger_only && self.triggers.is_empty() {
                problems.push(CatalogueProblem::NoTrigger(item.id.clone()));
            }
        }
        let entrusted_by_itself = matches!(
            &self.qualification, Qualification::Entrusted { by, .. } if *by == self.unit
        );
        if entrusted_by_itself {
            problems.push(CatalogueProblem::SelfEntrusted);
        }
        problems
    }
}

#[cfg(test)]
mod tests;
